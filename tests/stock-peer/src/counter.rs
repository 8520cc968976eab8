//! The counter: the one actor of the tests, natively on `ractor`, under the message type that the example guest has.

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RactorErr, RpcReplyPort, call_t, pg};
use ractor_cluster::RactorClusterMessage;

use crate::options::ActorOption;

/// The longest wait of a counter for each other member of a group, in milliseconds.
const MEMBER_TIMEOUT_MS: u64 = 1_000;

/// What a counter understands. Variants, fields and their order are the wire format: they equal the example guest's.
#[derive(RactorClusterMessage, Debug)]
pub(crate) enum CounterMsg {
    /// Adds to the count.
    Add(u64),
    /// The count.
    #[rpc]
    Get(RpcReplyPort<u64>),
    /// Adds to the count, then says it.
    #[rpc]
    AddAndGet(u64, RpcReplyPort<u64>),
    /// The sum of what every other member of the group counts.
    #[rpc]
    SumOf(String, RpcReplyPort<u64>),
    /// Adds to every other member of the group.
    AddTo(String, u64),
    /// The actor's name, or nothing.
    #[rpc]
    Name(RpcReplyPort<String>),
    /// Fails with this text.
    Crash(String),
}

/// Counts. Its argument is the start value.
pub(crate) struct Counter;

impl Actor for Counter {
    type Msg = CounterMsg;
    type State = u64;
    type Arguments = u64;

    async fn pre_start(&self, _: ActorRef<CounterMsg>, start: u64) -> Result<u64, ActorProcessingErr> {
        Ok(start)
    }

    async fn handle(
        &self,
        myself: ActorRef<CounterMsg>,
        message: CounterMsg,
        count: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CounterMsg::Add(n) => *count = count.saturating_add(n),
            CounterMsg::Get(reply) => reply.send(*count)?,
            CounterMsg::AddAndGet(n, reply) => {
                *count = count.saturating_add(n);
                reply.send(*count)?;
            }
            CounterMsg::SumOf(group, reply) => match sum(others(&group, &myself)).await {
                Ok(sum) => reply.send(sum)?,
                // Without an answer from everybody there is none: the port is dropped.
                Err(error) => tracing::warn!(%error, "a member of {group} doesn't answer"),
            },
            CounterMsg::AddTo(group, n) => {
                for member in others(&group, &myself) {
                    member.cast(CounterMsg::Add(n))?;
                }
            }
            CounterMsg::Name(reply) => reply.send(myself.get_name().unwrap_or_default())?,
            CounterMsg::Crash(text) => return Err(text.into()),
        }
        Ok(())
    }
}

async fn sum(members: Vec<ActorRef<CounterMsg>>) -> Result<u64, RactorErr<CounterMsg>> {
    let mut sum = 0_u64;
    for member in members {
        sum = sum.saturating_add(call_t!(member, CounterMsg::Get, MEMBER_TIMEOUT_MS)?);
    }
    Ok(sum)
}

fn others(group: &str, myself: &ActorRef<CounterMsg>) -> Vec<ActorRef<CounterMsg>> {
    pg::get_members(&group.to_owned())
        .into_iter()
        .filter(|member| member.get_id() != myself.get_id())
        .map(ActorRef::from)
        .collect()
}

/// Spawns a counter and enters it in its group.
pub(crate) async fn spawn(actor: &ActorOption) -> anyhow::Result<ActorCell> {
    let (counter, _) = Actor::spawn(actor.name.clone(), Counter, actor.start).await?;
    if let Some(group) = &actor.group {
        pg::join(group.clone(), vec![counter.get_cell()]);
    }
    Ok(counter.get_cell())
}
