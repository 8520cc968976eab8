//! The end of a node in order. Whoever may send to it is told first, and says when it sends nothing more: so nothing is on its way when the
//! sessions end, and no caller has to hear that nobody knows what became of a call.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::ActorId;
use tokio::sync::Notify;

use super::Cluster;
use super::frame::{Closing, FAREWELL, LEAVES};
use super::on_demand::LEAVING;

/// The longest that a node keeps back what is for one that has said that it leaves. It should have ended long before.
const GONE: Duration = Duration::from_secs(15);

/// The nodes that haven't said yet that they send nothing more, by their gates.
#[derive(Default)]
pub(super) struct Farewells {
    awaited: Mutex<HashSet<ActorId>>,
    heard: Notify,
}

impl Farewells {
    /// This node has said so, or its session is over.
    pub(super) fn heard(&self, gate: ActorId) {
        self.awaited.lock().remove(&gate);
        self.heard.notify_waiters();
    }
}

impl Cluster {
    /// Tells all nodes that this one ends, and waits until none of them sends anything to it. To be called when no entity is active here any
    /// more, and nothing of this node's is on its way.
    pub(crate) async fn take_leave(self: &Arc<Self>) {
        let links = self.outgoing.peers.lock().greeted();
        self.farewells.awaited.lock().extend(links.iter().map(|link| link.gate));
        for link in &links {
            self.say(link, LEAVES, 0);
        }
        loop {
            let heard = self.farewells.heard.notified();
            tokio::pin!(heard);
            // Before the look, so that none is missed.
            heard.as_mut().enable();
            if self.farewells.awaited.lock().is_empty() {
                break;
            }
            heard.await;
        }
        // What came until now was for others: they are told before the sessions end.
        self.answer();
    }

    /// A node ends. What is for it from now on waits for its session to end, and goes to the next owner then.
    pub(super) fn leaves(self: &Arc<Self>, Closing { from, .. }: Closing) {
        let link = {
            // Both locks, in the order in which messages take them: none gets in between.
            let _lanes = self.outgoing.sender.lock();
            let link = self.outgoing.peers.lock().link(from);
            link.inspect(|link| link.held.store(LEAVING, Ordering::Relaxed))
        };
        let Some(link) = link else { return };
        // Behind everything that was sent before.
        self.say(&link, FAREWELL, 0);
        self.release_after(GONE, link.gate.node(), LEAVING);
    }

    /// A node sends nothing more to this one, which leaves.
    pub(super) fn fared_well(&self, Closing { from, .. }: Closing) {
        let link = self.outgoing.peers.lock().link(from);
        if let Some(link) = link {
            self.farewells.heard(link.gate);
        }
    }
}
