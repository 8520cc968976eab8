//! What both versions do. What is different is beside it, in `state`.

use ractor::concurrency::Duration;
use ractor::module::{self, Child};
use ractor::reload::Deferred;
use ractor::{Actor, ActorProcessingErr, ActorRef, RactorClusterMessage, RpcReplyPort, SupervisionEvent, registry};

use crate::state::{State, VERSION};

/// Everything that a host keeps for an actor, and a count.
#[derive(Debug, Default)]
pub struct Tally;

/// What a [`Tally`] understands.
#[derive(Debug, RactorClusterMessage)]
pub enum TallyMsg {
    /// Counts up.
    Add(u64),
    /// Replies with the count.
    #[rpc]
    Get(RpcReplyPort<u64>),
    /// Replies with the version of the state of the code that runs.
    #[rpc]
    Version(RpcReplyPort<u64>),
    /// Replies with the number of actors whose end was heard of.
    #[rpc]
    Ends(RpcReplyPort<u64>),
    /// Replies with the number of children.
    #[rpc]
    Children(RpcReplyPort<u64>),
    /// Replies with the number of calls that wait.
    #[rpc]
    Waiting(RpcReplyPort<u64>),
    /// Waits for [`Release`](TallyMsg::Release), and replies with the count.
    #[rpc]
    Later(RpcReplyPort<u64>),
    /// Answers all that wait.
    Release,
    /// Counts up by one, again and again after this many milliseconds.
    AddEvery(u64),
    /// Starts a child with this name.
    Spawn(String),
    /// Monitors the actor with this name.
    Watch(String),
    /// Stops.
    Stop,
}

impl Actor for Tally {
    type Msg = TallyMsg;
    type State = State;
    type Arguments = u64;

    async fn pre_start(&self, _: ActorRef<TallyMsg>, count: u64) -> Result<State, ActorProcessingErr> {
        Ok(State::new(count))
    }

    async fn handle(
        &self,
        myself: ActorRef<TallyMsg>,
        message: TallyMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TallyMsg::Add(number) => state.add(number),
            TallyMsg::Get(reply) => reply.send(state.count)?,
            TallyMsg::Version(reply) => reply.send(u64::from(VERSION))?,
            TallyMsg::Ends(reply) => reply.send(state.ends)?,
            TallyMsg::Children(reply) => reply.send(myself.get_children().len() as u64)?,
            TallyMsg::Waiting(reply) => reply.send(state.waiting.len() as u64)?,
            TallyMsg::Later(reply) => state.waiting.push(Deferred::from(reply)),
            TallyMsg::Release => {
                for waiting in state.waiting.drain(..) {
                    waiting.send(state.count)?;
                }
            }
            TallyMsg::AddEvery(millis) => {
                myself.send_interval(Duration::from_millis(millis), || TallyMsg::Add(1));
            }
            TallyMsg::Spawn(name) => {
                let _child: ActorRef<TallyMsg> =
                    module::spawn(&myself, Child::of("tally").name(name).arguments(0_u64)).await?;
            }
            TallyMsg::Watch(name) => match registry::where_is(&name) {
                Some(other) => myself.monitor(other),
                None => return Err(format!("nobody is called `{name}`").into()),
            },
            TallyMsg::Stop => myself.stop(None),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<TallyMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorTerminated(..) | SupervisionEvent::ActorFailed(..) = event {
            state.ends += 1;
        }
        Ok(())
    }
}
