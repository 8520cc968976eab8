//! Steering the actors of a node: finding out who is meant, and having it done by whoever is responsible.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures_util::future::join_all;
use ractor::registry::get_all_pids;
use ractor::{ActorCell, ActorId, ActorStatus, pg};

use crate::config::did_you_mean;
use crate::control::{CONTROL, Steer, SteeredActor, Target};
use crate::directory;
use crate::entities::{self, Entity, Location};
use crate::guest::{GuestRef, Modules};
use crate::supervision::{SteerAction, SteeredChild, Steering, is_supervisor};

/// The longest that an answer waits for an actor to be as it was ordered. A supervisor kills one that doesn't stop well before.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time that an actor outside of node.toml has to stop before it is killed.
const STOP: Duration = Duration::from_secs(5);

/// The most names of members in an error.
const NAMED: usize = 5;

/// One of those that are meant.
enum Aim {
    /// A child of a supervisor of node.toml.
    Child(String, SteeredChild),
    /// Any other actor: a child of a guest, or one that a program has linked to a supervisor.
    Other(ActorCell, Option<GuestRef>),
    /// An entity that is active.
    Entity(Entity, ActorCell),
}

/// Does it with all that are meant, at the same time: one that takes its time holds up none of the others.
///
/// # Errors
/// Nobody is meant, or more than one without leave for that. Nothing is done then.
pub(super) async fn steer(steering: &Steering, modules: &Modules, steer: &Steer) -> Result<Vec<SteeredActor>, String> {
    let aims = aims(steering, modules, &steer.target)?;
    if let (false, [first, _, ..]) = (steer.all, &aims[..]) {
        let named = aims.iter().take(NAMED).map(Aim::label).collect::<Vec<_>>().join(", ");
        return Err(format!(
            "{} has {} members here ({named}{}): say `--all` if you mean all of them, or name one, such as {}",
            steer.target,
            aims.len(),
            if aims.len() > NAMED { ", …" } else { "" },
            first.label(),
        ));
    }
    Ok(join_all(aims.into_iter().map(|aim| aim.steer(steer.action))).await)
}

fn aims(steering: &Steering, modules: &Modules, target: &Target) -> Result<Vec<Aim>, String> {
    match target {
        Target::Name(name) => {
            if let Some(child) = steering.find(name) {
                return Ok(vec![Aim::Child(name.clone(), child)]);
            }
            match directory::where_is(name) {
                Some(cell) => Ok(vec![aim(steering, &by_id(modules), cell)?]),
                None => Err(unknown("actor", name, names(steering, modules))),
            }
        }
        Target::Group(group) => {
            let members = pg::get_members(group).into_iter();
            let mut ours: Vec<ActorCell> = members.filter(|member| directory::is_ours(member.get_id())).collect();
            ours.sort_by_key(|cell| cell.get_id().pid());
            if ours.is_empty() {
                return Err(unknown("member of a group", group, pg::which_groups()));
            }
            let guests = by_id(modules);
            ours.into_iter().map(|cell| aim(steering, &guests, cell)).collect()
        }
        Target::Entity(entity) => match entities::active(entity) {
            Some(cell) => Ok(vec![Aim::Entity(entity.clone(), cell)]),
            None if entities::is_reached(&entity.entity_type) => Err(match entities::located(entity) {
                Some(Location::Node(node)) => is_of(entity, &node),
                _ => format!("{entity} is not active: its next message activates it"),
            }),
            None => Err(format!(
                "there are no entities of the type `{}` here",
                entity.entity_type.name()
            )),
        },
        Target::EntityAt(..) => Err(elsewhere(target)),
        Target::Pid(pid) => {
            let all = guests(modules).map(|guest| guest.cell().clone()).chain(get_all_pids());
            let found = all.into_iter().find(|cell| cell.get_id().pid() == *pid);
            let cell = found.ok_or_else(|| {
                format!("no actor here has the pid {pid}; `ractor-host ps` shows those that there are")
            })?;
            Ok(vec![aim(steering, &by_id(modules), cell)?])
        }
    }
}

/// The names of the actors that are meant.
///
/// # Errors
/// Nobody is meant.
pub(super) fn names_of(steering: &Steering, modules: &Modules, target: &Target) -> Result<BTreeSet<String>, String> {
    // The control actor of the node may not be steered, but has lines as everybody has.
    if let Target::Name(name) = target
        && directory::where_is(name).is_some()
    {
        return Ok(BTreeSet::from([name.clone()]));
    }
    let aims = aims(steering, modules, target)?;
    Ok(aims.iter().map(Aim::label).collect())
}

fn guests(modules: &Modules) -> impl Iterator<Item = GuestRef> {
    modules.all_guests().into_iter()
}

/// The same by what they are known by: a group may have very many.
fn by_id(modules: &Modules) -> HashMap<ActorId, GuestRef> {
    guests(modules).map(|guest| (guest.cell().get_id(), guest)).collect()
}

fn names(steering: &Steering, modules: &Modules) -> Vec<String> {
    let children = steering.names().into_iter().map(|name| name.to_string());
    children
        .chain(guests(modules).filter_map(|guest| guest.name()))
        .collect()
}

/// What is done to an entity is asked of its own node.
fn elsewhere(target: &Target) -> String {
    format!("{target}: ask the node itself that has the entity, and leave out what is behind the `@`")
}

fn unknown(what: &str, name: &str, known: Vec<String>) -> String {
    match did_you_mean(name, known.iter().map(String::as_str)) {
        Some(question) => format!("there is no {what} `{name}` here; {question}"),
        None => {
            format!("there is no {what} `{name}` here; `ractor-host ps` and `ractor-host groups` show what there is")
        }
    }
}

