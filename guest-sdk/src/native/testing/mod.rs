//! A host for the unit tests of actors, over the real ractor: natively, with the feature `testing`.
//!
//! ```
//! # use ractor_guest as ractor;
//! use ractor::testing::{Event, TestHost};
//! use ractor::{Actor, ActorProcessingErr, ActorRef, RactorClusterMessage, RpcReplyPort, call, cast, config};
//!
//! #[derive(RactorClusterMessage)]
//! enum LampMsg {
//!     Switch(bool),
//!     #[rpc]
//!     IsOn(RpcReplyPort<bool>),
//!     Break(String),
//! }
//!
//! #[derive(Default)]
//! struct Lamp;
//!
//! impl Actor for Lamp {
//!     type Msg = LampMsg;
//!     type State = bool;
//!     type Arguments = ();
//!
//!     async fn pre_start(&self, _: ActorRef<LampMsg>, (): ()) -> Result<bool, ActorProcessingErr> {
//!         Ok(config::value("at-start").as_deref() == Some("on"))
//!     }
//!
//!     async fn handle(&self, _: ActorRef<LampMsg>, message: LampMsg, on: &mut bool) -> Result<(), ActorProcessingErr> {
//!         match message {
//!             LampMsg::Switch(wanted) => *on = wanted,
//!             LampMsg::IsOn(reply) => reply.send(*on)?,
//!             LampMsg::Break(reason) => return Err(reason.into()),
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = TestHost::new().await;
//! host.config("at-start", "on");
//! let lamp = host.spawn::<Lamp>(()).await?;
//! assert!(call!(lamp, LampMsg::IsOn)?);
//! cast!(lamp, LampMsg::Switch(false))?;
//! assert!(!call!(lamp, LampMsg::IsOn)?);
//!
//! cast!(lamp, LampMsg::Break("it fell".to_owned()))?;
//! assert_eq!(host.end_of(&lamp).await, Event::Failed(lamp.get_cell(), "it fell".to_owned()));
//! # Ok(())
//! # }
//! ```
//!
//! [`Probe`]s play the other actors that would be there. Time is tokio's: under `#[tokio::test(start_paused = true)]`
//! [`TestHost::advance`] takes no time at all.
//!
//! Names and groups are ractor's and belong to the process, so tests that run at the same time need different ones.
//! Config values and modules belong to the host.

mod probe;
mod recorder;

use std::sync::Arc;

#[cfg(feature = "reload")]
use ractor::ActorProcessingErr;
use ractor::concurrency::Duration;
use ractor::{Actor, ActorCell, ActorName, ActorRef, BytesConvertable, Message, SpawnErr, pg};

pub use self::probe::Probe;
pub use self::recorder::Event;
use self::recorder::Recorder;
use crate::native::context::{Context, InContext};
use crate::native::module::made_by;
#[cfg(feature = "reload")]
use crate::native::reload::{OldState, Reload};

/// The time that something that a test expects has to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts actors as a node does, supervises them, and remembers what it hears. All of them end with it.
#[derive(Debug)]
pub struct TestHost {
    recorder: Recorder,
    context: Arc<Context>,
}

impl TestHost {
    /// A host without actors.
    pub async fn new() -> Self {
        Self {
            recorder: Recorder::start().await,
            context: Arc::default(),
        }
    }

    /// Puts a config value under a key, for the actors of this host: see [`config`](crate::config).
    pub fn config(&self, key: impl Into<String>, value: impl Into<String>) {
        self.context.set_config(key.into(), value.into());
    }

    /// Says what the node is called, to the actors of this host: see [`node`](crate::node).
    pub fn node_name(&self, name: impl Into<String>) {
        self.context.set_node_name(name.into());
    }

