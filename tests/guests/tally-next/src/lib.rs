//! The version after `tally`: the same actor, with a state of another shape.

#[path = "../../tally/src/actor.rs"]
pub mod actor;
pub mod state;

use ractor::ActorProcessingErr;
use ractor::reload::{Deferred, OldState, Reload};

pub use crate::actor::{Tally, TallyMsg};
use crate::state::State;

impl Reload for Tally {
    fn migrate(&self, old: OldState<'_>) -> Result<State, ActorProcessingErr> {
        match old.version() {
            1 => {
                let (count, ends, waiting): (u64, u64, Vec<Deferred<u64>>) = old.read()?;
                Ok(State {
                    additions: Vec::new(),
                    waiting,
                    ends,
                    count,
                })
            }
            _ => Err(old.unknown().into()),
        }
    }
}

ractor::export!(Tally, reload, state_version = 2);
