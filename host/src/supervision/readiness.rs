//! Whether the actors that a node was configured to run are there, as far as their supervisors can bring that about.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// What a node does when an actor is given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnGiveUp {
    /// It stays, and is not ready.
    #[default]
    Stay,
    /// It stops in an orderly way.
    Exit,
}

/// An actor that is not started again: there were too many restarts, of it or of those that share its fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Its name.
    pub actor: Arc<str>,
    /// The supervisor that gave it up.
    pub supervisor: Arc<str>,
    /// Which restart would have been one too many.
    pub reason: Arc<str>,
    /// What follows for the node.
    pub then: OnGiveUp,
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            actor,
            supervisor,
            reason,
            then: _,
        } = self;
        write!(
            f,
            "the actor `{actor}` was given up by the supervisor `{supervisor}`: {reason}"
        )
    }
}

/// Whether all actors are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Readiness {
    /// None has been given up. One that is being restarted is there soon.
    #[default]
    Ready,
    /// These have been given up, in the order of their names.
    NotReady(Vec<GivenUp>),
}

impl Readiness {
    /// True if none has been given up.
    pub fn is_ready(&self) -> bool {
        *self == Self::Ready
    }

    /// The actors that have been given up.
    pub fn given_up(&self) -> &[GivenUp] {
        match self {
            Self::Ready => &[],
            Self::NotReady(given_up) => given_up,
        }
    }
}

/// The actors that have been given up, as all supervisors of a tree see it.
#[derive(Debug, Clone, Default)]
pub(super) struct GivenUpActors(watch::Sender<BTreeMap<Arc<str>, GivenUp>>);

impl GivenUpActors {
    pub(super) fn add(&self, given_up: impl IntoIterator<Item = GivenUp>) {
        self.0.send_modify(|all| {
            all.extend(given_up.into_iter().map(|given_up| (given_up.actor.clone(), given_up)));
        });
    }

    /// An actor lives again. True if it had been given up.
    pub(super) fn remove(&self, actor: &str) -> bool {
        self.0.send_if_modified(|all| all.remove(actor).is_some())
    }

    pub(super) fn watch(&self) -> ReadinessWatch {
        ReadinessWatch(self.0.subscribe())
    }
}

/// Tells of the actors that are given up.
#[derive(Debug, Clone)]
pub(crate) struct ReadinessWatch(watch::Receiver<BTreeMap<Arc<str>, GivenUp>>);

impl ReadinessWatch {
    /// As of now.
    pub(crate) fn readiness(&self) -> Readiness {
        let all = self.0.borrow();
        if all.is_empty() {
            return Readiness::Ready;
        }
        Readiness::NotReady(all.values().cloned().collect())
    }

    /// Waits until it is as wanted.
    #[cfg(test)]
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Readiness) -> bool) -> Readiness {
        loop {
            self.0.mark_unchanged();
            let readiness = self.readiness();
            if wanted(&readiness) {
                return readiness;
            }
            self.0.changed().await.unwrap();
        }
    }

    /// Waits for one that ends the node, which may never come.
    pub(crate) async fn essential(&mut self) -> GivenUp {
        let is_essential = |given_up: &&GivenUp| given_up.then == OnGiveUp::Exit;
        loop {
            // Before the wait, since it may have happened before anybody asked. It is marked as seen, so the wait is for something newer.
            if let Some(given_up) = self.0.borrow_and_update().values().find(is_essential) {
                return given_up.clone();
            }
            if self.0.changed().await.is_err() {
                // The supervisors have ended, and give up nobody any more.
                std::future::pending::<()>().await;
            }
        }
    }
}
