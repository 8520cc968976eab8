//! The names of a configuration's actors.

use crate::config::NodeConfig;
use crate::guest::ReservedNames;

/// The names that a guest could otherwise take while their actors are started again.
pub(super) fn reserved(config: &NodeConfig) -> ReservedNames {
    let mut names = ReservedNames::default();
    for actor in &config.actors {
        names.add(&actor.name, actor.count);
    }
    names
}
