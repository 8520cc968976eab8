//! How much of what a guest sent waits in the mailboxes of native actors.
//!
//! Those mailboxes are ractor's and have no limit, so a guest that sends faster than a native actor handles could use up the
//! host's memory. After every 256 KiB a *probe* follows: a call that the actor drops unanswered when its turn comes,
//! which tells how far it has come. Beyond its window the guest waits.

use std::collections::{HashMap, VecDeque};

use ractor::ActorCell;
use tokio::sync::oneshot::{self, Receiver};

use crate::directory::{self, PROBE_EVERY};

/// Bytes of one guest that may wait for one native actor.
const WINDOW: usize = 4 << 20;

/// Targets are looked through for forgotten ones when there are this many.
const SWEEP_AT: usize = 64;

/// What one guest has sent to native actors.
#[derive(Debug, Default)]
pub(crate) struct Outflow {
    targets: HashMap<u64, Flow>,
}

#[derive(Debug, Default)]
struct Flow {
    since_probe: usize,
    /// Probes on their way, each with the bytes before it.
    probes: VecDeque<(usize, Receiver<Vec<u8>>)>,
    waiting: usize,
}

impl Outflow {
    /// Waits until a message that [takes](crate::directory::retained_bytes) this many bytes may be sent to a native actor.
    pub(super) async fn room(&mut self, pid: u64, cost: usize) {
        let Some(flow) = self.targets.get_mut(&pid) else { return };
        while flow.waiting + cost > WINDOW {
            // Nothing is on its way that could end, so a message that is larger than the window goes alone.
            let Some((passed, probe)) = flow.probes.front_mut() else {
                return;
            };
            // Nobody answers a probe; that its port is dropped is the answer.
            drop(probe.await);
            // Nothing is awaited from here on: a future that is dropped above leaves the probe in its place.
            flow.waiting -= *passed;
            flow.probes.pop_front();
        }
    }

    /// A message that takes this many bytes was sent to a native actor.
    pub(super) fn sent(&mut self, actor: &ActorCell, cost: usize) {
        if self.targets.len() >= SWEEP_AT {
            self.targets.retain(|_, flow| !flow.is_idle());
        }
        let flow = self.targets.entry(actor.get_id().pid()).or_default();
        flow.since_probe += cost;
        flow.waiting += cost;
        if flow.since_probe >= PROBE_EVERY {
            let (probe, passed) = directory::probe();
            // To an actor that has ended it can't be sent, and ends at once, as it should.
            actor.send_serialized(probe).ok();
            flow.probes.push_back((std::mem::take(&mut flow.since_probe), passed));
        }
    }
}

impl Flow {
    /// True if little can wait there. What is forgotten then is at most one probe's worth.
    fn is_idle(&mut self) -> bool {
        while let Some((passed, probe)) = self.probes.front_mut()
            && probe.try_recv() != Err(oneshot::error::TryRecvError::Empty)
        {
            self.waiting -= *passed;
            self.probes.pop_front();
        }
        self.probes.is_empty()
    }
}
