//! Starting a guest.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use ractor::concurrency::JoinHandle;
use ractor::{ActorCell, ActorId, ActorRuntime};

use super::checkpoint::settings::Checkpoints;
use super::error::SpawnError;
use super::guest::Guest;
use super::guest_cell::{GuestCell, GuestRef};
use super::modules::Modules;
use crate::accounting::family::Family;
use crate::directory::{self, NameTaken};
use crate::entities::Seat;
use crate::instance::module::Module;
use crate::policy::limits::{Common, Limits};
use crate::policy::profile::Profile;
use crate::policy::restart::RestartPolicy;
use crate::policy::text::tidy;
use crate::store::groups::membership::{Group, Groups};

/// How to start one guest. `Debug` doesn't show the start arguments, which may be secret.
#[derive(Clone, Default)]
pub struct GuestOptions {
    /// The actor's name, unique among the actors of this process. The children that it spawns have names below it: `NAME/CHILD`, or
    /// `MODULE/CHILD` if it has none.
    pub name: Option<String>,
    /// What `pre-start` gets: the encoded start arguments.
    pub arguments: Vec<u8>,
    /// Process groups that the actor is in from the moment it has started.
    pub groups: Vec<String>,
    /// What the actor may do and may take.
    pub profile: Arc<Profile>,
    /// The modules of its node: of those that its grants name, it may start children.
    pub modules: Modules,
    /// When it is restarted in place.
    pub restarting: RestartPolicy,
    /// Where its state is kept, to be gone on from when it is started or restarted. Needs a name, and a module that exports
    /// the interface `reload`.
    pub checkpoints: Option<Checkpoints>,
    /// That the actor is an entity: its state is kept as that of entities is, and peers don't hear of it.
    pub seat: Option<Seat>,
}

impl fmt::Debug for GuestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            arguments,
            groups,
            profile,
            modules,
            restarting,
            checkpoints,
            seat,
        } = self;
        f.debug_struct("GuestOptions")
            .field("name", name)
            .field("arguments", &format_args!("({} bytes)", arguments.len()))
            .field("groups", groups)
            .field("profile", profile)
            .field("modules", modules)
            .field("restarting", restarting)
            .field("checkpoints", checkpoints)
            .field("seat", seat)
            .finish()
    }
}

/// A guest that was started. Dropping the handle leaves the actor running.
#[derive(Debug)]
pub struct GuestHandle {
    /// The actor.
    pub cell: ActorCell,
    /// Ends with the actor.
    pub ended: JoinHandle<()>,
    live: GuestRef,
}

impl GuestHandle {
    /// Replaces the instance by a fresh one, in place, before the next message; whatever the actor's own policy says. A
    /// message that is being handled is finished first.
    pub fn restart(&self, reason: impl Into<String>) {
        self.live.restart(reason);
    }

    /// The guest, to ask more of it than what every actor can do.
    pub fn live(&self) -> &GuestRef {
        &self.live
    }
}

/// Starts an actor of this module under a supervisor. When this returns, the actor can be found and addressed.
///
/// # Errors
/// The name is taken or not allowed, the component could not be instantiated, or its `pre-start` failed.
pub async fn spawn(module: &Module, options: GuestOptions, supervisor: ActorCell) -> Result<GuestHandle, SpawnError> {
    // Nobody's children are without a name in front of theirs.
    let name = options.name.as_deref().unwrap_or(module.name());
    let engine = module.engine();
    let family = Family::new(engine.guest_count(), engine.pools(), name, &options.profile.limits);
    spawn_as(directory::reserve_hosted_id(), module, options, supervisor, family).await
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
        modules,
        restarting,
        checkpoints,
        seat,
    } = options;
    // The name of an entity is its key, which has bounds of its own.
    let own_name = name.as_deref().filter(|_| seat.is_none());
    check_names(own_name, &groups, &profile.limits)?;
    let (told, life) = tokio::sync::oneshot::channel();
    let groups: Vec<_> = groups.into_iter().map(|group| Group::new(None, group)).collect();
    let guest = Guest {
        module: module.clone(),
        profile,
        modules,
        restarting,
        // Checkpoints are found by the actor's name; without one, actors of a module would share theirs.
        checkpoints: checkpoints.filter(|_| name.is_some() && seat.is_none()),
        seat,
        groups: Arc::new(Groups::new(groups.iter().cloned(), family.quota())?),
        _arguments_share: family.quota().share(Common::Memory, arguments.len())?,
        arguments,
        family,
        presence: Mutex::new(None),
    };
    let start = Start { groups, told };
    let (actor, ended) = ActorRuntime::<Guest>::spawn_linked_remote(name, guest, id, start, supervisor)
        .await
        .map_err(SpawnError::from_ractor)?;
    let life = life
        .await
        .map_err(|_| SpawnError::Runtime("it ended while it started".to_owned()))?;
    Ok(GuestHandle {
        cell: actor.get_cell(),
        ended,
        live: GuestRef(life),
    })
}

fn check_names(actor: Option<&str>, groups: &[String], limits: &Limits) -> Result<(), SpawnError> {
    // `actor@node` is how others find an actor of another node, which no actor of this one may stand for.
    let is_word =
        |name: &str| !name.contains(|each: char| each == '@' || each.is_whitespace() || directory::acts(each));
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

pub(super) struct Start {
    pub(super) groups: Vec<Group>,
    pub(super) told: tokio::sync::oneshot::Sender<Arc<GuestCell>>,
}