    /// Makes actors known under the name of a module, to the actors of this host: see [`module`](crate::module).
    pub fn module<A>(&self, module: impl Into<String>, make: impl Fn() -> A + Send + Sync + 'static)
    where
        A: Actor,
        A::Arguments: BytesConvertable,
    {
        self.context.set_module(module.into(), made_by(make));
    }

    /// Starts an actor without a name.
    ///
    /// # Errors
    /// Its `pre_start` failed.
    pub async fn spawn<A: Actor + Default>(&self, arguments: A::Arguments) -> Result<ActorRef<A::Msg>, SpawnErr> {
        self.start(None, A::default(), arguments).await
    }

    /// Starts an actor under a name.
    ///
    /// # Errors
    /// The name is taken, or its `pre_start` failed.
    pub async fn spawn_named<A: Actor + Default>(
        &self,
        name: impl Into<ActorName>,
        arguments: A::Arguments,
    ) -> Result<ActorRef<A::Msg>, SpawnErr> {
        self.start(Some(name.into()), A::default(), arguments).await
    }

    /// Starts an actor that is not [`Default`].
    ///
    /// # Errors
    /// The name is taken, or its `pre_start` failed.
    pub async fn start<A: Actor>(
        &self,
        name: Option<ActorName>,
        actor: A,
        arguments: A::Arguments,
    ) -> Result<ActorRef<A::Msg>, SpawnErr> {
        let context = self.context.clone();
        let actor = InContext { actor, context };
        let (actor, _) = Actor::spawn_linked(name, actor, arguments, self.recorder.cell()).await?;
        Ok(actor)
    }

    /// Starts an actor that only tells what it gets, under a name.
    ///
    /// # Errors
    /// The name is taken.
    pub async fn probe<M: Message>(&self, name: impl Into<ActorName>) -> Result<Probe<M>, SpawnErr> {
        Probe::start(Some(name.into()), self.recorder.cell()).await
    }

    /// Starts an actor that only tells what it gets, in a process group.
    ///
    /// # Errors
    /// None that is known of.
    pub async fn probe_in<M: Message>(&self, group: impl Into<String>) -> Result<Probe<M>, SpawnErr> {
        let probe = Probe::start(None, self.recorder.cell()).await?;
        pg::join(group.into(), vec![probe.actor().get_cell()]);
        Ok(probe)
    }

    /// Stops an actor and waits until it has ended. What waits in its mailbox is not handled.
    pub async fn stop(&self, actor: &ActorCell) -> Event {
        actor.stop(None);
        self.end_of(actor).await
    }

    /// Lets this much time pass, and what is due in it happen. Without `start_paused` it really passes.
    pub async fn advance(&self, time: Duration) {
        tokio::time::sleep(time).await;
        // What fell due at the very end has its turn, and what follows from it.
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
    }

    /// The events of the actors of this host and its probes so far, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.recorder.events()
    }

    /// Waits for the end of an actor of this host.
    ///
    /// # Panics
    /// It goes on for ten seconds.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub async fn end_of(&self, actor: &ActorCell) -> Event {
        match tokio::time::timeout(PATIENCE, self.recorder.end_of(actor)).await {
            Ok(event) => event,
            Err(_) => panic!("{actor:?} has not ended; what was heard: {:?}", self.events()),
        }
    }
}

/// The state of an actor after its code was replaced by the same code.
///
/// # Errors
/// Its state can't be handed over.
#[cfg(feature = "reload")]
pub fn hand_over<A: Reload + Default>(state: &A::State) -> Result<A::State, ActorProcessingErr> {
    let bytes = A::default().snapshot(state)?;
    A::default().restore(&bytes)
}

/// The state of an actor after its code took over one of another version, given in the type that it had then.
///
/// # Errors
/// The actor doesn't know that version.
#[cfg(feature = "reload")]
pub fn migrated<A: Reload + Default, Old: serde::Serialize>(
    state_version: u32,
    old: &Old,
) -> Result<A::State, ActorProcessingErr> {
    let bytes = crate::native::reload::encode(old)?;
    A::default().migrate(OldState::new(state_version, &bytes))
}

impl Drop for TestHost {
    fn drop(&mut self) {
        self.recorder.cell().kill();
    }
}
