//! The supervisor of a test: it remembers.

use std::sync::Arc;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::watch;

/// What the host heard of an actor that it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It lives.
    Started(ActorCell),
    /// It ended in an orderly way, with the reason if there was one.
    Stopped(ActorCell, Option<String>),
    /// It failed, with this error.
    Failed(ActorCell, String),
}

impl Event {
    /// The actor if this is its end.
    fn ended(&self) -> Option<&ActorCell> {
        match self {
            Self::Started(_) => None,
            Self::Stopped(actor, _) | Self::Failed(actor, _) => Some(actor),
        }
    }
}

#[derive(Debug)]
pub(super) struct Recorder {
    supervisor: ActorRef<()>,
    events: watch::Receiver<Vec<Event>>,
}

impl Recorder {
    #[expect(clippy::expect_used, reason = "an actor without a name whose start can't fail")]
    pub(super) async fn start() -> Self {
        let (heard, events) = watch::channel(Vec::new());
        let (supervisor, _) = Actor::spawn(None, Supervisor, Arc::new(heard))
            .await
            .expect("it only keeps what it is given");
        Self { supervisor, events }
    }

    pub(super) fn cell(&self) -> ActorCell {
        self.supervisor.get_cell()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.events.borrow().clone()
    }

    pub(super) async fn end_of(&self, actor: &ActorCell) -> Event {
        let mut events = self.events.clone();
        let find = |events: &[Event]| events.iter().find(|event| event.ended() == Some(actor)).cloned();
        loop {
            // Before the wait, since the actor may have ended before anybody asked.
            if let Some(end) = find(&events.borrow_and_update()) {
                return end;
            }
            if events.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

struct Supervisor;

impl Actor for Supervisor {
    type Msg = ();
    type State = Arc<watch::Sender<Vec<Event>>>;
    type Arguments = Arc<watch::Sender<Vec<Event>>>;

    async fn pre_start(&self, _: ActorRef<()>, events: Self::Arguments) -> Result<Self::State, ActorProcessingErr> {
        Ok(events)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        event: SupervisionEvent,
        events: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let event = match event {
            SupervisionEvent::ActorStarted(actor) => Event::Started(actor),
            SupervisionEvent::ActorTerminated(actor, _, reason) => Event::Stopped(actor, reason),
            SupervisionEvent::ActorFailed(actor, error) => Event::Failed(actor, error.to_string()),
            _ => return Ok(()),
        };
        events.send_modify(|events| events.push(event));
        Ok(())
    }
}
