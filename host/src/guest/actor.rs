//! The ractor actor around an instance.
//!
//! To ractor it is an actor with a remote id, so that it gets messages as bytes: see [`crate::directory`].

use std::sync::{Arc, Mutex, PoisonError};

use ractor::concurrency::JoinHandle;
use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, ActorRuntime, Message, SupervisionEvent};
use tokio::time::Instant;

use super::error::{GuestError, SpawnError};
use super::events;
use super::family::Family;
use super::groups::{Group, Groups};
use super::instance::Instance;
use super::limits::{Limit, Limits};
use super::mailbox::{Command, Mailbox};
use super::module::Module;
use super::profile::Profile;
use super::restart::{Restarting, Verdict};
use super::state::{Label, Myself};
use super::strikes;
use super::text::tidy;
use crate::directory::{self, DESCRIBE_VARIANT, Hosted, NameTaken, PROBE_VARIANT};

/// How to start one guest.
#[derive(Debug, Clone, Default)]
pub struct GuestOptions {
    /// The actor's name, unique among the actors of this process.
    pub name: Option<String>,
    /// What `pre-start` gets: the encoded start arguments.
    pub arguments: Vec<u8>,
    /// Process groups that the actor is in from the moment it has started.
    pub groups: Vec<String>,
    /// What the actor may do and may take.
    pub profile: Arc<Profile>,
    /// When it is restarted in place.
    pub restarting: Restarting,
}

/// A guest that was started. Dropping the handle leaves the actor running.
#[derive(Debug)]
pub struct GuestHandle {
    /// The actor.
    pub cell: ActorCell,
    /// Ends with the actor.
    pub ended: JoinHandle<()>,
    mailbox: Arc<Mailbox>,
}

impl GuestHandle {
    /// Replaces the instance by a fresh one, in place, before the next message; whatever the actor's own policy says. A
    /// message that is being handled is finished first.
    pub fn restart(&self, reason: impl Into<String>) {
        self.mailbox.request(Command::Restart(reason.into()));
    }
}

/// Starts an actor of this module under a supervisor. When this returns, the actor can be found and addressed.
///
/// # Errors
/// The name is taken or not allowed, the component could not be instantiated, or its `pre-start` failed.
pub async fn spawn(module: &Module, options: GuestOptions, supervisor: ActorCell) -> Result<GuestHandle, SpawnError> {
    spawn_as(
        directory::reserve_hosted_id(),
        module,
        options,
        supervisor,
        Family::default(),
    )
    .await
}

/// As [`spawn`], with this id and as one of this family.
pub(super) async fn spawn_as(
    id: ActorId,
    module: &Module,
    options: GuestOptions,
    supervisor: ActorCell,
    family: Family,
) -> Result<GuestHandle, SpawnError> {
    let GuestOptions {
        name,
        arguments,
        groups,
        profile,
        restarting,
    } = options;
    check_names(name.as_deref(), &groups, &profile.limits)?;
    let (told, mailbox) = tokio::sync::oneshot::channel();
    let groups: Vec<_> = groups.into_iter().map(|group| Group::new(None, group)).collect();
    let guest = Guest {
        module: module.clone(),
        profile,
        arguments,
        restarting,
        groups: Arc::new(Groups::new(groups.iter().cloned())),
        family,
        presence: Mutex::new(None),
    };
    let start = Start { groups, told };
    let (actor, ended) = ActorRuntime::<Guest>::spawn_linked_remote(name, guest, id, start, supervisor)
        .await
        .map_err(SpawnError::from_ractor)?;
    let mailbox = mailbox
        .await
        .map_err(|_| SpawnError::Runtime("it ended while it started".to_owned()))?;
    Ok(GuestHandle {
        cell: actor.get_cell(),
        ended,
        mailbox,
    })
}

fn check_names(actor: Option<&str>, groups: &[String], limits: &Limits) -> Result<(), SpawnError> {
    // `actor@node` is how others find an actor of another node, which no actor of this one may stand for.
    let is_word = |name: &str| !name.contains(|each: char| each == '@' || each.is_whitespace() || each.is_control());
    let fits = |name: &str| (1..=limits.name_bytes).contains(&name.len());
    let bad_actor = actor
        .filter(|name| !fits(name) || !is_word(name))
        .map(|name| ("actor", name));
    let bad_group = groups
        .iter()
        .find(|group| !fits(group))
        .map(|group| ("group", group.as_str()));
    if let Some((what, name)) = bad_actor.or(bad_group) {
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
    profile: Arc<Profile>,
    arguments: Vec<u8>,
    restarting: Restarting,
    groups: Arc<Groups>,
    family: Family,
    /// Where the actor is found. Not part of the state, which outlives the actor in its last supervision event.
    presence: Mutex<Option<Presence>>,
}

/// The actor's entry in the directory and what waits for it. Both end with the actor.
struct Presence {
    _hosted: Hosted,
    mailbox: Arc<Mailbox>,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.mailbox.end();
    }
}

struct Start {
    groups: Vec<Group>,
    told: tokio::sync::oneshot::Sender<Arc<Mailbox>>,
}