/// Who is responsible for this actor.
///
/// # Errors
/// The node is made of it.
fn aim(steering: &Steering, guests: &HashMap<ActorId, GuestRef>, cell: ActorCell) -> Result<Aim, String> {
    let name = cell.get_name();
    if let Some(entity) = name.as_ref().and_then(|name| name.parse().ok())
        && entities::active(&entity).is_some_and(|active| active.get_id() == cell.get_id())
    {
        return Ok(Aim::Entity(entity, cell));
    }
    if let Some(name) = &name
        && let Some(child) = steering.find(name)
    {
        return Ok(Aim::Child(name.clone(), child));
    }
    let guest = guests.get(&cell.get_id()).cloned();
    // What stands for a type of entities is no entity.
    let is_named = name.is_some_and(|name| name == CONTROL || Entity::is_written_so(&name));
    let is_own = is_named || is_supervisor(&cell) || !cell.supports_remoting();
    if guest.is_none() && is_own {
        return Err(format!(
            "pid:{} is a part of the node itself or private to its program, and is not steered; a supervisor is steered by its name",
            cell.get_id().pid()
        ));
    }
    Ok(Aim::Other(cell, guest))
}

impl Aim {
    fn label(&self) -> String {
        match self {
            Self::Child(name, _) => name.clone(),
            Self::Entity(entity, _) => entity.to_string(),
            Self::Other(cell, _) => cell
                .get_name()
                .unwrap_or_else(|| format!("pid:{}", cell.get_id().pid())),
        }
    }

    async fn steer(self, action: SteerAction) -> SteeredActor {
        match self {
            Self::Child(name, child) => {
                let steered = tokio::time::timeout(PATIENCE, child.steer(action)).await;
                let (done, note) = match steered {
                    Ok(Ok(())) => (true, None),
                    Ok(Err(reason)) => (false, Some(reason)),
                    Err(_) => (true, Some(format!("this takes longer than {PATIENCE:?}, and goes on"))),
                };
                let alive = directory::where_is(&name).filter(is_alive);
                SteeredActor {
                    pid: alive.map(|cell| cell.get_id().pid()),
                    name: Some(name),
                    done,
                    note,
                }
            }
            Self::Entity(entity, cell) => {
                let (done, note) = steer_entity(&entity, &cell, action).await;
                SteeredActor {
                    name: Some(entity.to_string()),
                    pid: entities::active(&entity).map(|cell| cell.get_id().pid()),
                    done,
                    note: Some(note),
                }
            }
            Self::Other(cell, guest) => {
                let (done, note) = steer_other(&cell, guest.as_ref(), action).await;
                SteeredActor {
                    name: cell.get_name(),
                    pid: Some(&cell)
                        .filter(|cell| is_alive(cell))
                        .map(|cell| cell.get_id().pid()),
                    done,
                    note: Some(note),
                }
            }
        }
    }
}

/// Where somebody is to ask who asks this node.
pub(super) fn is_of(entity: &Entity, node: &str) -> String {
    format!("{entity} is on the node {node}: give the command to that one")
}

fn is_alive(cell: &ActorCell) -> bool {
    cell.get_status() < ActorStatus::Stopping
}

/// Steers an entity: whatever ends it, its next message activates it again.
async fn steer_entity(entity: &Entity, cell: &ActorCell, action: SteerAction) -> (bool, String) {
    match action {
        SteerAction::Stop => {
            entities::passivate(entity);
            let ended = tokio::time::timeout(PATIENCE, cell.wait(None)).await;
            let note = match ended {
                Ok(_) => "it has handled what it had and its state is kept; its next message activates it".to_owned(),
                Err(_) => format!("it handles what it has, which takes longer than {PATIENCE:?}"),
            };
            (true, note)
        }
        SteerAction::Kill => {
            let killed = cell.kill_and_wait(Some(STOP)).await;
            if matches!(killed, Err(ractor::RactorErr::Timeout)) {
                return (false, "it blocks its thread and can't be killed".to_owned());
            }
            (
                true,
                "its next message activates it with the state that was written last".to_owned(),
            )
        }
        SteerAction::Restart => (false, "stop it: its next message activates it".to_owned()),
        SteerAction::Start => (false, "it runs already".to_owned()),
    }
}

/// Steers an actor that no supervisor of node.toml has.
async fn steer_other(cell: &ActorCell, guest: Option<&GuestRef>, action: SteerAction) -> (bool, String) {
    let above = cell.try_get_supervisor().and_then(|above| above.get_name());
    let above = above.map_or_else(|| "what started it".to_owned(), |name| format!("`{name}`"));
    let told = format!("it is not one of node.toml: {above} is told of its end, and may start another");
    match (action, guest) {
        (SteerAction::Stop, _) => {
            let stopped = cell
                .stop_and_wait(Some("an operator has stopped it".to_owned()), Some(STOP))
                .await;
            if matches!(stopped, Err(ractor::RactorErr::Timeout)) {
                cell.kill();
                return (true, format!("it did not stop within {STOP:?} and was killed; {told}"));
            }
            (true, told)
        }
        (SteerAction::Kill, _) => {
            // An error says that it has ended already, or that it blocks its thread.
            let killed = cell.kill_and_wait(Some(STOP)).await;
            if matches!(killed, Err(ractor::RactorErr::Timeout)) {
                return (false, "it blocks its thread and can't be killed".to_owned());
            }
            (true, told)
        }
        (SteerAction::Restart, Some(guest)) => {
            guest.restart("an operator has asked for it");
            (
                true,
                "it goes on with a fresh instance after the message at hand".to_owned(),
            )
        }
        (SteerAction::Restart, None) => (false, format!("only {above} could start it again")),
        (SteerAction::Start, _) => (false, "it runs already".to_owned()),
    }
}
