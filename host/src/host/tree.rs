//! The tree of supervisors and actors that a configuration asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use ractor::{ActorCell, pg};

use super::error::HostError;
use super::native::{Natives, unknown};
use super::own_files;
use super::state_dir::StateDir;
use crate::config::{ActorSection, Code, EntitySection, NodeConfig, ROOT, SupervisorSection};
use crate::guest::{GuestOptions, Modules, Profile, ReservedNames, SpawnError};
use crate::supervision::{ChildSpec, NotStarted, Root, RootError, StartError, SupervisorSpec};

/// What the tree is made from besides the configuration.
pub(super) struct ActorTree<'a> {
    natives: Arc<Natives>,
    modules: &'a Modules,
    /// What all guests are given alike.
    profile: Profile,
    state: &'a StateDir,
}

impl<'a> ActorTree<'a> {
    /// With these natives and modules, the states that are kept, and the names that no guest may take.
    pub(super) fn new(
        config: &NodeConfig,
        natives: Arc<Natives>,
        modules: &'a Modules,
        state: &'a StateDir,
        reserved_names: Arc<ReservedNames>,
    ) -> Self {
        let profile = Profile {
            node_name: config.node.full_name().into(),
            guarded: Arc::new(own_files::guarded(config)),
            reserved_names,
            http_trust: config.runtime.http_roots.clone().unwrap_or_default(),
            ..Profile::default()
        };
        Self {
            natives,
            modules,
            profile,
            state,
        }
    }

    /// Starts everything, one after the other, so that an actor finds those above it.
    ///
    /// # Errors
    /// An actor does not start. Those before it were stopped again.
    pub(super) async fn start(&self, config: &NodeConfig) -> Result<Root, HostError> {
        let root = Root::start_with(self.root(config)?).await;
        root.map_err(|error| explain(error, &config.actors))
    }

    /// What each entity of a type is started with.
    pub(super) fn entity_options(&self, section: &EntitySection) -> GuestOptions {
        GuestOptions {
            arguments: section.actor.arguments.clone(),
            profile: self.profile(&section.actor),
            modules: self.modules.clone(),
            ..GuestOptions::default()
        }
    }

    /// The actors of one entry with these names, each as a child that stands by itself.
    ///
    /// # Errors
    /// The node doesn't have their code.
    pub(super) fn children(
        &self,
        config: &NodeConfig,
        section: &ActorSection,
        names: &[String],
    ) -> Result<Vec<ChildSpec>, HostError> {
        let profile = self.profile(section);
        let section = Arc::new(section.clone());
        let then = section.on_give_up(config.node.on_give_up);
        let child = |name: &String| Ok(self.actor(name, &section, &profile)?.on_give_up(then));
        names.iter().map(child).collect()
    }

    /// The children of a supervisor are in the order of the file. A supervisor is where the first actor below it is.
    fn root(&self, config: &NodeConfig) -> Result<SupervisorSpec, HostError> {
        let mut children: BTreeMap<&str, Vec<ChildPlace>> = BTreeMap::new();
        for (index, section) in config.actors.iter().enumerate() {
            let mut child = ChildPlace::Actors(index);
            let mut above = section.supervisor.as_str();
            // Up to where the supervisor has its place already.
            loop {
                let siblings = children.entry(above).or_default();
                let is_first = siblings.is_empty();
                siblings.push(child);
                match parent(&config.supervisors, above) {
                    Some((index, next)) if is_first => {
                        child = ChildPlace::Supervisor(index);
                        above = next;
                    }
                    _ => break,
                }
            }
        }
        self.supervisor(ROOT, config, &mut children)
    }

    fn supervisor(
        &self,
        name: &str,
        config: &NodeConfig,
        places: &mut BTreeMap<&str, Vec<ChildPlace>>,
    ) -> Result<SupervisorSpec, HostError> {
        let mut children = Vec::new();
        for place in places.remove(name).unwrap_or_default() {
            match place {
                ChildPlace::Actors(index) => {
                    let Some(section) = config.actors.get(index) else {
                        continue;
                    };
                    let section = Arc::new(section.clone());
                    let profile = self.profile(&section);
                    for actor in section.names() {
                        let child = self.actor(&actor, &section, &profile)?.in_batch(index);
                        children.push(child.on_give_up(section.on_give_up(config.node.on_give_up)));
                    }
                }
                ChildPlace::Supervisor(index) => {
                    if let Some(section) = config.supervisors.get(index) {
                        children.push(ChildSpec::supervisor(self.supervisor(&section.name, config, places)?));
                    }
                }
            }
        }
        let section = config.supervisors.iter().find(|section| section.name == name);
        Ok(SupervisorSpec {
            name: name.to_owned(),
            strategy: section.map(|section| section.strategy).unwrap_or_default(),
            intensity: section.map(|section| section.intensity).unwrap_or_default(),
            children,
        })
    }

