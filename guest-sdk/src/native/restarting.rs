//! A native child that is restarted in place, as the host restarts a guest.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use ractor::concurrency::{Duration, Instant, sleep};
use ractor::{Actor, ActorProcessingErr, ActorRef, BytesConvertable, SupervisionEvent, pg};

use crate::native::module::{Child, Restart};

/// The restarts of a child, and the time that they are counted in: the defaults of node.toml.
const MAX_RESTARTS: usize = 5;
const WITHIN: Duration = Duration::from_secs(60);
/// The wait before the first restart. It doubles with every further one.
const BACKOFF: Duration = Duration::from_millis(100);

/// Makes an actor anew after each failure, under the same id.
pub(super) struct Restarting<F> {
    make: F,
    child: Child,
}

impl<F> Restarting<F> {
    pub(super) fn new(make: F, child: Child) -> Self {
        Self { make, child }
    }
}

/// The actor that runs now, which a restart replaces.
pub(super) struct RunningActor<A: Actor> {
    actor: A,
    state: A::State,
    /// The times of the restarts that still count, oldest first.
    restarts: VecDeque<Instant>,
}

impl<A, F> Actor for Restarting<F>
where
    A: Actor,
    A::Arguments: BytesConvertable,
    F: Fn() -> A + Send + Sync + 'static,
{
    type Msg = A::Msg;
    type State = RunningActor<A>;
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<A::Msg>, (): ()) -> Result<RunningActor<A>, ActorProcessingErr> {
        let (actor, state) = self.start(&myself).await?;
        // Once for all restarts: the actor keeps its id, and its groups with it.
        for group in &self.child.groups {
            pg::join(group.clone(), vec![myself.get_cell()]);
        }
        Ok(RunningActor {
            actor,
            state,
            restarts: VecDeque::new(),
        })
    }

    async fn post_start(
        &self,
        myself: ActorRef<A::Msg>,
        running: &mut RunningActor<A>,
    ) -> Result<(), ActorProcessingErr> {
        let outcome = caught(running.actor.post_start(myself.clone(), &mut running.state)).await;
        self.after_callback(&myself, running, outcome).await
    }

    async fn post_stop(
        &self,
        myself: ActorRef<A::Msg>,
        running: &mut RunningActor<A>,
    ) -> Result<(), ActorProcessingErr> {
        running.actor.post_stop(myself, &mut running.state).await
    }

    async fn handle(
        &self,
        myself: ActorRef<A::Msg>,
        message: A::Msg,
        running: &mut RunningActor<A>,
    ) -> Result<(), ActorProcessingErr> {
        let outcome = caught(running.actor.handle(myself.clone(), message, &mut running.state)).await;
        self.after_callback(&myself, running, outcome).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<A::Msg>,
        event: SupervisionEvent,
        running: &mut RunningActor<A>,
    ) -> Result<(), ActorProcessingErr> {
        let outcome = caught(
            running
                .actor
                .handle_supervisor_evt(myself.clone(), event, &mut running.state),
        )
        .await;
        self.after_callback(&myself, running, outcome).await
    }
}

impl<A, F> Restarting<F>
where
    A: Actor,
    A::Arguments: BytesConvertable,
    F: Fn() -> A + Send + Sync + 'static,
{
    async fn start(&self, myself: &ActorRef<A::Msg>) -> Result<(A, A::State), ActorProcessingErr> {
        let actor = (self.make)();
        let state = caught(async {
            let arguments = A::Arguments::from_bytes(self.child.arguments.clone());
            actor.pre_start(myself.clone(), arguments).await
        })
        .await?;
        Ok((actor, state))
    }

    /// Decides after a callback: the actor goes on as it is, or with a new instance, or fails.
    async fn after_callback(
        &self,
        myself: &ActorRef<A::Msg>,
        running: &mut RunningActor<A>,
        mut outcome: Result<(), ActorProcessingErr>,
    ) -> Result<(), ActorProcessingErr> {
        while let Err(error) = outcome {
            let Some(wait) = self.wait(&mut running.restarts) else {
                return Err(error);
            };
            // The children go with the failed instance: the next one knows nothing of them.
            for child in myself.get_children() {
                child.unlink(myself.get_cell());
                child.kill();
            }
            sleep(wait).await;
            outcome = match self.start(myself).await {
                Ok((actor, state)) => {
                    running.actor = actor;
                    running.state = state;
                    caught(running.actor.post_start(myself.clone(), &mut running.state)).await
                }
                Err(error) => Err(error),
            };
        }
        Ok(())
    }

    /// The wait before the next restart; none if there is to be no restart.
    fn wait(&self, restarts: &mut VecDeque<Instant>) -> Option<Duration> {
        if self.child.restart == Restart::Temporary {
            return None;
        }
        let now = Instant::now();
        while restarts
            .front()
            .is_some_and(|first| now.duration_since(*first) > WITHIN)
        {
            restarts.pop_front();
        }
        if restarts.len() >= MAX_RESTARTS {
            return None;
        }
        restarts.push_back(now);
        Some(BACKOFF * (1 << (restarts.len() - 1)))
    }
}

/// A future whose panic is an error.
async fn caught<T>(
    future: impl Future<Output = Result<T, ActorProcessingErr>> + Send,
) -> Result<T, ActorProcessingErr> {
    let mut future = pin!(future);
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(text(&*panic).into())))
    })
    .await
}

fn text(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (None, Some(text)) => (*text).to_owned(),
        (None, None) => "it panicked".to_owned(),
    }
}

impl<F> fmt::Debug for Restarting<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restarting")
            .field("child", &self.child)
            .finish_non_exhaustive()
    }
}
