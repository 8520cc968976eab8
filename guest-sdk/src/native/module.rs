//! Children: actors that another starts and supervises, by the name of their module.
//!
//! In a guest the modules are those of node.toml. Natively they are what the process [`register`]s.

use std::any::{TypeId, type_name};
use std::sync::Arc;

use ractor::{Actor, ActorCell, ActorRef, BytesConvertable, Message, SpawnErr};

pub use crate::common::child::{Child, Restart, SpawnError};
use crate::native::context::{self, InContext, Module};
use crate::native::restarting::Restarting;

/// How actors are started that are made like this.
pub(crate) fn made_by<A>(make: impl Fn() -> A + Send + Sync + 'static) -> Module
where
    A: Actor,
    A::Arguments: BytesConvertable,
{
    let make = Arc::new(make);
    Module {
        start: Arc::new(move |parent, child, context| {
            let name = child.name.clone();
            let make = make.clone();
            let actor = Restarting::new(move || make(), child);
            let actor = InContext { actor, context };
            Box::pin(async move {
                let (child, _) = Actor::spawn_linked(name, actor, (), parent).await?;
                Ok(child.get_cell())
            })
        }),
        message: TypeId::of::<A::Msg>(),
        message_name: type_name::<A::Msg>(),
    }
}

/// Makes actors known under the name of a module, to every actor of this process. Takes the place of what had the name.
/// Only natively: a guest's modules are those of node.toml.
///
/// ```
/// # use ractor_guest as ractor;
/// # use ractor::{Actor, ActorProcessingErr, ActorRef};
/// # #[derive(Default)]
/// # struct Worker;
/// # impl Actor for Worker {
/// #     type Msg = ();
/// #     type State = ();
/// #     type Arguments = ();
/// #     async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> { Ok(()) }
/// # }
/// ractor::module::register("worker", Worker::default);
/// ```
pub fn register<A>(module: impl Into<String>, make: impl Fn() -> A + Send + Sync + 'static)
where
    A: Actor,
    A::Arguments: BytesConvertable,
{
    context::process().set_module(module.into(), made_by(make));
}

/// Starts a child of an actor, which supervises it. The child is there when this returns, and ends when its parent ends.
/// Its end is heard in `handle_supervisor_evt`.
///
/// # Errors
/// There is no child, and why: natively also if the actors of that module don't handle `TMessage`.
pub async fn spawn<TMessage: Message>(parent: &ActorCell, child: Child) -> Result<ActorRef<TMessage>, SpawnError> {
    let Some(module) = context::look_up(|context| context.module(&child.module)) else {
        return Err(SpawnError::UnknownModule(child.module));
    };
    if module.message != TypeId::of::<TMessage>() {
        return Err(SpawnError::Failed(format!(
            "actors of the module `{}` handle {}, not {}",
            child.module,
            module.message_name,
            type_name::<TMessage>()
        )));
    }
    // Handed on explicitly: the child runs in a task of its own, which inherits no task-local value.
    let context = context::current().unwrap_or_else(|| context::process().clone());
    match (module.start)(parent.clone(), child, context).await {
        Ok(child) => Ok(child.into()),
        Err(SpawnErr::ActorAlreadyRegistered(name)) => Err(SpawnError::NameTaken(name)),
        Err(SpawnErr::StartupFailed(error)) => Err(SpawnError::Failed(error.to_string())),
        Err(error @ SpawnErr::ActorAlreadyStarted) => Err(SpawnError::Failed(error.to_string())),
    }
}
