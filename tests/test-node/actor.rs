//! The actor of the fault tests: takes what it is sent as slowly as it is told to, and answers calls in every bad way.

use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr, SupervisionEvent, call_t, pg};
use ractor_host::{ActorAddress, RactorClusterMessage};

use crate::say;

/// The longest wait of an actor for another one's answer, in milliseconds.
const PATIENCE_MS: u64 = 5_000;

/// What a [`Consumer`] understands.
#[derive(RactorClusterMessage, Debug)]
pub(crate) enum ConsumerMsg {
    /// Takes bytes, after the pause.
    Take(Vec<u8>),
    /// How many casts it took.
    #[rpc]
    Taken(RpcReplyPort<u64>),
    /// Gives back what it got.
    #[rpc]
    Echo(Vec<u8>, RpcReplyPort<Vec<u8>>),
    /// Drops the port.
    #[rpc]
    Refuse(RpcReplyPort<u64>),
    /// Keeps the port for as long as it lives, and answers never.
    #[rpc]
    Never(RpcReplyPort<u64>),
    /// How many casts the actor at this address took.
    #[rpc]
    TakenAt(ActorAddress, RpcReplyPort<u64>),
}

/// Takes casts. Its argument is the pause after each.
pub(crate) struct Consumer;

pub(crate) struct ConsumerState {
    pause: Duration,
    taken: u64,
    kept: Vec<RpcReplyPort<u64>>,
}

impl Actor for Consumer {
    type Msg = ConsumerMsg;
    type State = ConsumerState;
    type Arguments = Duration;

    async fn pre_start(&self, _: ActorRef<ConsumerMsg>, pause: Duration) -> Result<ConsumerState, ActorProcessingErr> {
        let (taken, kept) = (0, Vec::new());
        Ok(ConsumerState { pause, taken, kept })
    }

    async fn handle(
        &self,
        _: ActorRef<ConsumerMsg>,
        message: ConsumerMsg,
        state: &mut ConsumerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ConsumerMsg::Take(_) => {
                state.taken += 1;
                tokio::time::sleep(state.pause).await;
            }
            ConsumerMsg::Taken(reply) => reply.send(state.taken)?,
            ConsumerMsg::Echo(bytes, reply) => reply.send(bytes)?,
            ConsumerMsg::Refuse(reply) => drop(reply),
            ConsumerMsg::Never(reply) => state.kept.push(reply),
            ConsumerMsg::TakenAt(address, reply) => {
                let actor = address
                    .resolve_as::<ConsumerMsg>()
                    .await
                    .ok_or("nobody is at that address")?;
                reply.send(call_t!(actor, ConsumerMsg::Taken, PATIENCE_MS)?)?;
            }
        }
        Ok(())
    }
}

/// Spawns a consumer and enters it in its group. One that is called `-` has no name.
pub(crate) async fn spawn(name: &str, group: &str, pause: Duration) -> Result<ActorCell, SpawnErr> {
    let name = (name != "-").then(|| name.to_owned());
    let (consumer, _) = Actor::spawn(name, Consumer, pause).await?;
    pg::join(group.to_owned(), vec![consumer.get_cell()]);
    Ok(consumer.get_cell())
}

/// Prints every change of the groups: `event joined GROUP NAME` and `event left GROUP NAME`.
pub(crate) struct Watcher;

impl Actor for Watcher {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        pg::monitor_scope(pg::DEFAULT_SCOPE.to_owned(), myself.get_cell());
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let SupervisionEvent::ProcessGroupChanged(change) = event else {
            return Ok(());
        };
        let (kind, group, cells) = match change {
            pg::GroupChangeMessage::Join(_, group, cells) => ("joined", group, cells),
            pg::GroupChangeMessage::Leave(_, group, cells) => ("left", group, cells),
        };
        for cell in cells {
            say(&format!("event {kind} {group} {}", cell.get_name().unwrap_or_default()));
        }
        Ok(())
    }
}
