//! An actor that plays another's part in a test.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use ractor::{Actor, ActorCell, ActorName, ActorProcessingErr, ActorRef, Message, SpawnErr, SupervisionEvent};
use tokio::sync::mpsc;

use super::PATIENCE;

type Answer<M> = Box<dyn FnMut(M) -> Option<M> + Send>;

/// An actor that hands the test the messages that it gets, except those that it was told how to answer.
pub struct Probe<M> {
    actor: ActorRef<M>,
    received: mpsc::UnboundedReceiver<M>,
    answer: Arc<Mutex<Option<Answer<M>>>>,
}

impl<M: Message> Probe<M> {
    pub(super) async fn start(name: Option<ActorName>, supervisor: ActorCell) -> Result<Self, SpawnErr> {
        let (tell, received) = mpsc::unbounded_channel();
        let answer = Arc::default();
        let part = Part {
            tell,
            answer: Arc::clone(&answer),
        };
        let (actor, _) = Actor::spawn_linked(name, part, (), supervisor).await?;
        Ok(Self {
            actor,
            received,
            answer,
        })
    }

    /// The actor, for others to send to.
    pub fn actor(&self) -> &ActorRef<M> {
        &self.actor
    }

    /// Hands every message to `answer` from now on. What `answer` hands back, [`Probe::next`] gives.
    ///
    /// ```
    /// # use ractor_guest as ractor;
    /// # use ractor::RpcReplyPort;
    /// # #[derive(ractor::RactorClusterMessage)]
    /// # enum CounterMsg { Add(u64), #[rpc] Get(RpcReplyPort<u64>) }
    /// # fn told(probe: &ractor::testing::Probe<CounterMsg>) {
    /// probe.answer(|message| match message {
    ///     CounterMsg::Get(reply) => {
    ///         reply.send(7).ok();
    ///         None
    ///     }
    ///     other => Some(other),
    /// });
    /// # }
    /// ```
    pub fn answer(&self, answer: impl FnMut(M) -> Option<M> + Send + 'static) {
        *self.answer.lock() = Some(Box::new(answer));
    }

    /// The next message, waiting for it.
    ///
    /// # Panics
    /// None comes for ten seconds.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub async fn next(&mut self) -> M {
        match tokio::time::timeout(PATIENCE, self.received.recv()).await {
            Ok(Some(message)) => message,
            Ok(None) => panic!("{:?} has ended", self.actor),
            Err(_) => panic!("{:?} has got no message", self.actor),
        }
    }

    /// The next message if it has come already.
    pub fn try_next(&mut self) -> Option<M> {
        self.received.try_recv().ok()
    }
}

impl<M> fmt::Debug for Probe<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

struct Part<M> {
    tell: mpsc::UnboundedSender<M>,
    answer: Arc<Mutex<Option<Answer<M>>>>,
}

impl<M: Message> Actor for Part<M> {
    type Msg = M;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<M>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<M>, message: M, (): &mut ()) -> Result<(), ActorProcessingErr> {
        let message = match &mut *self.answer.lock() {
            Some(answer) => answer(message),
            None => Some(message),
        };
        if let Some(message) = message {
            // The test may have dropped its end.
            self.tell.send(message).ok();
        }
        Ok(())
    }

    /// It has no children; what it may monitor is no reason to end.
    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<M>,
        _: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}
