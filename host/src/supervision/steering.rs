//! What operators can do with the children of supervisors: stop one and keep it down, start it again, kill it, have it go on afresh.

use std::collections::BTreeMap;
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
    supervisors: Vec<(ActorRef<SupervisorMessage>, Arc<SupervisorSpec>)>,
    stopped: BTreeMap<Arc<str>, Arc<str>>,
}

/// A child of a supervisor, to be steered.
#[derive(Debug, Clone)]
pub(crate) struct SteeredChild {
    supervisor: ActorRef<SupervisorMessage>,
    above: Arc<SupervisorSpec>,
    index: usize,
}

impl Steering {
    /// A supervisor has come to life, perhaps in place of an earlier one.
    pub(super) fn enter(&self, supervisor: &ActorRef<SupervisorMessage>, spec: &Arc<SupervisorSpec>) {
        let mut tree = self.0.lock();
        tree.supervisors.retain(|(_, known)| !Arc::ptr_eq(known, spec));
        tree.supervisors.push((supervisor.clone(), spec.clone()));
    }

    /// The places of the children of a supervisor that are kept down.
    pub(super) fn stopped_below(&self, spec: &SupervisorSpec) -> Vec<usize> {
        let tree = self.0.lock();
        let children = spec.children.iter().zip(0..);
        children
            .filter(|(child, _)| tree.stopped.get(&child.name).is_some_and(|above| **above == *spec.name))
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
        let children = tree.supervisors.iter().flat_map(|(_, spec)| &spec.children);
        children.map(|child| child.name.clone()).collect()
    }

    /// The child of this name. An actor goes before a supervisor.
    pub(crate) fn find(&self, name: &str) -> Option<SteeredChild> {
        let tree = self.0.lock();
        let children = tree.supervisors.iter().flat_map(|(supervisor, spec)| {
            let named = spec.children.iter().zip(0..).filter(|(child, _)| *child.name == *name);
            named.map(move |(_, index)| SteeredChild {
                supervisor: supervisor.clone(),
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
