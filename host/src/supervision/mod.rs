//! The supervisors of a node, in OTP's sense: who is restarted, together with whom, and when that is given up.
//!
//! [`Root`] is above everything that node.toml starts, or a program by [`SupervisorSpec`]. What is to be done is decided
//! in `plan`, as a function; `actor` carries it out. A guest restarts itself in place, within the budget that its
//! supervisor keeps (`in_place`), and keeps its pid and its mailbox; a native actor is spawned again.

mod actor;
mod batch;
mod changing;
#[cfg(test)]
mod changing_tests;
mod child;
mod counts;
mod in_place;
mod message;
mod plan;
#[cfg(test)]
mod plan_tests;
mod readiness;
pub mod reload;
mod report;
mod root;
mod shutdown;
mod shutdown_order;
mod spec;
mod steering;

pub(crate) use changing::ChildChange;
pub use counts::Counts;
pub use message::NotStarted;
pub(crate) use message::is_supervisor;
pub(crate) use readiness::ReadinessWatch;
pub use readiness::{GivenUp, OnGiveUp, Readiness};
pub use root::{Root, RootError};
pub use spec::{ChildSpec, StartError, Strategy, SupervisorSpec};
pub(crate) use steering::{SteerAction, SteeredChild, Steering, StoppedChild};

/// What the simulation of whole nodes runs.
#[cfg(test)]
pub(crate) mod sim {
    pub(crate) use super::plan::{ChildExit, PlanCommand, RestartPlan};
    pub(crate) use super::reload::rollout::{Rollout, RolloutCommand};
    pub(crate) use super::reload::{OnFailure, Outcome, Verdict};
    pub(crate) use super::shutdown_order::{ShutdownCommand, ShutdownOrder};
    pub(crate) use super::spec::ChildKind;
}
