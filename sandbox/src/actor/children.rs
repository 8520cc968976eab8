//! What an instance asks of its own actor: to start children, and to stop when a timer says so.

use std::sync::Arc;

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
use crate::store::own_actor::{NotStarted, OwnActor};

/// A guest's actor, as its instances know it.
#[derive(Debug)]
pub(super) struct Parent {
    cell: ActorCell,
    commands: Arc<Commands>,
    profile: Arc<Profile>,
    modules: Modules,
    family: Family,
}

impl Parent {
    /// Of the actor with this handler.
    pub(super) fn new(cell: ActorCell, commands: Arc<Commands>, guest: &Guest) -> Self {
        Self {
            cell,
            commands,
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
