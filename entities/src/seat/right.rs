//! The right by which an activation acts, on a node that is one of several.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use ractor::message::SerializedMessage;

use super::{Seat, UNKNOWN, give_up};
use crate::cluster::{Cluster, Marks};
use crate::store::Fence;

/// See the module.
pub(super) struct Held {
    cluster: Arc<Cluster>,
    right: Fence,
    marks: Mutex<Marks>,
    is_lost: AtomicBool,
    /// Has the actor end without handling anything further, and send on what it has taken.
    end: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Held {
    pub(super) fn new((cluster, right): (Arc<Cluster>, Fence)) -> Self {
        Self {
            cluster,
            right,
            marks: Mutex::default(),
            is_lost: AtomicBool::new(false),
            end: OnceLock::new(),
        }
    }
}

impl Seat {
    /// The entity is about to handle a message that it has taken. None if it isn't to: its sender has given it up, or the message is for the next
    /// activation, because another node may have the entity.
    pub fn admit(&self, message: SerializedMessage) -> Option<SerializedMessage> {
        let Some(held) = &self.0.held else {
            return Some(message);
        };
        match held.cluster.admit((held.right, &held.marks), message) {
            Ok(message) => message,
            Err(message) => {
                // Before what is in the mailbox still, and is given back, too.
                self.give_back(vec![message]);
                self.lose();
                None
            }
        }
    }

    /// A message is about to wait for the entity.
    pub(crate) fn waits(&self, message: &SerializedMessage) {
        if let Some(held) = &self.0.held {
            held.cluster.waits(&held.marks, message);
        }
    }

    /// It was not taken, or was given back.
    pub(crate) fn waits_no_more(&self, message: &SerializedMessage) {
        if let Some(held) = &self.0.held {
            held.cluster.taken_back(&held.marks, message);
        }
    }

    /// The activation has ended. What it had taken and not given back is gone.
    pub(crate) fn waits_for_nothing(&self) {
        if let Some(held) = &self.0.held {
            held.cluster.ended(&held.marks);
        }
    }

    /// True once the node may not act for the entity any more.
    pub(crate) fn is_lost(&self) -> bool {
        let held = self.0.held.as_ref();
        held.is_some_and(|held| held.is_lost.load(Ordering::Acquire))
    }

    /// True if what the entity has put out may leave.
    pub(super) fn may_act(&self) -> bool {
        self.0.held.as_ref().is_none_or(|held| held.cluster.holds(held.right))
    }

    /// Has this done when the node may not act for the entity any more.
    pub(crate) fn is_lost_by(&self, end: impl Fn() + Send + Sync + 'static) {
        if let Some(held) = &self.0.held {
            // It is activated once.
            held.end.set(Box::new(end)).ok();
        }
    }

    /// The node may not act for the entity any more: nothing that it holds leaves, nothing is written, and it ends.
    pub(crate) fn lose(&self) {
        let Some(held) = &self.0.held else { return };
        if held.is_lost.swap(true, Ordering::AcqRel) {
            return;
        }
        let dropped = {
            let mut inner = self.0.inner.lock();
            inner.is_closed = true;
            // Through no fault of the entity's.
            inner.is_over = true;
            inner.give_up_all()
        };
        give_up(dropped, UNKNOWN);
        self.0.changed.send_replace(());
        if let Some(end) = held.end.get() {
            end();
        }
    }
}