    /// What the guests of one entry are given.
    fn profile(&self, section: &ActorSection) -> Arc<Profile> {
        Arc::new(Profile {
            limits: section.limits.clone(),
            grants: section.grants.clone(),
            config: section.config.clone(),
            reload_by_restart: section.reload_by_restart,
            ..self.profile.clone()
        })
    }

    fn actor(&self, actor: &str, section: &Arc<ActorSection>, profile: &Arc<Profile>) -> Result<ChildSpec, HostError> {
        match &section.code {
            Code::Native(native) => Ok(self.native(actor, native, section)),
            Code::Module(module) => self.guest(actor, module, section, profile),
        }
    }

    fn native(&self, actor: &str, native: &str, section: &Arc<ActorSection>) -> ChildSpec {
        let start = Arc::new(NativeStart {
            natives: self.natives.clone(),
            actor: actor.to_owned(),
            native: native.to_owned(),
            section: section.clone(),
        });
        ChildSpec::native(actor, section.restart, move |supervisor| {
            let start = start.clone();
            async move { start.start(supervisor).await.map_err(StartError::from) }
        })
    }

    fn guest(
        &self,
        actor: &str,
        module: &str,
        section: &ActorSection,
        profile: &Arc<Profile>,
    ) -> Result<ChildSpec, HostError> {
        let loaded = self.modules.find(module).ok_or_else(|| unknown(actor, section))?;
        let options = GuestOptions {
            checkpoints: self.state.checkpoints(section),
            name: Some(actor.to_owned()),
            arguments: section.arguments.clone(),
            groups: section.groups.clone(),
            profile: profile.clone(),
            modules: self.modules.clone(),
            ..GuestOptions::default()
        };
        Ok(ChildSpec::guest(loaded, options, section.restart))
    }
}

/// One child of a supervisor, by its place in the configuration.
#[derive(Clone, Copy)]
enum ChildPlace {
    /// All actors of one entry.
    Actors(usize),
    Supervisor(usize),
}

/// The place of a supervisor, and the name of the one above it. None for the root.
fn parent<'c>(supervisors: &'c [SupervisorSection], name: &str) -> Option<(usize, &'c str)> {
    let index = supervisors.iter().position(|section| section.name == name)?;
    Some((index, supervisors.get(index)?.supervisor.as_deref()?))
}

struct NativeStart {
    natives: Arc<Natives>,
    actor: String,
    native: String,
    section: Arc<ActorSection>,
}

impl NativeStart {
    async fn start(&self, supervisor: ActorCell) -> Result<ActorCell, HostError> {
        let Some(factory) = self.natives.actors.get(&self.native) else {
            return Err(unknown(&self.actor, &self.section));
        };
        let started = factory
            .spawn(self.actor.clone(), &self.section.arguments, supervisor)
            .await;
        let cell = started.map_err(|reason| HostError::Native {
            actor: self.actor.clone(),
            native: self.native.clone(),
            reason,
        })?;
        // At every start, because an actor leaves its groups when it ends.
        for group in &self.section.groups {
            pg::join(group.clone(), vec![cell.clone()]);
        }
        Ok(cell)
    }
}

/// What kept an actor from starting, in the words of the host.
fn explain(error: RootError, sections: &[ActorSection]) -> HostError {
    let RootError::Child(NotStarted { child, reason }) = error else {
        return error.into();
    };
    let reason = match reason.downcast::<HostError>() {
        Ok(error) => return *error,
        Err(reason) => reason,
    };
    let section = sections
        .iter()
        .find(|section| section.names().any(|name| name == child));
    match (reason.downcast::<SpawnError>(), section.map(|section| &section.code)) {
        (Ok(reason), Some(Code::Module(module))) => HostError::Guest {
            actor: child,
            module: module.clone(),
            reason,
        },
        (Ok(reason), _) => RootError::Child(NotStarted { child, reason }).into(),
        (Err(reason), _) => RootError::Child(NotStarted { child, reason }).into(),
    }
}
