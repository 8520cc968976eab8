//! The router: to the members of a process group in turn, or by a key.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use counter::CounterMsg;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call_t, cast, pg};
use ractor_host::RactorClusterMessage;

/// The longest wait for a counter to answer, in milliseconds.
const PATIENCE_MS: u64 = 1_000;

/// Passes numbers on to the counters of a group. Its start argument is the name of the group.
#[derive(Debug, Default)]
pub(crate) struct Router;

/// What a [`Router`] understands.
#[derive(Debug, RactorClusterMessage)]
pub(crate) enum RouterMsg {
    /// Adds a number to the counter whose turn it is.
    Next(u64),
    /// Adds a number to the counter that has this key, always the same as long as it lives.
    ByKey(String, u64),
    /// Replies with a line for each counter: its name and its count.
    #[rpc]
    Counts(RpcReplyPort<String>),
}

/// What a router remembers.
#[derive(Debug)]
pub(crate) struct Routes {
    group: String,
    turn: usize,
}

impl Actor for Router {
    type Msg = RouterMsg;
    type State = Routes;
    type Arguments = String;

    async fn pre_start(&self, _: ActorRef<RouterMsg>, group: String) -> Result<Routes, ActorProcessingErr> {
        Ok(Routes { group, turn: 0 })
    }

    async fn handle(
        &self,
        _: ActorRef<RouterMsg>,
        message: RouterMsg,
        routes: &mut Routes,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RouterMsg::Next(number) => add(routes.next(), number)?,
            RouterMsg::ByKey(key, number) => add(routes.of_key(&key), number)?,
            RouterMsg::Counts(reply) => reply.send(routes.counts().await?)?,
        }
        Ok(())
    }
}

/// One message type, whoever gets it.
fn add(counter: Option<ActorRef<CounterMsg>>, number: u64) -> Result<(), ActorProcessingErr> {
    match counter {
        Some(counter) => cast!(counter, CounterMsg::Add(number))?,
        None => tracing::warn!(number, "nobody is there to count"),
    }
    Ok(())
}

impl Routes {
    /// The counters, native ones and guests, of this node and others, in an order that doesn't change.
    fn counters(&self) -> Vec<ActorRef<CounterMsg>> {
        let mut members = pg::get_members(&self.group);
        members.sort_by_cached_key(|member| member.get_id().to_string());
        members.into_iter().map(ActorRef::from).collect()
    }

    fn next(&mut self) -> Option<ActorRef<CounterMsg>> {
        let counters = self.counters();
        self.turn = self.turn.wrapping_add(1);
        let turn = self.turn.checked_rem(counters.len())?;
        counters.into_iter().nth(turn)
    }

    /// The one with the highest weight for this key. When a counter comes or goes, only its own keys move.
    fn of_key(&self, key: &str) -> Option<ActorRef<CounterMsg>> {
        let weight = |counter: &ActorRef<CounterMsg>| {
            let mut hasher = DefaultHasher::new();
            (key, counter.get_id().to_string()).hash(&mut hasher);
            hasher.finish()
        };
        self.counters().into_iter().max_by_key(weight)
    }

    async fn counts(&self) -> Result<String, ActorProcessingErr> {
        let mut lines = Vec::new();
        for counter in self.counters() {
            let name = call_t!(counter, CounterMsg::Name, PATIENCE_MS)?;
            let count = call_t!(counter, CounterMsg::Get, PATIENCE_MS)?;
            lines.push(format!("{name} {count}"));
        }
        lines.sort();
        Ok(lines.join("\n"))
    }
}
