//! The actors and groups that a node really has, and what another node believes of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::internals::random::Random;
use crate::session::{Event, LocalSnapshot};
use crate::wire::{Actor, GroupChange};

const SCOPES: [&str; 2] = ["", "scope"];
const GROUPS: [&str; 3] = ["g", "h", "i"];

/// Scope, group and pid.
type Membership = (String, String, u64);

/// The live actors of a node and their groups.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) actors: BTreeMap<u64, Option<String>>,
    groups: BTreeSet<Membership>,
    next_pid: u64,
}

/// What the monitors of a node hear. Actors and groups are monitored separately: each kind comes in order, but nothing
/// orders the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Spawned(Actor),
    Terminated(u64),
    Joined(GroupChange),
    Left(GroupChange),
}

impl Change {
    pub(super) fn is_about_groups(&self) -> bool {
        matches!(self, Self::Joined(_) | Self::Left(_))
    }
}

impl Model {
    /// Changes something. What can't be done at the moment changes nothing.
    pub(super) fn mutate(&mut self, random: &mut Random) -> Vec<Change> {
        match random.below(100) {
            0..40 => vec![self.spawn(random)],
            40..60 => self.terminate(random),
            60..85 => self.join(random),
            _ => self.leave(random),
        }
    }

    fn spawn(&mut self, random: &mut Random) -> Change {
        let pid = self.next_pid;
        self.next_pid += 1 + random.below(3);
        let name = random.chance(30).then(|| format!("actor {pid}"));
        self.actors.insert(pid, name);
        Change::Spawned(self.actor(pid))
    }

    fn terminate(&mut self, random: &mut Random) -> Vec<Change> {
        let Some(pid) = self.any(random) else {
            return Vec::new();
        };
        self.actors.remove(&pid);
        let (left, kept) = std::mem::take(&mut self.groups)
            .into_iter()
            .partition(|(_, _, member)| *member == pid);
        self.groups = kept;
        let left: BTreeSet<Membership> = left;
        left.into_iter()
            .map(|(scope, group, pid)| {
                Change::Left(GroupChange {
                    scope,
                    group,
                    actors: vec![Actor { pid, name: None }],
                })
            })
            .chain([Change::Terminated(pid)])
            .collect()
    }

    fn join(&mut self, random: &mut Random) -> Vec<Change> {
        let (scope, group) = (random.pick(&SCOPES), random.pick(&GROUPS));
        let members: BTreeSet<_> = (0..=random.below(2)).filter_map(|_| self.any(random)).collect();
        for pid in &members {
            self.groups.insert((scope.into(), group.into(), *pid));
        }
        let actors: Vec<_> = members.into_iter().map(|pid| self.actor(pid)).collect();
        change(scope, group, actors).map(Change::Joined).into_iter().collect()
    }

    fn leave(&mut self, random: &mut Random) -> Vec<Change> {
        let members: Vec<_> = self.groups.iter().cloned().collect();
        if members.is_empty() {
            return Vec::new();
        }
        let (scope, group, pid) = members[random.below(members.len() as u64) as usize].clone();
        let actor = self.actor(pid);
        self.groups.remove(&(scope.clone(), group.clone(), pid));
        change(&scope, &group, vec![actor])
            .map(Change::Left)
            .into_iter()
            .collect()
    }

    /// Everything at this moment.
    pub(super) fn snapshot(&self) -> LocalSnapshot {
        LocalSnapshot {
            actors: self.actors.keys().map(|pid| self.actor(*pid)).collect(),
            groups: self
                .groups
                .iter()
                .filter_map(|(scope, group, pid)| change(scope, group, vec![self.actor(*pid)]))
                .collect(),
        }
    }

    /// Every pid that was ever given.
    pub(super) fn all_pids(&self) -> std::ops::Range<u64> {
        0..self.next_pid
    }

    fn any(&self, random: &mut Random) -> Option<u64> {
        let index = random.below(self.actors.len() as u64) as usize;
        self.actors.keys().nth(index).copied()
    }

    fn actor(&self, pid: u64) -> Actor {
        Actor {
            pid,
            name: self.actors.get(&pid).cloned().flatten(),
        }
    }
}

fn change(scope: &str, group: &str, actors: Vec<Actor>) -> Option<GroupChange> {
    (!actors.is_empty()).then(|| GroupChange {
        scope: scope.into(),
        group: group.into(),
        actors,
    })
}

/// What a session has told its node of the peer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct View {
    actors: BTreeMap<u64, Option<String>>,
    groups: BTreeSet<Membership>,
}

impl View {
    /// Does what a node does on this event.
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Spawned(actors) => self
                .actors
                .extend(actors.iter().map(|actor| (actor.pid, actor.name.clone()))),
            Event::Terminated(pids) => {
                self.actors.retain(|pid, _| !pids.contains(pid));
                self.groups.retain(|(_, _, pid)| !pids.contains(pid));
            }
            // A node makes a stand-in a member, and has none for an actor that it was not told of.
            Event::Joined(change) => {
                let known = memberships(change).filter(|(_, _, pid)| self.actors.contains_key(pid));
                self.groups.extend(known);
            }
            Event::Left(change) => {
                for membership in memberships(change) {
                    self.groups.remove(&membership);
                }
            }
            Event::Closed(_) => *self = Self::default(),
            _ => {}
        }
    }

    /// True if this is exactly what `model` has.
    pub(super) fn is(&self, model: &Model) -> bool {
        self.actors == model.actors && self.groups == model.groups
    }

    pub(super) fn is_empty(&self) -> bool {
        self.actors.is_empty() && self.groups.is_empty()
    }
}

fn memberships(change: &GroupChange) -> impl Iterator<Item = Membership> {
    change
        .actors
        .iter()
        .map(|actor| (change.scope.clone(), change.group.clone(), actor.pid))
}
