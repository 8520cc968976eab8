//! What the node of the benchmark and the example `reloads` of the tests share: guests with a state of any size.

pub mod ballast;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

/// Hears of guests, and does nothing.
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
