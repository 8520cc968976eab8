//! An actor that stands still while a handler waits: one that isn't exported with `awaits`. Its callbacks are done when they return.

use super::executor::block_on;
use super::{Entry, Handled, Running, decode};
use crate::guest::actor::myself;
use crate::guest::message::SerializedMessage;
use crate::guest::{Actor, ActorRef, DescribeMessage};

/// See the module.
pub(super) struct Still<A: Actor> {
    pub(super) actor: A,
    pub(super) state: A::State,
}

impl<A> Running for Still<A>
where
    A: Actor,
    A::Msg: DescribeMessage,
{
    fn handle(&mut self, message: SerializedMessage) -> Handled {
        let Some(message) = decode::<A::Msg>(message) else {
            return Ok(());
        };
        let myself: ActorRef<A::Msg> = myself().into();
        block_on(self.actor.handle(myself, message, &mut self.state))
    }

    fn enter(&mut self, entry: Entry) -> Handled {
        let Self { actor, state } = self;
        match entry {
            Entry::Event(event) => block_on(actor.handle_supervisor_evt(myself().into(), event, state)),
            Entry::PostStart => block_on(actor.post_start(myself().into(), state)),
            Entry::PostStop => block_on(actor.post_stop(myself().into(), state)),
            // Nothing comes for an actor that never waits for it.
            Entry::Arrival => Ok(()),
        }
    }
}
