//! What an instance asks of its own actor: to start children, to stop when a timer says so, and to look for what has arrived.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ractor::{ActorCell, ActorId};

use super::commands::{Command, Commands};
use super::error::SpawnError;
use super::guest::Guest;
use super::modules::Modules;
use super::spawn::{GuestOptions, spawn_as};
use crate::accounting::family::Family;
use crate::component::bindings::lifecycle::{Child, Restart as Restarted};
use crate::directory::BoxFuture;
use crate::policy::profile::Profile;
use crate::policy::restart::{RestartIntensity, RestartPolicy, RestartType};
use crate::store::mailbox::Mailbox;
use crate::store::own_actor::{NotStarted, OwnActor};

/// A guest's actor, as its instances know it.
#[derive(Debug)]
pub(super) struct Parent {
    cell: ActorCell,
    commands: Arc<Commands>,
    mailbox: Arc<Mailbox>,
    /// The last token that was given out. An actor would need centuries to reach 2^53.
    last_token: AtomicU64,
    profile: Arc<Profile>,
    modules: Modules,
    family: Family,
}

impl Parent {
    /// Of the actor with this handler.
    pub(super) fn new(cell: ActorCell, commands: Arc<Commands>, mailbox: Arc<Mailbox>, guest: &Guest) -> Self {
        Self {
            cell,
            commands,
            mailbox,
            last_token: AtomicU64::new(0),
            profile: guest.profile.clone(),
            modules: guest.modules.clone(),
            family: guest.family.clone(),
        }
    }
}

impl OwnActor for Parent {
    fn stop_is_due(&self) {
        self.commands.request(Command::StopDue);
    }

    fn look_for_arrivals(&self) {
        // An actor that drains takes no token. It looks by itself, as it ends.
        self.mailbox.arrived();
    }

    fn next_token(&self) -> u64 {
        // Only the number counts, and nothing is ordered by it.
        self.last_token.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn has_commands(&self) -> bool {
        self.commands.are_pending()
    }

    fn knows_module(&self, module: &str) -> bool {
        self.modules.find(module).is_some()
    }

    fn start_child(&self, id: ActorId, child: Child) -> BoxFuture<'static, Result<(), NotStarted>> {
        let found = self.modules.find(&child.module);
        let restarting = RestartPolicy::new(child.restart.into(), RestartIntensity::default());
        let options = GuestOptions {
            seat: None,
            name: child.name,
            arguments: child.arguments,
            groups: child.groups,
            profile: self.profile.clone(),
            modules: self.modules.clone(),
            restarting,
            checkpoints: None,
        };
        let (supervisor, family) = (self.cell.clone(), self.family.of_child());
        Box::pin(async move {
            let module = found.ok_or(NotStarted::UnknownModule)?;
            spawn_as(id, &module, options, supervisor, family).await?;
            Ok(())
        })
    }
}

impl From<SpawnError> for NotStarted {
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::NameTaken(taken) => Self::NameTaken(taken),
            SpawnError::Limit(limit) => Self::Limit(limit),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<Restarted> for RestartType {
    fn from(restart: Restarted) -> Self {
        match restart {
            Restarted::Temporary => Self::Temporary,
            Restarted::Transient => Self::Transient,
            Restarted::Permanent => Self::Permanent,
        }
    }
}
