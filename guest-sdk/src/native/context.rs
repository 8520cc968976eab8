//! What an actor finds around it besides other actors: config values and modules. They come from the process, and in a test from
//! its host; the actors that a host has started carry them along, and hand them on to their children.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use parking_lot::{Mutex, MutexGuard};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};

use crate::common::child::Child;

static PROCESS: LazyLock<Arc<Context>> = LazyLock::new(Arc::default);

tokio::task_local! {
    static CURRENT: Arc<Context>;
}

type Starting = Pin<Box<dyn Future<Output = Result<ActorCell, SpawnErr>> + Send>>;

/// How the actors of a module are started.
#[derive(Clone)]
pub(crate) struct Module {
    pub(crate) start: Arc<dyn Fn(ActorCell, Child, Arc<Context>) -> Starting + Send + Sync>,
    pub(crate) message: TypeId,
    pub(crate) message_name: &'static str,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Context {
    config: Mutex<BTreeMap<String, String>>,
    modules: Mutex<HashMap<String, Module>>,
    node_name: Mutex<Option<String>>,
}

impl Context {
    pub(crate) fn config(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.config.lock()
    }

    pub(crate) fn set_config(&self, key: String, value: String) {
        self.config().insert(key, value);
    }

    pub(crate) fn module(&self, name: &str) -> Option<Module> {
        self.modules().get(name).cloned()
    }

    pub(crate) fn set_module(&self, name: String, module: Module) {
        self.modules().insert(name, module);
    }

    pub(crate) fn node_name(&self) -> Option<String> {
        self.node_name.lock().clone()
    }

    #[cfg(feature = "testing")]
    pub(crate) fn set_node_name(&self, name: String) {
        *self.node_name.lock() = Some(name);
    }

    fn modules(&self) -> MutexGuard<'_, HashMap<String, Module>> {
        self.modules.lock()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("config", &self.config())
            .field("modules", &self.modules().keys())
            .finish()
    }
}

/// The context of every actor of this process.
pub(crate) fn process() -> &'static Arc<Context> {
    &PROCESS
}

/// The context of the running actor, if a test started it. It comes before that of the process.
pub(crate) fn current() -> Option<Arc<Context>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Looks something up in the actor's context, and then in that of the process.
pub(crate) fn look_up<T>(find: impl Fn(&Context) -> Option<T>) -> Option<T> {
    current().and_then(|context| find(&context)).or_else(|| find(process()))
}

/// An actor that finds a context around it. To others it is that actor.
#[derive(Debug)]
pub(crate) struct InContext<A> {
    pub(crate) actor: A,
    pub(crate) context: Arc<Context>,
}

impl<A> InContext<A> {
    async fn run<T>(&self, callback: impl Future<Output = T> + Send) -> T {
        CURRENT.scope(self.context.clone(), callback).await
    }
}

impl<A: Actor> Actor for InContext<A> {
    type Msg = A::Msg;
    type State = A::State;
    type Arguments = A::Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<A::Msg>,
        arguments: A::Arguments,
    ) -> Result<A::State, ActorProcessingErr> {
        self.run(self.actor.pre_start(myself, arguments)).await
    }

    async fn post_start(&self, myself: ActorRef<A::Msg>, state: &mut A::State) -> Result<(), ActorProcessingErr> {
        self.run(self.actor.post_start(myself, state)).await
    }

    async fn post_stop(&self, myself: ActorRef<A::Msg>, state: &mut A::State) -> Result<(), ActorProcessingErr> {
        self.run(self.actor.post_stop(myself, state)).await
    }

    async fn handle(
        &self,
        myself: ActorRef<A::Msg>,
        message: A::Msg,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.run(self.actor.handle(myself, message, state)).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<A::Msg>,
        event: SupervisionEvent,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.run(self.actor.handle_supervisor_evt(myself, event, state)).await
    }
}