/// The instance. Whoever calls it takes it out and puts it back if it survives: after a trap, or when the call is
/// dropped halfway because the actor was killed, it is gone, and its memory with it.
struct Alive {
    instance: Option<Box<Instance>>,
    mailbox: Arc<Mailbox>,
    label: Label,
}

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
        let label = self.label(&cell);
        let mailbox = Arc::new(Mailbox::new(cell.clone(), label.clone(), self.profile.limits.clone()));
        let hosted = directory::register_hosted(cell.clone(), mailbox.clone()).map_err(SpawnError::from)?;
        let presence = Presence {
            _hosted: hosted,
            mailbox: mailbox.clone(),
        };
        let instance = self
            .instantiate(&cell, &label, &mailbox)
            .await
            .map_err(SpawnError::from)?;
        self.set_presence(Some(presence));
        for group in start.groups {
            group.join(cell.clone());
        }
        // Whoever started the actor may have given up meanwhile.
        start.told.send(mailbox.clone()).ok();
        Ok(Alive {
            instance: Some(Box::new(instance)),
            mailbox,
            label,
        })
    }

    async fn post_start(&self, myself: ActorRef<Opaque>, alive: &mut Alive) -> Result<(), ActorProcessingErr> {
        let mut instance = alive.take()?;
        let outcome = instance.post_start().await;
        self.settle(&myself, alive, instance, outcome).await
    }

    async fn handle_serialized(
        &self,
        myself: ActorRef<Opaque>,
        message: SerializedMessage,
        alive: &mut Alive,
    ) -> Result<(), ActorProcessingErr> {
        while let Some(command) = alive.mailbox.command() {
            let goes_on = match command {
                Command::Restart(reason) => {
                    let Label { name, pid, .. } = &alive.label;
                    tracing::info!(actor = &**name, pid, reason, "restarting the actor");
                    self.renew(&myself, alive).await?;
                    true
                }
                Command::Stop => {
                    let instance = alive.take()?;
                    self.stop(&myself, alive, instance, None).await?
                }
            };
            if !goes_on {
                return Ok(());
            }
        }
        let message = match message {
            // A token: see `mailbox`.
            SerializedMessage::CallReply(..) => alive.mailbox.next(),
            message => Some(message),
        };
        let Some(message) = message else { return Ok(()) };
        let Some(message) = self.describe(message).await else {
            return Ok(());
        };
        let mut instance = alive.take()?;
        let is_cast = matches!(message, SerializedMessage::Cast { .. });
        let outcome = handle(&mut instance, message).await;
        if is_cast && outcome.is_err() {
            strikes::dead_letters(&alive.label, "failed", 1);
        }
        self.settle(&myself, alive, instance, outcome).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Opaque>,
        event: SupervisionEvent,
        alive: &mut Alive,
    ) -> Result<(), ActorProcessingErr> {
        let mut instance = alive.take()?;
        let hears = instance.hears(&event);
        let Some(event) = events::for_guest(event).filter(|_| hears) else {
            alive.instance = Some(instance);
            return Ok(());
        };
        let outcome = instance.handle_supervisor_evt(&event).await;
        self.settle(&myself, alive, instance, outcome).await
    }

    async fn post_stop(&self, _: ActorRef<Opaque>, alive: &mut Alive) -> Result<(), ActorProcessingErr> {
        let instance = alive.take()?;
        let outcome = instance.post_stop().await;
        self.set_presence(None);
        Ok(outcome?)
    }
}

impl Guest {
    fn label(&self, cell: &ActorCell) -> Label {
        let name = cell.get_name().map_or_else(|| self.module.name().into(), Arc::from);
        Label::new(name, cell.get_id().pid(), &self.profile.limits)
    }

    /// Answers the call that asks what the actor is, without its instance; any other message comes back.
    async fn describe(&self, message: SerializedMessage) -> Option<SerializedMessage> {
        match message {
            SerializedMessage::Call { variant, reply, .. } if variant == DESCRIBE_VARIANT => {
                if let Some(description) = self.module.description().await {
                    // The caller may have given up meanwhile, which is its own affair.
                    reply.send(description.to_vec()).ok();
                }
                None
            }
            message => Some(message),
        }
    }

