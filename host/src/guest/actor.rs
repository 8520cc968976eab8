//! The ractor actor around an instance.
//!
//! To ractor it is an actor with a remote id, so that it gets messages as bytes: see [`crate::directory`].

use std::sync::{Arc, Mutex, PoisonError};

use ractor::concurrency::JoinHandle;
use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, ActorRuntime, Message, pg};

use super::error::{GuestError, SpawnError};
use super::instance::Instance;
use super::limits::Limits;
use super::module::Module;
use super::state::{Label, Myself};
use super::text::tidy;
use crate::directory::{self, Hosted, NameTaken, PROBE_VARIANT};

/// How to start one guest.
#[derive(Debug, Clone)]
pub struct GuestOptions {
    /// The actor's name, unique among the actors of this process.
    pub name: Option<String>,
    /// What `pre-start` gets: the encoded start arguments.
    pub arguments: Vec<u8>,
    /// Process groups that the actor is in from the moment it has started.
    pub groups: Vec<String>,
    /// The full name of the node, `name@hostname`.
    pub node_name: Arc<str>,
    /// What the actor may take of the host.
    pub limits: Limits,
}

/// Starts an actor of this module under a supervisor. When this returns, the actor can be found and addressed.
///
/// # Errors
/// The name is taken or not allowed, the component could not be instantiated, or its `pre-start` failed.
pub async fn spawn(
    module: &Module,
    options: GuestOptions,
    supervisor: ActorCell,
) -> Result<(ActorCell, JoinHandle<()>), SpawnError> {
    let GuestOptions {
        name,
        arguments,
        groups,
        node_name,
        limits,
    } = options;
    check_names(name.as_deref(), &groups, &limits)?;
    let guest = Guest {
        module: module.clone(),
        node_name,
        limits,
        hosted: Mutex::new(None),
    };
    let start = Start { arguments, groups };
    let id = directory::reserve_hosted_id();
    ActorRuntime::<Guest>::spawn_linked_remote(name, guest, id, start, supervisor)
        .await
        .map(|(actor, handle)| (actor.get_cell(), handle))
        .map_err(SpawnError::from_ractor)
}

fn check_names(actor: Option<&str>, groups: &[String], limits: &Limits) -> Result<(), SpawnError> {
    let groups = groups.iter().map(|group| ("group", group.as_str()));
    let bad = actor
        .map(|name| ("actor", name))
        .into_iter()
        .chain(groups)
        .find(|(_, name)| name.is_empty() || name.len() > limits.name_bytes);
    if let Some((what, name)) = bad {
        return Err(SpawnError::BadName {
            what,
            name: tidy(name, limits.name_bytes).into_owned(),
            limit: limits.name_bytes,
        });
    }
    // The directory decides; but an actor that ends, even before it began, takes the native actor of its name out of
    // ractor's registry. So it must not be made at all when the name is taken.
    match actor {
        Some(name) if directory::where_is(name).is_some() => Err(NameTaken(name.to_owned()).into()),
        _ => Ok(()),
    }
}

/// The handler of a guest. Its life is the actor's, whatever ends it.
struct Guest {
    module: Module,
    node_name: Arc<str>,
    limits: Limits,
    /// The actor's entry in the directory. Not part of the state, which outlives the actor in its last supervision
    /// event.
    hosted: Mutex<Option<Hosted>>,
}

struct Start {
    arguments: Vec<u8>,
    groups: Vec<String>,
}

/// The instance. Whoever calls it takes it out and puts it back if it survives: after a trap, or when the call is
/// dropped halfway because the actor was killed, it is gone, and its memory with it.
struct Alive(Option<Box<Instance>>);

/// The message type of a guest. It has no value, because its messages stay bytes; it says that they can be bytes, so
/// that sessions advertise the actor.
enum Opaque {}

