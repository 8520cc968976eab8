//! `groups`: process groups.

use ractor::{ActorCell, pg};
use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::accounting::family::Share;
use crate::component::bindings::{groups, types};
use crate::component::imports::Import;
use crate::directory;
use crate::entities::{Entity, Output};
use crate::policy::limits::{Common, Limit};
use crate::store::data::StoreData;
use crate::store::groups::membership::Group;
use crate::store::groups::rate;
use crate::store::groups::watch::{GroupWatch, WatchingActor};
use crate::store::interface;
use crate::store::pid;

/// The interface `groups`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/groups", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        groups::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl groups::Host for StoreData {
    async fn join(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<()> {
        self.side_effect()?;
        if Entity::is_written_so(&group) {
            return Err(wasmtime::Error::new(ReservedGroup(group)));
        }
        let group = self.checked(group, scope)?;
        // Before the lock and the look, so that nothing waits between them and the change. A guest that is killed
        // here has changed nothing.
        rate::turn().await;
        let myself = self.context()?;
        {
            let mut joined = myself.groups.joined();
            if joined.contains_key(&group) {
                return Ok(());
            }
            // Before the entry, so that a family without room for it leaves none.
            let share = self.check_groups(joined.len() + self.groups_monitored())?;
            joined.insert(group.clone(), share);
        }
        let cell = myself.cell.clone();
        self.tell_group(move || group.join(cell));
        Ok(())
    }

    async fn leave(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<()> {
        self.side_effect()?;
        rate::turn().await;
        let myself = self.context()?;
        let group = Group::new(scope, group);
        // Removed before ractor is told, and the lock is free again by then: ractor tells others.
        let was_in = myself.groups.joined().remove(&group).is_some();
        // ractor tells everybody, even if the actor wasn't in the group. Others may have put it there.
        if was_in || group.members().contains(&myself.cell) {
            let cell = myself.cell.clone();
            self.tell_group(move || group.leave(cell));
        }
        Ok(())
    }

    fn members(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<Vec<types::Pid>> {
        self.context()?;
        Ok(pids(&Group::new(scope, group).members()))
    }

    fn local_members(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<Vec<types::Pid>> {
        self.context()?;
        // Not ractor's own local members: to ractor, a guest is not local.
        let mut members = Group::new(scope, group).members();
        members.retain(|cell| directory::is_ours(cell.get_id()));
        Ok(pids(&members))
    }

    fn which_groups(&mut self, scope: Option<String>) -> wasmtime::Result<Vec<String>> {
        self.context()?;
        let scope = scope.unwrap_or_else(|| pg::DEFAULT_SCOPE.to_owned());
        Ok(pg::which_scoped_groups(&scope))
    }

    async fn monitor(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<()> {
        self.side_effect()?;
        let group = self.checked(group, scope)?;
        let monitored = self.groups_monitored();
        if self.group_watch().is_some_and(|watch| watch.watches(&group)) {
            return Ok(());
        }
        let myself = self.context()?;
        let share = self.check_groups(myself.groups.joined().len() + monitored)?;
        if self.group_watch().is_none() {
            let client = WatchingActor {
                actor: myself.cell.clone(),
                label: self.label.clone(),
                groups: myself.groups.clone(),
                limit: self.limits.mailbox_messages,
            };
            let watch = GroupWatch::start(client).await.map_err(wasmtime::Error::new)?;
            self.monitors()?.groups = Some(watch);
        }
        if let Some(watch) = self.group_watch() {
            watch.begin(group, share);
        }
        Ok(())
    }

    fn demonitor(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<()> {
        self.side_effect()?;
        self.context()?;
        let group = Group::new(scope, group);
        if let Some(watch) = self.group_watch()
            && watch.watches(&group)
        {
            watch.end(group);
        }
        Ok(())
    }
}

/// A guest joins a group that stands for entities.
#[derive(Debug, thiserror::Error)]
#[error("it can't join the group {0:?}: names that begin with `entity:` are those of entities")]
struct ReservedGroup(String);

impl StoreData {
    /// Changes a membership: at once, or when the state that this follows from is durable.
    fn tell_group(&self, change: impl FnOnce() + Send + 'static) {
        match self.holding_seat() {
            None => change(),
            // If too much waits, that was said.
            Some(seat) => drop(self.hold(seat, Output::Act(Box::new(change)), 0)),
        }
    }

    fn checked(&self, group: String, scope: Option<String>) -> wasmtime::Result<Group> {
        self.check_name(&group)?;
        self.check_name(scope.as_deref().unwrap_or_default())?;
        Ok(Group::new(scope, group))
    }

    fn group_watch(&self) -> Option<&GroupWatch> {
        self.monitors.as_ref()?.groups.as_ref()
    }

    fn groups_monitored(&self) -> usize {
        self.group_watch().map_or(0, GroupWatch::len)
    }

    /// Traps if there may not be one group more than these. What the family has of it, if there may.
    fn check_groups(&self, groups: usize) -> wasmtime::Result<Share> {
        if groups >= self.limits.groups {
            return Err(wasmtime::Error::new(Limit::Groups(self.limits.groups)));
        }
        let share = self.context()?.family.quota().share(Common::Groups, 1);
        share.map_err(wasmtime::Error::new)
    }
}

fn pids(cells: &[ActorCell]) -> Vec<types::Pid> {
    cells.iter().map(|cell| pid::of(cell.get_id())).collect()
}
