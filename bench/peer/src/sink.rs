//! The actor that loads are sent to, and how a sender sees it.

use std::time::Duration;

use anyhow::{Context, bail};
use bench_load::Target;
use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, concurrency, pg};
use ractor_cluster::RactorClusterMessage;

/// The time that a slow actor takes for a message.
const SLOW: Duration = Duration::from_millis(1);

/// What a sink understands.
#[derive(RactorClusterMessage)]
pub(crate) enum SinkMsg {
    /// Is counted.
    Blob(Vec<u8>),
    /// Is counted after a while.
    Slow(Vec<u8>),
    /// How many were counted.
    #[rpc]
    Count(RpcReplyPort<u64>),
    /// Comes back.
    #[rpc]
    Echo(Vec<u8>, RpcReplyPort<Vec<u8>>),
}

/// Counts and echoes.
pub(crate) struct Sink;

impl Actor for Sink {
    type Msg = SinkMsg;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<SinkMsg>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(&self, _: ActorRef<SinkMsg>, message: SinkMsg, count: &mut u64) -> Result<(), ActorProcessingErr> {
        match message {
            SinkMsg::Blob(_) => *count += 1,
            SinkMsg::Slow(_) => {
                concurrency::sleep(SLOW).await;
                *count += 1;
            }
            SinkMsg::Count(reply) => reply.send(*count)?,
            SinkMsg::Echo(payload, reply) => reply.send(payload)?,
        }
        Ok(())
    }
}

/// Spawns a sink that other nodes find as the one member of the group.
pub(crate) async fn spawn(group: &str) -> anyhow::Result<()> {
    let (sink, _) = Actor::spawn(None, Sink, ()).await?;
    pg::join(group.to_owned(), vec![sink.get_cell()]);
    Ok(())
}

/// A sink on another node.
#[derive(Clone)]
pub(crate) struct RemoteSink(ActorRef<SinkMsg>);

impl RemoteSink {
    /// The sink that the connected node has in this group, if it has told of it.
    pub(crate) fn find(group: &str) -> Option<Self> {
        let mut members = pg::get_members(&group.to_owned()).into_iter();
        members
            .find(|member| !member.get_id().is_local())
            .map(|member| Self(member.into()))
    }

    /// Sends what a slow actor does.
    pub(crate) fn slow(&self, payload: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.cast(SinkMsg::Slow(payload.to_vec()))?)
    }
}

impl Target for RemoteSink {
    fn cast(&self, payload: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.cast(SinkMsg::Blob(payload.to_vec()))?)
    }

    fn count(&self) -> anyhow::Result<concurrency::OneshotReceiver<u64>> {
        let (port, count) = concurrency::oneshot();
        self.0.cast(SinkMsg::Count(port.into()))?;
        Ok(count)
    }

    async fn echo(&self, payload: &[u8], timeout: Option<Duration>) -> anyhow::Result<()> {
        let payload = payload.to_vec();
        let called = self.0.call(|reply| SinkMsg::Echo(payload, reply), timeout).await;
        match called.context("a call could not be sent")? {
            CallResult::Success(_) => Ok(()),
            CallResult::Timeout => bail!("a call got no answer in time"),
            CallResult::SenderError => bail!("a call got no answer"),
        }
    }
}
