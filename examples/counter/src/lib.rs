//! A counter. This one file is a native actor and a WebAssembly guest, and whoever talks to it can't tell which.

use ractor::reload::Reload;
use ractor::{Actor, ActorProcessingErr, ActorRef, RactorClusterMessage, RactorErr, RpcReplyPort, call_t, cast, pg};

/// The longest wait for each other member of a group to answer, in milliseconds.
const PATIENCE_MS: u64 = 1_000;

/// Counts up from its start argument. At `u64::MAX` it stays where it is.
#[derive(Debug, Default)]
pub struct Counter;

/// What a [`Counter`] understands.
#[derive(Debug, RactorClusterMessage)]
pub enum CounterMsg {
    /// Counts up by a number.
    Add(u64),
    /// Replies with the count.
    #[rpc]
    Get(RpcReplyPort<u64>),
    /// Counts up by a number and replies with the new count.
    #[rpc]
    AddAndGet(u64, RpcReplyPort<u64>),
    /// Replies with the sum of the counts of every other member of a process group.
    #[rpc]
    SumOf(String, RpcReplyPort<u64>),
    /// Makes every other member of a process group count up by a number.
    AddTo(String, u64),
    /// Replies with the name of this actor, or with nothing if it has none.
    #[rpc]
    Name(RpcReplyPort<String>),
    /// Fails with the text as the reason.
    Crash(String),
}

impl Actor for Counter {
    type Msg = CounterMsg;
    type State = u64;
    type Arguments = u64;

    async fn pre_start(&self, myself: ActorRef<CounterMsg>, start: u64) -> Result<u64, ActorProcessingErr> {
        tracing::info!(id = %myself.get_id(), start, "counting");
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
            CounterMsg::Get(reply) => answer(reply, *count),
            CounterMsg::AddAndGet(n, reply) => {
                *count = count.saturating_add(n);
                answer(reply, *count);
            }
            CounterMsg::SumOf(group, reply) => match sum(others(&myself, &group)).await {
                Ok(sum) => answer(reply, sum),
                // Dropping `reply` tells the caller that there is no answer.
                Err(error) => tracing::warn!(%group, %error, "a member did not answer"),
            },
            CounterMsg::AddTo(group, n) => {
                for other in others(&myself, &group) {
                    if let Err(error) = cast!(other, CounterMsg::Add(n)) {
                        tracing::warn!(other = %other.get_id(), %error, "not added");
                    }
                }
            }
            CounterMsg::Name(reply) => answer(reply, myself.get_name().unwrap_or_default()),
            CounterMsg::Crash(reason) => return Err(reason.into()),
        }
        Ok(())
    }
}

/// The other members of a group: native or guest, here or on another node.
fn others(myself: &ActorRef<CounterMsg>, group: &String) -> Vec<ActorRef<CounterMsg>> {
    let mut members = pg::get_members(group);
    members.retain(|member| member.get_id() != myself.get_id());
    members.into_iter().map(ActorRef::from).collect()
}

async fn sum(counters: Vec<ActorRef<CounterMsg>>) -> Result<u64, RactorErr<CounterMsg>> {
    let mut sum = 0_u64;
    for counter in counters {
        sum = sum.saturating_add(call_t!(counter, CounterMsg::Get, PATIENCE_MS)?);
    }
    Ok(sum)
}

fn answer<T: Send + 'static>(reply: RpcReplyPort<T>, value: T) {
    if reply.send(value).is_err() {
        tracing::debug!("the caller has given up");
    }
}

/// The count is all that the next version of this code needs.
impl Reload for Counter {}

ractor::export! {
    /// Counts up from its start argument. At `u64::MAX` it stays where it is.
    Counter, start = count, reload
}
