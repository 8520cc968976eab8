//! The entities of a node: their types, as node.toml has them, over the store in its state directory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::cluster;
use super::error::{HostError, startup_reason};
use super::lately::milliseconds;
use super::native::{Natives, unknown};
use super::ownership::{Clustered, JoinedMembership};
use super::show::since_1970;
use super::state_dir::StateDir;
use super::stopping::DRAIN;
use super::tree::ActorTree;
use crate::config::{Code, EntitySection, EntryPart, LateProblems, NodeConfig, RuntimeSection, did_you_mean};
use crate::control::{ActorKind, ClusterRow, EntityTypeRow, ListedEntities, ReminderRow, WriterRow};
use crate::directory;
use crate::entities::{
    ActivationLimits, Cluster, Durability, Entities, Entity, EntityCode, EntityKey, EntityStore, EntityType,
    MemoryStore, Reminder, TypeFigures, is_reached,
};
use crate::entity_store::EntityDatabase;
use crate::guest::{Contract, GuestEntities, Modules};
use crate::postgres::Store;

/// The time that entities have at least to handle what they were sent when the host stops, however long the other actors took.
const SHORTEST_DRAIN: Duration = Duration::from_secs(5);

/// What the actor above all entities is called, for whoever looks at the actors of the node.
const SUPERVISOR: &str = "ractor-host.entities";

/// See the module. Clones are the same; a node whose file has none has nothing of it.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeEntities(Option<Arc<Parts>>);

#[derive(Debug)]
struct Parts {
    runtime: Entities,
    /// The other nodes, if the file names their store.
    cluster: Option<(Arc<Cluster>, Store, JoinedMembership)>,
    /// None if no type keeps states.
    database: Option<Arc<EntityDatabase>>,
    types: BTreeMap<EntityType, EntitySection>,
}