impl Message for Opaque {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        match self {}
    }
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Guest {
    type Msg = Opaque;
    type State = Alive;
    type Arguments = Start;

    async fn pre_start(&self, myself: ActorRef<Opaque>, start: Start) -> Result<Alive, ActorProcessingErr> {
        let cell = myself.get_cell();
        let hosted = directory::register_hosted(cell.clone()).map_err(SpawnError::from)?;
        let instance = self.start(&cell, &start).await.map_err(SpawnError::from)?;
        self.set_hosted(Some(hosted));
        for group in start.groups {
            pg::join(group, vec![cell.clone()]);
        }
        Ok(Alive(Some(Box::new(instance))))
    }

    async fn post_start(&self, _: ActorRef<Opaque>, alive: &mut Alive) -> Result<(), ActorProcessingErr> {
        let mut instance = alive.take()?;
        let outcome = instance.post_start().await;
        self.settle(alive, instance, outcome)
    }

    async fn handle_serialized(
        &self,
        _: ActorRef<Opaque>,
        message: SerializedMessage,
        alive: &mut Alive,
    ) -> Result<(), ActorProcessingErr> {
        let mut instance = alive.take()?;
        let outcome = handle(&mut instance, message).await;
        self.settle(alive, instance, outcome)
    }

    async fn post_stop(&self, _: ActorRef<Opaque>, alive: &mut Alive) -> Result<(), ActorProcessingErr> {
        let instance = alive.take()?;
        let outcome = instance.post_stop().await;
        self.set_hosted(None);
        Ok(outcome?)
    }
}

impl Guest {
    async fn start(&self, cell: &ActorCell, start: &Start) -> Result<Instance, GuestError> {
        let label = Label {
            name: cell.get_name().map_or_else(|| self.module.name().into(), Arc::from),
            pid: cell.get_id().pid(),
        };
        let myself = Myself {
            cell: cell.clone(),
            node_name: self.node_name.clone(),
        };
        let mut instance = Instance::new(&self.module, Some(myself), label, self.limits.clone()).await?;
        instance.pre_start(&start.arguments).await?;
        Ok(instance)
    }

    /// After a callback: the instance lives on, or the actor fails. Then it leaves the directory before its
    /// supervisor hears of it, who may want to start another under the same name.
    fn settle(
        &self,
        alive: &mut Alive,
        instance: Box<Instance>,
        outcome: Result<(), GuestError>,
    ) -> Result<(), ActorProcessingErr> {
        match outcome {
            Ok(()) => {
                alive.0 = Some(instance);
                Ok(())
            }
            Err(error) => {
                drop(instance);
                self.set_hosted(None);
                Err(error.into())
            }
        }
    }

    fn set_hosted(&self, hosted: Option<Hosted>) {
        let previous = std::mem::replace(&mut *self.hosted.lock().unwrap_or_else(PoisonError::into_inner), hosted);
        // Outside of the lock: it tells listeners.
        drop(previous);
    }
}

impl Alive {
    fn take(&mut self) -> Result<Box<Instance>, ActorProcessingErr> {
        self.0
            .take()
            .ok_or_else(|| "the instance is gone, but its actor was asked to go on".into())
    }
}

async fn handle(instance: &mut Instance, message: SerializedMessage) -> Result<(), GuestError> {
    match message {
        SerializedMessage::Cast {
            variant,
            args,
            metadata,
        } => {
            if fits(instance, &variant, &args) {
                instance.handle_cast(&variant, &args, metadata).await?;
            }
        }
        SerializedMessage::Call {
            variant,
            args,
            reply,
            metadata,
        } => {
            if variant == PROBE_VARIANT {
                // The cluster layer asks how far this actor has come; dropping the port tells it.
                return Ok(());
            }
            // If it doesn't fit, the reply port is dropped, and the caller hears at once.
            if fits(instance, &variant, &args) {
                instance.handle_call(&variant, &args, reply, metadata).await?;
            }
        }
        SerializedMessage::CallReply(..) => {
            let Label { name, pid } = instance.label();
            tracing::warn!(actor = &**name, pid, "a reply without a call was dropped");
        }
    }
    Ok(())
}

/// A message beyond the limit is dropped with a warning: copying it in could use up the guest's memory, and whoever
/// can send messages must not be able to end an actor by their size.
fn fits(instance: &Instance, variant: &str, args: &[u8]) -> bool {
    let (bytes, limit) = (variant.len().saturating_add(args.len()), instance.message_bytes());
    if bytes > limit {
        let Label { name, pid } = instance.label();
        tracing::warn!(
            actor = &**name,
            pid,
            bytes,
            limit,
            "a message larger than message_bytes was dropped"
        );
    }
    bytes <= limit
}
