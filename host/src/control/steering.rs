//! What is asked and answered about steering actors.

use serde::{Deserialize, Serialize};

use super::target::Target;
use crate::supervision::SteerAction;

/// What is to be done, and with whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Steer {
    pub(crate) action: SteerAction,
    pub(crate) target: Target,
    /// Whether several may be meant.
    pub(crate) all: bool,
}

/// What became of one of those that were meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SteeredActor {
    pub(crate) name: Option<String>,
    /// Its pid now; none of one that does not run.
    pub(crate) pid: Option<u64>,
    /// False if it is as it was, and `note` says why.
    pub(crate) done: bool,
    /// What is to be known besides.
    pub(crate) note: Option<String>,
}

/// What operators have stopped, and does not run until it is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoppedActor {
    /// That of an actor, or of a supervisor with all of its actors.
    pub(crate) name: String,
    pub(crate) supervisor: String,
}
