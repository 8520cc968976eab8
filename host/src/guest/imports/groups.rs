//! `groups`: process groups.

use ractor::{ActorCell, pg};

use crate::directory;
use crate::guest::bindings::{groups, types};
use crate::guest::limits::Limit;
use crate::guest::pid;
use crate::guest::state::State;

impl groups::Host for State {
    fn join(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<()> {
        let myself = self.myself()?.cell.clone();
        self.check_name(&group)?;
        self.check_name(scope.as_deref().unwrap_or_default())?;
        let key = (scope, group);
        if self.groups.contains(&key) {
            return Ok(());
        }
        if self.groups.len() >= self.limits.groups {
            return Err(wasmtime::Error::new(Limit::Groups(self.limits.groups)));
        }
        self.groups.insert(key.clone());
        match key {
            (Some(scope), group) => pg::join_scoped(scope, group, vec![myself]),
            (None, group) => pg::join(group, vec![myself]),
        }
        Ok(())
    }

    fn leave(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<()> {
        let myself = self.myself()?.cell.clone();
        let key = (scope, group);
        self.groups.remove(&key);
        match key {
            (Some(scope), group) => pg::leave_scoped(scope, group, vec![myself]),
            (None, group) => pg::leave(group, vec![myself]),
        }
        Ok(())
    }

    fn members(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<Vec<types::Pid>> {
        self.myself()?;
        Ok(pids(&members(&group, scope.as_ref())))
    }

    fn local_members(&mut self, group: String, scope: Option<String>) -> wasmtime::Result<Vec<types::Pid>> {
        self.myself()?;
        // Not ractor's own local members: to ractor, a guest is not local.
        let mut members = members(&group, scope.as_ref());
        members.retain(|cell| directory::is_ours(cell.get_id()));
        Ok(pids(&members))
    }

    fn which_groups(&mut self, scope: Option<String>) -> wasmtime::Result<Vec<String>> {
        self.myself()?;
        Ok(match scope {
            Some(scope) => pg::which_scoped_groups(&scope),
            None => pg::which_scoped_groups(&pg::DEFAULT_SCOPE.to_owned()),
        })
    }

    fn monitor(&mut self, _group: String, _scope: Option<String>) -> wasmtime::Result<()> {
        self.myself()?;
        Ok(())
    }

    fn demonitor(&mut self, _group: String, _scope: Option<String>) -> wasmtime::Result<()> {
        self.myself()?;
        Ok(())
    }
}

fn members(group: &String, scope: Option<&String>) -> Vec<ActorCell> {
    match scope {
        Some(scope) => pg::get_scoped_members(scope, group),
        None => pg::get_members(group),
    }
}

fn pids(cells: &[ActorCell]) -> Vec<types::Pid> {
    cells.iter().map(|cell| pid::of(cell.get_id())).collect()
}
