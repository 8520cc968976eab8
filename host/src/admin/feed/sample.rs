//! A look at the node: the figures that the stream tells, in the short form in which it tells them.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::rows::Row;
use crate::control::{self, ActorKind, ActorRow, LinkRow, ModuleRow, NodeFigures, OpenedBy, PeerVersion, Service};

/// See the module.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) node: NodeSummary,
    pub(super) links: Vec<LinkFigures>,
    pub(super) modules: Vec<ModuleFigures>,
    pub(super) actors: Vec<(ActorIdentity, ActorNumbers)>,
}

/// The node itself.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct NodeSummary {
    name: String,
    version: String,
    pub(super) uptime_ms: u64,
    ready: bool,
    resident_bytes: u64,
    cpu_us: u64,
    workers: u64,
    sessions: u64,
    guests: u64,
    guests_limit: Option<u64>,
    guests_memory_bytes: u64,
    guests_resident_bytes: Option<u64>,
    guests_busy_us: u64,
    waiting: u64,
    open_files: u64,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct LinkFigures {
    session: u64,
    name: String,
    address: String,
    opened: OpenedBy,
    version: PeerVersion,
    round_trip_us: Option<u64>,
    sent_messages: u64,
    sent_bytes: u64,
    received_messages: u64,
    received_bytes: u64,
    outbox_bytes: u64,
    dead_letters: u64,
    /// True if the session has never said its figures, which are zero until then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unsaid: bool,
}

impl Row for LinkFigures {
    type Key = u64;

    fn key(&self) -> u64 {
        self.session
    }

    fn is_said(&self) -> bool {
        !self.unsaid
    }
}

/// A module in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ModuleFigures {
    module: String,
    guests: u64,
    messages: u64,
    busy_us: u64,
    failures: u64,
    restarts: u64,
    memory_bytes: u64,
    waiting: u64,
}

impl Row for ModuleFigures {
    type Key = String;

    fn key(&self) -> String {
        self.module.clone()
    }
}

/// What an actor is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ActorIdentity {
    pub(super) pid: u64,
    pub(super) name: Option<String>,
    pub(super) kind: ActorKind,
    pub(super) module: Option<String>,
    pub(super) digest: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<String>,
    pub(super) supervisor: Option<u64>,
}

/// What an actor has done and holds. All zero of one that isn't a guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ActorNumbers {
    pub(super) messages: u64,
    pub(super) busy_us: u64,
    pub(super) waiting: u64,
    pub(super) memory_bytes: u64,
    pub(super) failures: u64,
    pub(super) restarts: u64,
}

impl ActorNumbers {
    /// In the order in which they travel.
    pub(super) fn all(&self) -> [u64; 6] {
        let [waiting, memory_bytes, failures, restarts] = self.kept();
        [self.messages, self.busy_us, waiting, memory_bytes, failures, restarts]
    }

    /// Those that are told as they are, and not by what was added.
    pub(super) fn kept(&self) -> [u64; 4] {
        [self.waiting, self.memory_bytes, self.failures, self.restarts]
    }
}

impl Sample {
    /// Looks at everything, and adds the work of that to `work`. Actors are only read, and those that are looked up are as many as `ps`
    /// shows.
    pub(super) async fn of(service: &std::sync::Arc<dyn Service>, work: &mut Duration) -> Self {
        let reading = service.clone();
        let actors = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let actors: Vec<_> = reading.actors().into_iter().map(actor).collect();
            (actors, begun.elapsed())
        });
        let figures = working(work, service.figures()).await;
        // Sessions that don't answer now are asked again in a moment.
        let mut links = working(work, service.links()).await.unwrap_or_default();
        // Commands come and go, this page's readers among them, and are no part of the cluster.
        links.retain(|link| !control::is_command(&link.name));
        let (actors, reading) = actors.await.unwrap_or_default();
        *work += reading;
        Self {
            node: summary(&figures, links.len() as u64),
            links: links.into_iter().map(link).collect(),
            modules: figures.modules.iter().map(module).collect(),
            actors,
        }
    }
}

/// Does something, and adds the time in which it works, and doesn't wait, to `work`.
async fn working<T>(work: &mut Duration, doing: impl Future<Output = T>) -> T {
    let mut doing = pin!(doing);
    poll_fn(|context| {
        let begun = Instant::now();
        let polled = doing.as_mut().poll(context);
        *work += begun.elapsed();
        polled
    })
    .await
}

fn summary(figures: &NodeFigures, sessions: u64) -> NodeSummary {
    NodeSummary {
        name: figures.node.clone(),
        version: figures.version.clone(),
        uptime_ms: figures.uptime_ms,
        ready: figures.ready,
        resident_bytes: figures.process.resident_bytes,
        cpu_us: figures.process.cpu_us,
        workers: figures.workers,
        sessions,
        guests: figures.guests,
        guests_limit: figures.guests_limit,
        guests_memory_bytes: figures.guests_memory_bytes,
        guests_resident_bytes: figures.guests_resident_bytes,
        guests_busy_us: figures.guests_busy_us,
        waiting: figures.waiting,
        open_files: figures.process.open_files,
    }
}

fn link(row: LinkRow) -> LinkFigures {
    let unsaid = row.figures.is_none();
    let figures = row.figures.unwrap_or_default();
    LinkFigures {
        session: row.session,
        name: row.name,
        address: row.address,
        opened: row.opened,
        version: row.version,
        round_trip_us: figures.round_trip_us,
        sent_messages: figures.sent.messages(),
        sent_bytes: figures.sent.bytes,
        received_messages: figures.received.messages(),
        received_bytes: figures.received.bytes,
        outbox_bytes: figures.outbox_bytes,
        dead_letters: figures.dead_letters.iter().map(|(_, letters)| letters).sum(),
        unsaid,
    }
}

fn module(row: &ModuleRow) -> ModuleFigures {
    ModuleFigures {
        module: row.module.clone(),
        guests: row.guests,
        messages: row.messages,
        busy_us: row.busy_us,
        failures: row.failures,
        restarts: row.restarts,
        memory_bytes: row.memory_bytes,
        waiting: row.waiting,
    }
}

fn actor(row: ActorRow) -> (ActorIdentity, ActorNumbers) {
    let figures = row.figures.unwrap_or_default();
    let (module, digest) = row.module.map(|module| (module.name, module.digest)).unzip();
    let identity = ActorIdentity {
        pid: row.pid,
        name: row.name,
        kind: row.kind,
        module,
        digest,
        groups: row.groups,
        supervisor: row.supervisor,
    };
    let numbers = ActorNumbers {
        messages: figures.messages,
        busy_us: figures.busy_us,
        waiting: row.waiting.unwrap_or_default() as u64,
        memory_bytes: figures.memory_bytes,
        failures: figures.failures,
        restarts: figures.restarts,
    };
    (identity, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_session_that_takes_its_time_is_waited_for_without_making_the_looks_rarer() {
        let mut work = Duration::ZERO;
        working(&mut work, tokio::time::sleep(Duration::from_secs(1))).await;
        assert_eq!(work, Duration::ZERO);
        working(&mut work, async { tokio::time::advance(Duration::from_secs(2)).await }).await;
        assert!(work <= Duration::from_secs(2), "{work:?}");
    }
}