    /// A fresh instance, up to and including its `pre-start`.
    async fn instantiate(
        &self,
        cell: &ActorCell,
        label: &Label,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Instance, GuestError> {
        let myself = Myself {
            cell: cell.clone(),
            profile: self.profile.clone(),
            mailbox: mailbox.clone(),
            groups: self.groups.clone(),
            family: self.family.clone(),
        };
        let limits = self.profile.limits.clone();
        let mut instance = Instance::new(&self.module, Some(myself), label.clone(), limits).await?;
        instance.pre_start(&self.arguments).await?;
        Ok(instance)
    }

    /// After a callback: the instance lives on, or is replaced, or the actor ends.
    async fn settle(
        &self,
        myself: &ActorRef<Opaque>,
        alive: &mut Alive,
        mut instance: Box<Instance>,
        outcome: Result<(), GuestError>,
    ) -> Result<(), ActorProcessingErr> {
        if let Err(error) = outcome {
            drop(instance);
            return self.recover(myself, alive, error).await;
        }
        let Some(reason) = instance.take_stopping() else {
            alive.instance = Some(instance);
            return Ok(());
        };
        self.stop(myself, alive, instance, reason).await.map(drop)
    }

    /// The guest has asked to stop. True if the actor goes on, with a fresh instance.
    async fn stop(
        &self,
        myself: &ActorRef<Opaque>,
        alive: &mut Alive,
        instance: Box<Instance>,
        reason: Option<String>,
    ) -> Result<bool, ActorProcessingErr> {
        match self.restarting.after_stop(Instant::now()) {
            Verdict::GiveUp => {
                alive.instance = Some(instance);
                myself.stop(reason);
                Ok(false)
            }
            Verdict::Restart { after, .. } => {
                let Label { name, pid, .. } = &alive.label;
                tracing::info!(
                    actor = &**name,
                    pid,
                    ?after,
                    reason,
                    "the actor stopped itself; it is restarted"
                );
                if !self.restarting.restarts.wait(after).await {
                    alive.instance = Some(instance);
                    myself.stop(reason);
                    return Ok(false);
                }
                if let Err(error) = instance.post_stop().await {
                    tracing::warn!(actor = &**name, pid, %error, "the actor failed while it stopped");
                }
                self.renew(myself, alive).await?;
                Ok(true)
            }
        }
    }

    /// After a failure: a fresh instance, or the actor fails.
    async fn recover(
        &self,
        myself: &ActorRef<Opaque>,
        alive: &mut Alive,
        mut error: GuestError,
    ) -> Result<(), ActorProcessingErr> {
        // What the failed instance supervised was its own affair; the next one knows nothing of it.
        end_children(myself);
        loop {
            let label = &alive.label;
            strikes::failure(label);
            let verdict = self.restarting.after_failure(Instant::now());
            if let Verdict::Restart { after, restart } = verdict {
                tracing::error!(actor = &*label.name, pid = label.pid, %error, restart, ?after, "the actor failed; it is restarted");
            }
            let goes_on = match verdict {
                Verdict::Restart { after, .. } => self.restarting.restarts.wait(after).await,
                Verdict::GiveUp => false,
            };
            if !goes_on {
                // The actor leaves the directory before its supervisor hears of it, who may want to start another under
                // the same name.
                self.set_presence(None);
                return Err(error.into());
            }
            match self.replace(myself, alive).await {
                Ok(()) => return Ok(()),
                Err(again) => error = again,
            }
        }
    }

    /// Goes on with a fresh instance, at once.
    async fn renew(&self, myself: &ActorRef<Opaque>, alive: &mut Alive) -> Result<(), ActorProcessingErr> {
        alive.instance = None;
        end_children(myself);
        match self.replace(myself, alive).await {
            Ok(()) => Ok(()),
            Err(error) => self.recover(myself, alive, error).await,
        }
    }

    async fn replace(&self, myself: &ActorRef<Opaque>, alive: &mut Alive) -> Result<(), GuestError> {
        let Alive { label, mailbox, .. } = alive;
        mailbox.forget_stop();
        let started = async {
            let mut instance = Box::new(self.instantiate(&myself.get_cell(), label, mailbox).await?);
            instance.post_start().await?;
            Ok(instance)
        };
        match started.await {
            Ok(instance) => {
                strikes::restart(label);
                self.restarting.restarts.restarted();
                alive.instance = Some(instance);
                Ok(())
            }
            Err(error) => {
                // It may have had children by then.
                end_children(myself);
                Err(error)
            }
        }
    }

    fn set_presence(&self, presence: Option<Presence>) {
        let previous = std::mem::replace(
            &mut *self.presence.lock().unwrap_or_else(PoisonError::into_inner),
            presence,
        );
        // Outside of the lock: it tells listeners.
        drop(previous);
    }
}

/// Ends the children of an actor whose instance is gone.
fn end_children(myself: &ActorRef<Opaque>) {
    for child in myself.get_children() {
        // It is not to hear of them: the next instance never had these children.
        child.unlink(myself.get_cell());
        child.kill();
    }
}

impl Alive {
    fn take(&mut self) -> Result<Box<Instance>, ActorProcessingErr> {
        self.instance
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
        // A token, which was exchanged for a message before.
        SerializedMessage::CallReply(..) => {}
    }
    Ok(())
}

/// A message beyond the limit is dropped with a warning: copying it in could use up the guest's memory, and whoever
/// can send messages must not be able to end an actor by their size.
fn fits(instance: &Instance, variant: &str, args: &[u8]) -> bool {
    let (bytes, limit) = (
        variant.len().saturating_add(args.len()),
        instance.limits().message_bytes,
    );
    if bytes > limit {
        strikes::limit(instance.label(), Limit::MessageBytes(limit));
        strikes::dead_letters(instance.label(), "message_bytes", 1);
    }
    bytes <= limit
}