impl NodeEntities {
    /// Takes messages for the entities of the file from now on. Those that are always active come to life.
    ///
    /// # Errors
    /// A type of the file is taken by another host in this process, or the node doesn't have its code.
    pub(super) async fn start(
        config: &NodeConfig,
        natives: &Natives,
        (modules, tree, state): (&Modules, &ActorTree<'_>, &StateDir),
    ) -> Result<Self, HostError> {
        if config.entities.is_empty() && config.cluster.is_none() {
            return Ok(Self::default());
        }
        let database = state.entities.clone();
        let membership = JoinedMembership::default();
        let tables = config.cluster.as_ref().map(cluster::store);
        let store: Arc<dyn EntityStore> = match (&tables, &database) {
            (Some(tables), _) => Arc::new(membership.clone().states(tables.clone())),
            (None, Some(database)) => database.clone(),
            // No type of the file keeps states.
            (None, None) => Arc::new(MemoryStore::default()),
        };
        // Of several hosts in one process the first has the name.
        let name = directory::where_is(SUPERVISOR).is_none().then(|| SUPERVISOR.to_owned());
        let limits = activation_limits(&config.runtime);
        let started = if config.cluster.is_some() {
            let started = Entities::start_in_cluster(name, store, limits).await;
            started.map(|(runtime, cluster)| (runtime, Some(cluster)))
        } else {
            let started = Entities::start_as(name, store, limits).await;
            started.map(|runtime| (runtime, None))
        };
        let (runtime, cluster) = started.map_err(|error| HostError::Entities(startup_reason(&error)))?;
        for section in &config.entities {
            let code = match code(section, natives, modules, tree) {
                Ok(code) => code,
                Err(error) => {
                    runtime.stop(Duration::ZERO).await;
                    return Err(error);
                }
            };
            if let Err(taken) = runtime.add(section.entity_type.clone(), section.settings(), code) {
                runtime.stop(Duration::ZERO).await;
                return Err(HostError::Entities(taken.to_string()));
            }
        }
        if let Err(error) = runtime.admit_peers().await {
            runtime.stop(Duration::ZERO).await;
            return Err(HostError::Entities(startup_reason(&error)));
        }
        if cluster.is_none() {
            runtime.remind();
        }
        let types = config.entities.iter();
        Ok(Self(Some(Arc::new(Parts {
            runtime,
            cluster: cluster.zip(tables).map(|(cluster, store)| (cluster, store, membership)),
            database,
            types: types
                .map(|section| (section.entity_type.clone(), section.clone()))
                .collect(),
        }))))
    }

    /// What was written of its entities, if it has any.
    pub(super) fn writer(&self) -> Option<WriterRow> {
        let figures = self.0.as_ref()?.runtime.writer_figures();
        Some(WriterRow {
            commits: figures.commits,
            failed_commits: figures.failed,
            written: figures.writes,
            bytes: figures.bytes,
            refused: figures.refused,
            given_up: figures.given_up,
        })
    }

    /// Why the node isn't part of its cluster yet. None if it is, or has none.
    pub(super) fn not_joined(&self) -> Option<String> {
        let (_, _, membership) = self.0.as_ref()?.cluster.as_ref()?;
        membership.not_joined()
    }

    /// What the node knows of its cluster, if it is in one.
    pub(super) fn cluster(&self) -> Option<ClusterRow> {
        let (cluster, _, membership) = self.0.as_ref()?.cluster.as_ref()?;
        let figures = cluster.figures();
        let (nodes, store_answers) = membership.seen();
        Some(ClusterRow {
            nodes,
            store_answers,
            not_joined: membership.not_joined(),
            sent: figures.sent,
            lost: figures.lost,
            unowned: figures.unowned,
            taken: figures.taken,
            refused: figures.refused,
            kept_bytes: figures.kept_bytes as u64,
        })
    }

    /// What the cluster of the node has to know, if it has one.
    pub(super) fn clustered(&self) -> Option<Clustered> {
        let parts = self.0.as_ref()?;
        let (cluster, store, membership) = parts.cluster.clone()?;
        Some(Clustered {
            runtime: parts.runtime.clone(),
            cluster,
            store,
            membership,
            types: parts.types.values().cloned().collect(),
        })
    }

    /// Ends all entities, each once it has handled what it has and its state is written. The others took `spent` of the time for that.
    /// Gives those that had to be killed and keep states, by name.
    pub(super) async fn stop(&self, spent: Duration) -> Vec<String> {
        let Some(parts) = &self.0 else { return Vec::new() };
        let left = parts
            .runtime
            .stop(DRAIN.saturating_sub(spent).max(SHORTEST_DRAIN))
            .await;
        let keeps_states = |entity: &Entity| {
            let section = parts.types.get(&entity.entity_type);
            section.is_some_and(|section| section.durability != Durability::None)
        };
        let unkept = left.into_iter().filter(keeps_states);
        unkept.map(|entity| entity.to_string()).collect()
    }

    /// What the code of an entity says of itself, whether the entity is active or not.
    ///
    /// # Errors
    /// It says nothing of itself.
    pub(super) async fn contract(&self, of: &EntityType, modules: &Modules) -> Result<Contract, String> {
        let section = self.0.as_ref().and_then(|parts| parts.types.get(of));
        let module = match section.map(|section| section.code()) {
            Some(Code::Module(module)) => modules.find(module),
            Some(Code::Native(_)) => return Err("native entities do not describe themselves".to_owned()),
            None => None,
        };
        let contract = match module {
            Some(module) => module.contract().await,
            None => None,
        };
        contract.ok_or_else(|| "the entity does not describe itself".to_owned())
    }

    /// What the types have done.
    ///
    /// # Errors
    /// The store can't be read.
    pub(super) async fn rows(&self) -> Result<Vec<EntityTypeRow>, String> {
        let Some(parts) = self.0.clone() else {
            return Ok(Vec::new());
        };
        // Of each type the store is asked how many states there are.
        let read = tokio::task::spawn_blocking(move || parts.rows()).await;
        read.unwrap_or_else(|ended| Err(ended.to_string()))
    }

    /// The same without the states: what takes no look into the store.
    pub(super) fn figures(&self) -> Vec<EntityTypeRow> {
        let Some(parts) = &self.0 else { return Vec::new() };
        let figures = parts.runtime.figures().into_iter();
        let rows = figures.filter_map(|(of, figures)| Some(row(parts.types.get(&of)?, figures, None)));
        rows.collect()
    }

    /// At most so many entities of a type that have states, after this one.
    ///
    /// # Errors
    /// There is no such type, or the store can't be read.
    pub(super) async fn listed(&self, of: &str, after: Option<&str>, most: u32) -> Result<ListedEntities, String> {
        let (parts, of) = self.of_type(of)?;
        let after = after.map(|after| key_of(&of, after)).transpose()?;
        let most = most as usize;
        let keys = parts.runtime.keys(of.clone(), after, most.saturating_add(1)).await;
        let keys = keys.map_err(|error| error.to_string())?;
        let more = keys.len() > most;
        let entities = keys.into_iter().take(most).map(|key| Entity {
            entity_type: of.clone(),
            key,
        });
        let entities = entities.map(|entity| entity.to_string()).collect();
        Ok(ListedEntities { entities, more })
    }

    /// What the entities of a type are made of.
    pub(super) fn kind(&self, of: &EntityType) -> ActorKind {
        let section = self.0.as_ref().and_then(|parts| parts.types.get(of));
        match section.map(EntitySection::code) {
            Some(Code::Module(_)) => ActorKind::Guest,
            Some(Code::Native(_)) | None => ActorKind::Native,
        }
    }

    /// The reminders of an entity, as they are written. None of one that this node knows nothing of.
    ///
    /// # Errors
    /// The store can't be read.
    pub(super) async fn reminders(&self, entity: &Entity) -> Result<Vec<ReminderRow>, String> {
        let Some(parts) = self
            .0
            .as_ref()
            .filter(|parts| parts.types.contains_key(&entity.entity_type))
        else {
            return Ok(Vec::new());
        };
        let read = parts.runtime.reminders(entity).await;
        let row = |one: Reminder| ReminderRow {
            id: one.id,
            message: one.variant,
            due_ms: one.due.map(since_1970),
            period_ms: one.period.map(milliseconds),
            given_up_ms: one.given_up.map(since_1970),
        };
        read.map(|all| all.into_iter().map(row).collect())
            .map_err(|error| error.to_string())
    }

    /// Gives up the state of an entity.
    ///
    /// # Errors
    /// There is no such type, or the store can't be written.
    pub(super) async fn delete(&self, entity: &str) -> Result<String, String> {
        let entity: Entity = entity.parse().map_err(|error| format!("{entity:?}: {error}"))?;
        let (parts, _) = self.of_type(entity.entity_type.name())?;
        parts.runtime.delete(&entity).await.map_err(|error| error.to_string())?;
        tracing::info!(%entity, "the state of the entity is given up, as an operator has asked");
        Ok(entity.to_string())
    }

    fn of_type(&self, name: &str) -> Result<(&Parts, EntityType), String> {
        let of = EntityType::new(name).map_err(|error| error.to_string())?;
        match &self.0 {
            Some(parts) if parts.types.contains_key(&of) || is_reached(&of) => Ok((parts, of)),
            _ => Err(match did_you_mean(name, self.names()) {
                Some(question) => format!("this node has no entities of the type `{name}`; {question}"),
                None => {
                    format!("this node has no entities of the type `{name}`; `ractor-host entities` lists its types")
                }
            }),
        }
    }

    /// The types, by name.
    pub(super) fn names(&self) -> Vec<&str> {
        let parts = self.0.iter();
        parts
            .flat_map(|parts| parts.types.keys().map(EntityType::name))
            .collect()
    }
}

/// The key of an entity of this type.
fn key_of(of: &EntityType, written: &str) -> Result<EntityKey, String> {
    let entity: Entity = written.parse().map_err(|error| format!("{written:?}: {error}"))?;
    if entity.entity_type != *of {
        return Err(format!("{written} is none of the entities of the type `{}`", of.name()));
    }
    Ok(entity.key)
}

impl Parts {
    fn rows(&self) -> Result<Vec<EntityTypeRow>, String> {
        let figures = self.runtime.figures().into_iter();
        let rows = figures.filter_map(|(of, figures)| Some((self.types.get(&of)?, figures)));
        rows.map(|(section, figures)| {
            let states = match &self.database {
                Some(database) if section.durability != Durability::None => Some(
                    database
                        .count(&section.entity_type)
                        .map_err(|error| error.to_string())?,
                ),
                _ => None,
            };
            Ok(row(section, figures, states))
        })
        .collect()
    }
}

/// How many entities may be activated.
fn activation_limits(runtime: &RuntimeSection) -> ActivationLimits {
    let defaults = ActivationLimits::default();
    ActivationLimits {
        at_once: runtime
            .activations_at_once
            .map_or(defaults.at_once, |most| most as usize),
        a_second: runtime.activations_per_second.unwrap_or(defaults.a_second),
        ..defaults
    }
}

/// What a type is, and what it has done.
fn row(section: &EntitySection, figures: TypeFigures, states: Option<u64>) -> EntityTypeRow {
    let (module, native) = match section.code() {
        Code::Module(module) => (Some(module.clone()), None),
        Code::Native(native) => (None, Some(native.clone())),
    };
    EntityTypeRow {
        entity_type: section.entity_type.name().to_owned(),
        module,
        native,
        durability: section.durability_name().into_owned(),
        active: figures.active as u64,
        waiting: figures.waiting as u64,
        activations: figures.activations,
        failed_activations: figures.failed_activations,
        passivations: figures.passivations,
        crashes: figures.crashes,
        dead_letters: figures.dead_letters,
        repeated_calls: figures.answered_again,
        last_error: figures.last_error.map(|error| error.to_string()),
        reminders_fired: figures.reminders.fired,
        reminders_failed: figures.reminders.failed,
        reminders_given_up: figures.reminders.given_up,
        states,
    }
}

/// What the entities of a type are made of.
fn code(
    section: &EntitySection,
    natives: &Natives,
    modules: &Modules,
    tree: &ActorTree<'_>,
) -> Result<Arc<dyn EntityCode>, HostError> {
    let no_code = || unknown(&section.actor.name, &section.actor);
    match section.code() {
        Code::Native(native) => natives.entities.get(native).cloned().ok_or_else(no_code),
        Code::Module(module) => {
            modules.find(module).ok_or_else(no_code)?;
            Ok(Arc::new(GuestEntities::new(module, tree.entity_options(section))))
        }
    }
}

/// Whether the states of a type can be kept.
pub(super) fn check(section: &EntitySection, modules: &Modules, problems: &mut LateProblems<'_>) {
    let Code::Module(name) = section.code() else { return };
    let Some(module) = modules.find(name) else { return };
    if section.durability == Durability::None || module.is_reloadable() {
        return;
    }
    let message = format!(
        "the states of `{}` are to be kept (`durability = \"{}\"`), and module `{name}` does not export the interface `reload`, which gives \
         them",
        section.actor.name,
        section.durability_name(),
    );
    problems.of_actor(
        &section.actor.name,
        EntryPart::Durability,
        message,
        "write `durability = \"none\"`, or export `reload`",
    );
}
