//! How a load is put on a counter, whichever kind it is and wherever it lives.

use std::time::Duration;

use anyhow::{Context, bail};
use bench_load::Target;
use counter::CounterMsg;
use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorRef, RpcReplyPort, concurrency};

/// The counter that loads go to.
#[derive(Clone)]
pub(crate) struct Counted {
    actor: ActorRef<CounterMsg>,
    /// Instead of counting itself it has the only other member of this group count.
    relay: Option<String>,
}

impl Counted {
    /// The actor itself is sent to.
    pub(crate) fn direct(actor: ActorCell) -> Self {
        Self {
            actor: actor.into(),
            relay: None,
        }
    }

    /// The actor sends on what it gets to the other member of the group.
    pub(crate) fn relayed(actor: ActorCell, group: String) -> Self {
        Self {
            actor: actor.into(),
            relay: Some(group),
        }
    }
}

impl Target for Counted {
    /// The payload is the same number whatever its length: a counter counts.
    fn cast(&self, _: &[u8]) -> anyhow::Result<()> {
        let message = match &self.relay {
            None => CounterMsg::Add(1),
            Some(group) => CounterMsg::AddTo(group.clone(), 1),
        };
        Ok(self.actor.cast(message)?)
    }

    fn count(&self) -> anyhow::Result<concurrency::OneshotReceiver<u64>> {
        let (port, count) = concurrency::oneshot();
        match &self.relay {
            None => self.actor.cast(CounterMsg::Get(port.into()))?,
            // Asked through the relay, behind what it still has to send; the only other member's count is the sum.
            Some(group) => self.actor.cast(CounterMsg::SumOf(group.clone(), port.into()))?,
        }
        Ok(count)
    }

    async fn echo(&self, _: &[u8], timeout: Option<Duration>) -> anyhow::Result<()> {
        let ask = |reply: RpcReplyPort<u64>| match &self.relay {
            None => CounterMsg::Get(reply),
            Some(group) => CounterMsg::SumOf(group.clone(), reply),
        };
        let called = self.actor.call(ask, timeout).await;
        match called.context("a call could not be sent")? {
            CallResult::Success(_) => Ok(()),
            CallResult::Timeout => bail!("a call got no answer in time"),
            CallResult::SenderError => bail!("a call got no answer"),
        }
    }
}
