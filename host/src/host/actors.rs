//! All actors of the process, as an operator sees them.

use std::collections::{HashMap, HashSet};

use ractor::pg::DEFAULT_SCOPE;
use ractor::registry::get_all_pids;
use ractor::{ActorCell, ActorId, pg};

use super::figures;
use crate::control::{ActorKind, ActorModule, ActorRow};
use crate::directory;
use crate::entities::{self, Entity};
use crate::guest::{GuestRef, Modules};
use crate::supervision::is_supervisor;

/// All of them, by pid. Nothing is asked of the actors themselves.
pub(super) fn all(modules: &Modules) -> Vec<ActorRow> {
    of(modules.all_guests())
}

/// These guests and all natives, by pid.
pub(super) fn of(mut guests: Vec<GuestRef>) -> Vec<ActorRow> {
    let (mut groups, mut natives) = (groups(), get_all_pids());
    // A row is large, and there may be very many: each is made in its place, since the pids of guests are beyond those of natives.
    guests.sort_by_key(GuestRef::pid);
    natives.sort_by_key(|cell| cell.get_id().pid());
    let mut rows = Vec::with_capacity(guests.len() + natives.len());
    rows.extend(natives.iter().map(|cell| row(cell, None, &mut groups)));
    rows.extend(guests.iter().map(|guest| row(guest.cell(), Some(guest), &mut groups)));
    // What has its place neither among the guests nor with ractor: native entities, and the actors of types.
    let mut others = entities::active_actors();
    others.extend(directory::hosted_actors().into_iter().filter(is_of_entities));
    if !others.is_empty() {
        let known: HashSet<u64> = rows.iter().map(|row| row.pid).collect();
        let others = others.iter().filter(|cell| !known.contains(&cell.get_id().pid()));
        rows.extend(others.map(|cell| row(cell, None, &mut groups)));
    }
    rows.sort_by_key(|row| row.pid);
    rows
}

fn is_of_entities(cell: &ActorCell) -> bool {
    cell.get_name().is_some_and(|name| Entity::is_written_so(&name))
}

/// One of them.
pub(super) fn one(cell: &ActorCell, guest: Option<&GuestRef>) -> ActorRow {
    row(cell, guest, &mut groups())
}

fn row(cell: &ActorCell, guest: Option<&GuestRef>, groups: &mut HashMap<ActorId, Vec<String>>) -> ActorRow {
    ActorRow {
        pid: cell.get_id().pid(),
        name: cell.get_name(),
        kind: match guest {
            Some(_) => ActorKind::Guest,
            None if is_supervisor(cell) => ActorKind::Supervisor,
            None if cell.supports_remoting() => ActorKind::Native,
            None => ActorKind::Local,
        },
        module: guest.map(|guest| {
            let module = guest.module();
            ActorModule {
                name: module.name().to_owned(),
                digest: module.digest().to_string(),
            }
        }),
        groups: groups.remove(&cell.get_id()).unwrap_or_default(),
        waiting: guest.map(GuestRef::waiting),
        supervisor: cell.try_get_supervisor().map(|supervisor| supervisor.get_id().pid()),
        figures: guest.map(figures::of_guest),
    }
}

/// The groups of each actor of this process, in order: outside of the default scope with their scope before them.
fn groups() -> HashMap<ActorId, Vec<String>> {
    let mut groups: HashMap<ActorId, Vec<String>> = HashMap::new();
    let mut keys = pg::which_scopes_and_groups();
    keys.sort_by_key(|key| (key.get_scope(), key.get_group()));
    for key in keys {
        let (scope, group) = (key.get_scope(), key.get_group());
        let name = if scope == DEFAULT_SCOPE {
            group.clone()
        } else {
            format!("{scope}/{group}")
        };
        // Guests are no local members to ractor.
        let members = pg::get_scoped_members(&scope, &group)
            .into_iter()
            .map(|member| member.get_id());
        for member in members.filter(|member| directory::is_ours(*member)) {
            groups.entry(member).or_default().push(name.clone());
        }
    }
    groups
}
