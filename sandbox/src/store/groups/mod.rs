//! Process groups: an actor's memberships, and the groups whose changes it hears of.

pub(crate) mod membership;
pub(super) mod rate;
pub(super) mod watch;
