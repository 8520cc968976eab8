//! What a node says of itself in figures: of its actors, its links, its modules and its process. Each number is what it is at the
//! moment of the question, read without stopping anybody.

use serde::{Deserialize, Serialize};

use super::checkpoints::CheckpointRow;
use super::message::ActorRow;

/// What a guest has done since it started, over all its instances, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActorFigures {
    /// The time since it started.
    pub(crate) age_ms: u64,
    /// Casts and calls that it was given.
    pub(crate) messages: u64,
    pub(crate) calls_answered: u64,
    pub(crate) calls_failed: u64,
    /// Processor time, in the resolution of `epoch_tick`.
    pub(crate) busy_us: u64,
    pub(crate) failures: u64,
    /// Restarts in place.
    pub(crate) restarts: u64,
    /// Linear memory, as far as it has grown.
    pub(crate) memory_bytes: u64,
    /// What of that takes memory of the machine; none where the system doesn't tell.
    #[serde(default)]
    pub(crate) resident_bytes: Option<u64>,
    /// What it may grow to.
    pub(crate) memory_limit: u64,
    pub(crate) waiting_bytes: u64,
    pub(crate) timers: u64,
    pub(crate) monitors: u64,
    /// Replies that it waits for without standing still.
    pub(crate) asks: u64,
    /// Calls that it has put off answering.
    pub(crate) open_calls: u64,
    /// What it did lately; none of one that has just started.
    #[serde(default)]
    pub(crate) lately: Option<Lately>,
}

/// What an actor did in the last seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lately {
    /// How many milliseconds that is.
    pub(crate) over_ms: u64,
    pub(crate) messages: u64,
    pub(crate) busy_us: u64,
}

impl Lately {
    /// Messages in each second.
    #[expect(clippy::cast_precision_loss, reason = "it is shown to people, with few digits")]
    pub(crate) fn messages_per_second(&self) -> f64 {
        self.messages as f64 * 1e3 / self.over_ms.max(1) as f64
    }

    /// The part of one processor that it had.
    #[expect(clippy::cast_precision_loss, reason = "it is shown to people, with few digits")]
    pub(crate) fn busy_share(&self) -> f64 {
        self.busy_us as f64 / 1e3 / self.over_ms.max(1) as f64
    }
}

/// Everything of one actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActorDetail {
    pub(crate) row: ActorRow,
    /// The version of its code, as that says itself.
    pub(crate) version: Option<String>,
    /// The limits on it, and how full they are where that is known.
    pub(crate) limits: Vec<LimitFigure>,
    /// What it was granted, as its configuration says it.
    pub(crate) grants: Vec<String>,
    /// The pids of its children.
    pub(crate) children: Vec<u64>,
    pub(crate) last_failure: Option<FailureDetail>,
    /// The newest first.
    pub(crate) reloads: Vec<ReloadDetail>,
    /// The names of its children, in the order of the pids: none for a child without a name.
    #[serde(default)]
    pub(crate) child_names: Vec<Option<String>>,
    /// The name of its supervisor, if that has one.
    #[serde(default)]
    pub(crate) supervisor_name: Option<String>,
    /// Its kept states, the newest first.
    #[serde(default)]
    pub(crate) checkpoints: Vec<CheckpointRow>,
    /// The reminders of an entity, by their ids. One that isn't active has them all the same, and the pid 0.
    #[serde(default)]
    pub(crate) reminders: Vec<ReminderRow>,
}

/// A reminder of an entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReminderRow {
    /// Which one it is.
    pub(crate) id: String,
    /// The variant of its message.
    pub(crate) message: String,
    /// When it is due, in milliseconds since 1970. None: its only firing was given up.
    pub(crate) due_ms: Option<u64>,
    /// It is due again as much later.
    pub(crate) period_ms: Option<u64>,
    /// The dead letter: for when the firing was due that was given up last, in milliseconds since 1970.
    pub(crate) given_up_ms: Option<u64>,
}

/// A limit on an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LimitFigure {
    /// Its key in node.toml.
    pub(crate) key: String,
    pub(crate) used: u64,
    pub(crate) limit: u64,
}

/// How an actor failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailureDetail {
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// The callback and, for a message, its variant.
    pub(crate) during: String,
    pub(crate) reason: String,
    /// The innermost function first.
    pub(crate) backtrace: Vec<String>,
}

/// An attempt to give an actor other code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReloadDetail {
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
    pub(crate) from: String,
    pub(crate) to: String,
    /// How long the actor stood still.
    pub(crate) pause_us: u64,
    /// Why it did not stay with the new code, if it didn't.
    pub(crate) failed: Option<String>,
}

/// A session with another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkRow {
    /// The number of the session within this process.
    pub(crate) session: u64,
    /// The peer's full name.
    pub(crate) name: String,
    /// Where it listens, as it says itself.
    pub(crate) address: String,
    /// Which end opened the connection.
    pub(crate) opened: OpenedBy,
    pub(crate) version: PeerVersion,
    /// Tells the lives of a node apart; 0 of a stock node.
    pub(crate) incarnation: u64,
    /// None if the session did not say, since it waits for something.
    pub(crate) figures: Option<LinkRowFigures>,
    /// The groups of this node that the peer wants to know of; none if it wants to know of all.
    #[serde(default)]
    pub(crate) wants: Option<Vec<WantedGroups>>,
}

/// Groups that a node wants to know of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WantedGroups {
    /// Their names; `*` stands for any characters.
    pub(crate) pattern: String,
    pub(crate) members: WantedMembers,
}

/// Which members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WantedMembers {
    Every,
    OnePerNode,
}

/// Which end of a session opened its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OpenedBy {
    Us,
    Peer,
}

/// What a peer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PeerVersion {
    /// A node of this project.
    RactorHost,
    /// `ractor_cluster` itself.
    Stock,
}

