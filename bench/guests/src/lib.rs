//! What the node of the benchmark shares with the tests and their examples: guests with a state of any size, and a supervisor
//! for guests that are nobody's concern.

pub mod ballast;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

/// Hears of its actors, also of those that fail, and does nothing.
#[derive(Debug)]
pub struct Supervisor;

impl Actor for Supervisor {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        _: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}
