//! What somebody may do who asks a node: each role includes those before it.

use super::message::Request;
use super::traces::{TraceQuery, TraceStart};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// See what there is, and read logs.
    Observe,
    /// Start, stop and restart actors, send them messages, and change how much is logged.
    Operate,
    /// Replace code.
    Deploy,
}

impl Role {
    /// What it takes to ask this.
    pub(crate) fn needed_for(request: &Request) -> Self {
        match request {
            Request::Status | Request::Nodes | Request::Actors | Request::Groups | Request::Outcome { .. } => {
                Self::Observe
            }
            Request::Stopped => Self::Observe,
            Request::Steer(_) | Request::Leave => Self::Operate,
            Request::LogLevels { change: None, .. } | Request::Logs(_) => Self::Observe,
            Request::LogLevels { change: Some(_), .. } => Self::Operate,
            Request::Call(_) | Request::Cast(_) | Request::Deliver(_) => Self::Operate,
            Request::Describe { .. } => Self::Observe,
            Request::BeginUpload { .. }
            | Request::Upload { .. }
            | Request::Reload { .. }
            | Request::Rollback { .. }
            | Request::Apply { .. } => Self::Deploy,
            // What is in messages may be secret; that they pass, and their sizes, are not.
            Request::BeginTrace(TraceStart { values: true, .. }) | Request::Trace(TraceQuery { values: true, .. }) => {
                Self::Operate
            }
            Request::BeginTrace(_) | Request::Trace(_) | Request::EndTrace { .. } => Self::Observe,
            Request::Checkpoints { .. } => Self::Observe,
            Request::GoBack { .. } | Request::Spawn(_) => Self::Operate,
            Request::Figures | Request::Links | Request::ClusterLinks | Request::Show { .. } => Self::Observe,
            Request::Events(_) | Request::Entities | Request::EntityKeys { .. } => Self::Observe,
            Request::DeleteEntity { .. } => Self::Operate,
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Observe => "observe",
            Self::Operate => "operate",
            Self::Deploy => "deploy",
        })
    }
}