/// A session in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkRowFigures {
    /// The time since it was authenticated.
    pub(crate) up_ms: u64,
    /// How long the last ping took; none if none has been answered.
    pub(crate) round_trip_us: Option<u64>,
    pub(crate) sent: Traffic,
    pub(crate) received: Traffic,
    pub(crate) outbox_bytes: u64,
    pub(crate) outbox_limit: u64,
    /// Messages that were given up, by reason.
    pub(crate) dead_letters: Vec<(String, u64)>,
    /// What passed lately; none of a session that has just begun.
    #[serde(default)]
    pub(crate) lately: Option<LinkLately>,
}

/// The links of one node of the cluster, as far as this one could find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeLinks {
    /// Its full name.
    pub(crate) node: String,
    pub(crate) links: Vec<FarLink>,
    /// Why they aren't known.
    pub(crate) unknown: Option<String>,
}

/// A link of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FarLink {
    /// The full name of the peer.
    pub(crate) name: String,
    /// How long the last ping took; none if none has been answered.
    pub(crate) round_trip_us: Option<u64>,
}

/// A session that has ended, with all that had passed over it by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndedLink {
    /// The number of the session within this process.
    pub(crate) session: u64,
    /// The peer's full name.
    pub(crate) name: String,
    pub(crate) figures: LinkRowFigures,
}

/// What passed over a link in the last seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkLately {
    /// How many milliseconds that is.
    pub(crate) over_ms: u64,
    pub(crate) sent_messages: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) received_messages: u64,
    pub(crate) received_bytes: u64,
}

/// What has passed in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Traffic {
    pub(crate) casts: u64,
    pub(crate) calls: u64,
    pub(crate) replies: u64,
    pub(crate) control: u64,
    pub(crate) bytes: u64,
}

impl Traffic {
    /// Messages of actors.
    pub(crate) fn messages(&self) -> u64 {
        self.casts + self.calls + self.replies
    }
}

/// A node in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeFigures {
    /// Its full name.
    pub(crate) node: String,
    /// That of this program.
    pub(crate) version: String,
    pub(crate) uptime_ms: u64,
    /// Whether its actors are there, and it isn't leaving.
    #[serde(default)]
    pub(crate) ready: bool,
    pub(crate) process: ProcessFigures,
    /// Threads of the runtime that actors share.
    pub(crate) workers: u64,
    pub(crate) sessions: u64,
    /// Guests that live, and how many can at once, if that is bounded.
    pub(crate) guests: u64,
    pub(crate) guests_limit: Option<u64>,
    /// Memory of all guests, as far as it has grown.
    pub(crate) guests_memory_bytes: u64,
    /// What of that takes memory of the machine; none where the system doesn't tell.
    #[serde(default)]
    pub(crate) guests_resident_bytes: Option<u64>,
    /// Processor time of all guests, those that have ended included.
    pub(crate) guests_busy_us: u64,
    /// What the process has besides the guests.
    pub(crate) own: OwnShare,
    /// Messages that wait for guests.
    pub(crate) waiting: u64,
    pub(crate) waiting_bytes: u64,
    pub(crate) compile_cache: CacheFigures,
    pub(crate) checkpoints: Option<CheckpointFigures>,
    pub(crate) modules: Vec<ModuleRow>,
    /// Its clock, in milliseconds since 1970. A node of an earlier version says nothing of it.
    #[serde(default)]
    pub(crate) now_ms: Option<u64>,
}

/// What the operating system says of the process. All zero where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessFigures {
    pub(crate) pid: u64,
    /// Memory of the machine that it has.
    pub(crate) resident_bytes: u64,
    pub(crate) cpu_us: u64,
    pub(crate) threads: u64,
    pub(crate) open_files: u64,
}

/// What the process has besides its guests: what is left when these are taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnShare {
    pub(crate) cpu_us: u64,
    /// None where the system doesn't tell what the guests take.
    #[serde(default)]
    pub(crate) resident_bytes: Option<u64>,
}

/// Components that had to be compiled, and those whose code the cache had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CacheFigures {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

/// States that were kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckpointFigures {
    pub(crate) written: u64,
    /// Bytes of these.
    pub(crate) bytes: u64,
    /// Attempts that failed. What they were to write is tried again.
    pub(crate) failed: u64,
    /// How long ago one was written last.
    pub(crate) age_ms: Option<u64>,
}

/// What the guests of one module have done, those that have ended included, and what those that live hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModuleRow {
    pub(crate) module: String,
    pub(crate) guests: u64,
    pub(crate) messages: u64,
    pub(crate) calls_answered: u64,
    pub(crate) calls_failed: u64,
    pub(crate) busy_us: u64,
    pub(crate) failures: u64,
    pub(crate) restarts: u64,
    pub(crate) memory_bytes: u64,
    /// What of that takes memory of the machine; none where the system doesn't tell.
    #[serde(default)]
    pub(crate) resident_bytes: Option<u64>,
    pub(crate) waiting: u64,
    pub(crate) waiting_bytes: u64,
    pub(crate) handler_times: HandlerTimes,
}

/// How long handlers took: a histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandlerTimes {
    /// The upper bound of each bucket, and how many messages took no longer.
    pub(crate) buckets_us: Vec<(u64, u64)>,
    pub(crate) count: u64,
    pub(crate) sum_us: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_by_the_second() {
        let lately = Lately {
            over_ms: 5_000,
            messages: 10,
            busy_us: 2_500_000,
        };
        assert_eq!(format!("{:.1}", lately.messages_per_second()), "2.0");
        assert_eq!(format!("{:.2}", lately.busy_share()), "0.50");
        assert_eq!(Lately::default().messages_per_second().to_string(), "0");
    }
}
