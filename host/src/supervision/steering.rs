//! What operators can do with the children of supervisors: stop one and keep it down, start it again, kill it, have it go on afresh.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use ractor::{ActorRef, ActorStatus};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::message::SupervisorMessage;
use super::spec::{ChildKind, SupervisorSpec};

/// What is to be done with a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SteerAction {
    /// It ends in order, and only [`Start`](Self::Start) brings it back.
    Stop,
    /// It comes to life again.
    Start,
    /// It ends at once, and is dealt with as after any failure.
    Kill,
    /// It goes on afresh: a guest with a fresh instance, another one as a new actor.
    Restart,
}

/// An order to a supervisor. The answer comes when it is carried out, or says why it is not.
#[derive(Debug)]
pub(super) struct SteerOrder {
    pub(super) child: usize,
    pub(super) action: SteerAction,
    pub(super) reply: oneshot::Sender<Result<(), String>>,
}

/// Somebody who waits for a child to be as ordered.
#[derive(Debug)]
pub(super) struct SteerWait {
    pub(super) until: SteerGoal,
    pub(super) reply: oneshot::Sender<Result<(), String>>,
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SteerGoal {
    Up,
    Down,
}

/// A child that an operator has stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoppedChild {
    /// Its name: that of an actor, or of a supervisor whose actors are all down.
    pub(crate) name: Arc<str>,
    /// The supervisor that keeps it down.
    pub(crate) supervisor: Arc<str>,
}

/// All supervisors of a tree, as operators reach them, and what they have stopped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steering(Arc<Mutex<SteeredTree>>);

#[derive(Debug, Default)]
struct SteeredTree {
    supervisors: Vec<SteeredSupervisor>,
    stopped: BTreeMap<Arc<str>, Arc<str>>,
}

#[derive(Debug)]
struct SteeredSupervisor {
    actor: ActorRef<SupervisorMessage>,
    /// What it was first started as, by which the supervisor above it knows it.
    origin: Arc<SupervisorSpec>,
    /// What it is by now.
    spec: Arc<SupervisorSpec>,
}

/// A child of a supervisor, to be steered.
#[derive(Debug, Clone)]
pub(crate) struct SteeredChild {
    supervisor: ActorRef<SupervisorMessage>,
    above: Arc<SupervisorSpec>,
    index: usize,
}

impl Steering {
    /// A supervisor that was first started as this has come to life, perhaps in place of an earlier one. Gives what it is by now.
    pub(super) fn enter(
        &self,
        supervisor: &ActorRef<SupervisorMessage>,
        origin: &Arc<SupervisorSpec>,
    ) -> Arc<SupervisorSpec> {
        let mut tree = self.0.lock();
        let known = tree
            .supervisors
            .iter()
            .position(|known| Arc::ptr_eq(&known.origin, origin));
        let spec = match known {
            Some(index) => tree.supervisors.remove(index).spec,
            None => origin.clone(),
        };
        tree.supervisors.push(SteeredSupervisor {
            actor: supervisor.clone(),
            origin: origin.clone(),
            spec: spec.clone(),
        });
        spec
    }

    /// A supervisor has other children from now on.
    pub(super) fn renew(&self, origin: &Arc<SupervisorSpec>, spec: &Arc<SupervisorSpec>) {
        let mut tree = self.0.lock();
        let mut known = tree.supervisors.iter_mut();
        if let Some(known) = known.find(|known| Arc::ptr_eq(&known.origin, origin)) {
            known.spec = spec.clone();
        }
    }

    /// What has become of a supervisor that was first started as this.
    pub(super) fn current(&self, origin: &Arc<SupervisorSpec>) -> Arc<SupervisorSpec> {
        let tree = self.0.lock();
        let mut known = tree.supervisors.iter();
        known
            .find(|known| Arc::ptr_eq(&known.origin, origin))
            .map_or_else(|| origin.clone(), |known| known.spec.clone())
    }

    /// The places of the children of a supervisor that are kept down.
    pub(super) fn stopped_below(&self, spec: &SupervisorSpec) -> Vec<usize> {
        let tree = self.0.lock();
        let children = spec.children.iter().zip(0..);
        children
            .filter(|(child, _)| {
                child.is_removed || tree.stopped.get(&child.name).is_some_and(|above| **above == *spec.name)
            })
            .map(|(_, index)| index)
            .collect()
    }

    pub(super) fn set_stopped(&self, name: &Arc<str>, supervisor: &str) {
        self.0.lock().stopped.insert(name.clone(), supervisor.into());
    }

    pub(super) fn set_wanted(&self, name: &str) {
        self.0.lock().stopped.remove(name);
    }

    /// What was stopped, by name.
    pub(crate) fn stopped(&self) -> Vec<StoppedChild> {
        let tree = self.0.lock();
        let stopped = tree.stopped.iter().map(|(name, supervisor)| StoppedChild {
            name: name.clone(),
            supervisor: supervisor.clone(),
        });
        stopped.collect()
    }

    /// The names of all children, whether they live or not.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let tree = self.0.lock();
        let children = tree.supervisors.iter().flat_map(|known| &known.spec.children);
        let children = children.filter(|child| !child.is_removed);
        children.map(|child| child.name.clone()).collect()
    }

    /// The supervisor of this name, which has to have come to life once.
    pub(super) fn supervisor(&self, name: &str) -> Option<ActorRef<SupervisorMessage>> {
        let tree = self.0.lock();
        let mut known = tree.supervisors.iter();
        known
            .find(|known| known.spec.name == name)
            .map(|known| known.actor.clone())
    }

    /// The names of the supervisors that have come to life, whether they still live or not.
    pub(crate) fn supervisors(&self) -> BTreeSet<String> {
        let tree = self.0.lock();
        tree.supervisors.iter().map(|known| known.spec.name.clone()).collect()
    }

    /// The child of this name. An actor goes before a supervisor.
    pub(crate) fn find(&self, name: &str) -> Option<SteeredChild> {
        let tree = self.0.lock();
        let children = tree
            .supervisors
            .iter()
            .flat_map(|SteeredSupervisor { actor, spec, .. }| {
                let named = spec.children.iter().zip(0..);
                let named = named.filter(|(child, _)| *child.name == *name && !child.is_removed);
                named.map(move |(_, index)| SteeredChild {
                    supervisor: actor.clone(),
                    above: spec.clone(),
                    index,
                })
            });
        children.min_by_key(|child| child.kind() == Some(ChildKind::Supervisor))
    }
}

impl SteeredChild {
    fn kind(&self) -> Option<ChildKind> {
        self.above.children.get(self.index).map(super::spec::ChildSpec::kind)
    }

    /// Has its supervisor do this, and waits until it is done.
    ///
    /// # Errors
    /// It is not done: why, in words that go after its name.
    pub(crate) async fn steer(&self, action: SteerAction) -> Result<(), String> {
        let (reply, told) = oneshot::channel();
        let order = SteerOrder {
            child: self.index,
            action,
            reply,
        };
        let above = &self.above.name;
        let is_alive = self.supervisor.get_status() < ActorStatus::Stopping;
        if !is_alive || self.supervisor.cast(SupervisorMessage::Steer(order)).is_err() {
            return Err(format!(
                "its supervisor `{above}` does not run; `ractor-host start {above}` starts that with all of its actors"
            ));
        }
        told.await
            .unwrap_or_else(|_| Err(format!("its supervisor `{above}` has ended meanwhile")))
    }
}
