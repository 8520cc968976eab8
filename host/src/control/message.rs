//! What a node's control actor is asked, what it answers, and how that travels.
//!
//! To the cluster every question is one of three calls: [`ControlMessage`]. What is asked is in the bytes, sealed: see
//! [`seal`](super::seal). A body is the length of its JSON in four bytes, the JSON, and behind it the raw bytes of what is
//! uploaded.

use ractor::RpcReplyPort;
use serde::{Deserialize, Serialize};

use super::applying::ApplyReport;
use super::checkpoints::{CheckpointRow, WentBack};
use super::entities::{EntityTypeRow, ListedEntities};
use super::figures::{ActorDetail, ActorFigures, LinkRow, NodeFigures, NodeLinks};
use super::logs::{LevelChange, LogLevels, LogLines, LogQuery};
use super::request_id::RequestId;
use super::sending::{Delivered, Delivery, Described, NotSent, Reply, Sending};
use super::shorten::{SYNTAX, shorten};
use super::spawning::{SpawnedActor, Spawning};
use super::steering::{Steer, SteeredActor, StoppedActor};
use super::traces::{TraceBegun, TraceQuery, TraceStart, TracedEvents};
use crate::RactorClusterMessage;
use crate::events::{EventPage, EventQuery};
use crate::supervision::reload::{ActorReport, Outcome, Reload, ReloadReport};

/// The name of every node's control actor.
pub(crate) const CONTROL: &str = "ractor-host.control";

/// The most actors of a report that an answer has: with their reasons they stay well below the limit of a frame.
const MOST_ACTORS: usize = 20_000;

/// The most bytes that one request uploads.
pub(crate) const MAX_PIECE: usize = 4 << 20;

/// What the actor takes. Variant names and the layout of the bytes are the protocol: they stay.
#[derive(RactorClusterMessage)]
pub(crate) enum ControlMessage {
    /// Opens a session: the client's number. The reply is a [`Hello`](super::seal::Hello), or a refusal.
    #[rpc]
    Open(Vec<u8>, RpcReplyPort<Vec<u8>>),
    /// The first request of a session: an [`Opening`](super::seal::Opening). The reply is as that of `Ask`.
    #[rpc]
    Begin(Vec<u8>, RpcReplyPort<Vec<u8>>),
    /// A further request, sealed. The reply is an answer, sealed too, or a refusal.
    #[rpc]
    Ask(Vec<u8>, RpcReplyPort<Vec<u8>>),
}

/// Why a request is refused before it is read. This is not sealed, because the sender has proved nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ControlRefusal {
    #[error("the request is malformed")]
    Malformed,
    #[error("there is no such session, or it has ended")]
    NoSession,
    #[error("the key is none of the node's")]
    NotProved,
    #[error("the request was seen before")]
    Replayed,
    #[error("the node is busy with others' requests; try again later")]
    Busy,
}

impl ControlRefusal {
    const ALL: [Self; 5] = [
        Self::Malformed,
        Self::NoSession,
        Self::NotProved,
        Self::Replayed,
        Self::Busy,
    ];

    fn code(self) -> u8 {
        match self {
            Self::Malformed => 1,
            Self::NoSession => 2,
            Self::NotProved => 3,
            Self::Replayed => 4,
            Self::Busy => 5,
        }
    }
}

/// A reply as it travels: a byte that says which it is, and what it is.
pub(crate) fn encode_reply(reply: Result<&[u8], ControlRefusal>) -> Vec<u8> {
    match reply {
        Ok(bytes) => [&[0], bytes].concat(),
        Err(refusal) => vec![refusal.code()],
    }
}

/// What [`encode_reply`] encoded. None if it is something else.
pub(crate) fn decode_reply(bytes: &[u8]) -> Option<Result<&[u8], ControlRefusal>> {
    match bytes.split_first()? {
        (0, rest) => Some(Ok(rest)),
        (code, []) => ControlRefusal::ALL
            .into_iter()
            .find(|refusal| refusal.code() == *code)
            .map(Err),
        _ => None,
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// What runs here?
    Status,
    /// Which nodes does this one have sessions with?
    Nodes,
    /// Which actors are there?
    Actors,
    /// Which process groups have members that this node knows?
    Groups,
    /// Begin to upload a component, or go on: how far is it?
    BeginUpload { digest: String, size: u64 },
    /// The next piece of it, which is behind the JSON.
    Upload { digest: String, offset: u64 },
    /// Replace the code of a module: by what was uploaded, or else by what its file has now.
    Reload {
        id: RequestId,
        digest: Option<String>,
        /// What the version has to be in the end, as the report of a dry run named it: a file may change between the two.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        planned: Option<String>,
        #[serde(flatten)]
        reload: Reload,
    },
    /// Go back to the version before.
    Rollback {
        id: RequestId,
        module: String,
        /// The version that it has to be, as somebody was shown it: another reload may come between the two.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        planned: Option<String>,
    },
    /// What became of the request of this number? If it is still worked on, the answer waits for its end.
    Outcome { id: RequestId },
    /// Stop, start, kill or restart actors.
    Steer(Steer),
    /// What have operators stopped?
    Stopped,
    /// What is logged? And if a change is wanted: for good, or for `seconds`.
    LogLevels {
        change: Option<LevelChange>,
        seconds: Option<u64>,
    },
    /// Which lines are there in the log?
    Logs(LogQuery),
    /// Leave the cluster in order, and end.
    Leave,
    /// How is this node, in figures?
    Figures,
    /// What has passed over its links?
    Links,
    /// Which links are there in the whole cluster?
    ClusterLinks,
    /// Everything of one actor: of the one with this name, or with the pid of `pid:N`.
    Show { target: String },
    /// Send a message to an actor, and wait for its reply.
    Call(Sending),
    /// Send a message to an actor.
    Cast(Sending),
    /// What does the actor say of itself that this target stands for, if it says so within this time?
    Describe { target: String, timeout_ms: u64 },
    /// Send a message whose arguments are bytes already, which stand behind the JSON.
    Deliver(Delivery),
    /// Read node.toml anew and do what is different in it, or only say what that would be.
    Apply { id: RequestId, dry_run: bool },
    /// Begin to trace an actor, or the members of a group.
    BeginTrace(TraceStart),
    /// What has passed the actors that are traced?
    Trace(TraceQuery),
    /// End a trace: nobody wants more of it.
    EndTrace { trace: RequestId },
    /// Which states of an actor are kept?
    Checkpoints { actor: String },
    /// Have an actor go back to a state that is kept: to the one of this number, or else to the newest that is not what
    /// it knows now.
    GoBack { actor: String, number: Option<u64> },
    /// Start another guest.
    Spawn(Spawning),
    /// What has happened?
    Events(EventQuery),
    /// Which types of entities are there?
    Entities,
    /// Which entities of a type have states?
    EntityKeys {
        entity_type: String,
        /// Those after this one, which is written as entities are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
        limit: u32,
    },
    /// Give up the state of an entity.
    DeleteEntity { entity: String },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub(crate) enum Answer {
    Status(NodeStatus),
    Nodes {
        nodes: Vec<OtherNode>,
    },
    /// Of very many actors some are left out, those with the highest pids.
    Actors {
        actors: Vec<ActorRow>,
        left_out: usize,
    },
    /// Of very many groups some are left out, those that come last by name.
    Groups {
        groups: Vec<GroupRow>,
        left_out: usize,
    },
    UploadProgress {
        offset: u64,
        complete: bool,
    },
    /// How a reload went, well or not. Of very many actors some are left out, those that failed last.
    Report {
        report: ReloadReport,
        left_out: usize,
    },
    /// It could not be done: why.
    Failed {
        reason: String,
    },
    /// It was broken off: what it had done by then is not known.
    BrokenOff {
        reason: String,
    },
    /// Nothing is known of the request that was asked for: it did not arrive, or was forgotten.
    NoRecord,
    Steered {
        actors: Vec<SteeredActor>,
    },
    Stopped {
        actors: Vec<StoppedActor>,
    },
    LogLevels(LogLevels),
    Logs(LogLines),
    /// It leaves.
    Leaving,
    Figures {
        figures: Box<NodeFigures>,
    },
    Links {
        links: Vec<LinkRow>,
    },
    /// That of the node which answers comes first.
    ClusterLinks {
        nodes: Vec<NodeLinks>,
    },
    Show {
        actor: Box<ActorDetail>,
    },
    /// What a call brought.
    Reply(Reply),
    /// How many actors were sent a message.
    Sent {
        actors: usize,
    },
    /// A message was not sent, or not answered.
    NotSent(NotSent),
    Described(Described),
    Delivered(Delivered),
    /// What came of node.toml.
    Applied {
        report: Box<ApplyReport>,
    },
    TraceBegun(TraceBegun),
    Traced(TracedEvents),
    TraceEnded,
    /// The newest first.
    Checkpoints {
        checkpoints: Vec<CheckpointRow>,
    },
    WentBack(WentBack),
    Spawned(SpawnedActor),
    Events(EventPage),
    Entities {
        types: Vec<EntityTypeRow>,
    },
    EntityKeys(ListedEntities),
    EntityDeleted {
        entity: String,
    },
    /// There was no room for those who wait, or what they wait for takes longer still.
    Busy {
        reason: String,
    },
}

impl Answer {
    /// The actors of a node, as far as they fit into an answer.
    pub(super) fn actors(mut actors: Vec<ActorRow>) -> Self {
        let left_out = shorten(&mut actors, |actor| {
            let names = actor.name.iter().chain(&actor.groups).map(String::len);
            names.map(|name| name + SYNTAX).sum()
        });
        Self::Actors { actors, left_out }
    }

    /// The groups that a node sees, as far as they fit into an answer.
    pub(super) fn groups(mut groups: Vec<GroupRow>) -> Self {
        let left_out = shorten(&mut groups, |group| {
            let nodes = group.elsewhere.iter().map(|on| on.node.len() + SYNTAX);
            group.group.len() + group.scope.len() + nodes.sum::<usize>()
        });
        Self::Groups { groups, left_out }
    }

    /// A report, as far as it fits into an answer.
    pub(crate) fn report(mut report: ReloadReport) -> Self {
        let left_out = report.actors.len().saturating_sub(MOST_ACTORS);
        if left_out > 0 {
            let is_well =
                |actor: &ActorReport| matches!(actor.outcome, Outcome::Reloaded { .. } | Outcome::Planned { .. });
            // `false` sorts first: the actors that failed are what the operator has to see, so they stay.
            report.actors.sort_by_key(is_well);
            report.actors.truncate(MOST_ACTORS);
        }
        Self::Report { report, left_out }
    }

    /// The answer without what could be large: the actors of a report.
    pub(crate) fn in_short(&self) -> Self {
        match self {
            Self::Report { report, left_out } => Self::Report {
                left_out: left_out + report.actors.len(),
                report: ReloadReport {
                    actors: Vec::new(),
                    ..report.clone()
                },
            },
            answer => answer.clone(),
        }
    }
}

/// What a node runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeStatus {
    pub(crate) node: String,
    /// False while actors that it should have are given up, or sessions that it should have are not there. A node of an earlier version
    /// says nothing of it.
    #[serde(default = "yes")]
    pub(crate) ready: bool,
    /// The first of the actors that were given up.
    #[serde(default)]
    pub(crate) given_up: Vec<GivenUpStatus>,
    /// The `required_peers` that there is no session with.
    #[serde(default)]
    pub(crate) missing_peers: Vec<String>,
    /// Why the node isn't part of its cluster yet; none if it is, or has none.
    #[serde(default)]
    pub(crate) not_joined: Option<String>,
    /// What operators have stopped, which the node does not miss.
    #[serde(default)]
    pub(crate) stopped: Vec<StoppedActor>,
    /// True if it is about to stop.
    #[serde(default)]
    pub(crate) leaving: bool,
    pub(crate) modules: Vec<ModuleStatus>,
}

fn yes() -> bool {
    true
}

/// An actor that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivenUpStatus {
    pub(crate) actor: String,
    pub(crate) supervisor: String,
    pub(crate) reason: String,
}

/// A module of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModuleStatus {
    pub(crate) name: String,
    /// Its file on the node's machine.
    pub(crate) path: String,
    /// What new actors run.
    pub(crate) digest: String,
    /// The version of its code, as it says itself.
    pub(crate) version: Option<String>,
    pub(crate) state_version: Option<u32>,
    /// True if it gives its state to the next version.
    pub(crate) reloadable: bool,
    /// The versions that there is a way back to, the newest first.
    pub(crate) previous: Vec<String>,
    /// How many actors it has.
    pub(crate) actors: usize,
    /// The first of them.
    pub(crate) first: Vec<ActorStatus>,
}

/// An actor of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActorStatus {
    pub(crate) name: Option<String>,
    pub(crate) pid: u64,
    /// What it runs, which is not what new actors run if it could not be reloaded.
    pub(crate) digest: String,
    /// Messages that wait for it; those of native actors of its process are not counted.
    pub(crate) waiting: usize,
}

/// An actor of a node, whatever it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActorRow {
    pub(crate) pid: u64,
    pub(crate) name: Option<String>,
    pub(crate) kind: ActorKind,
    /// That of a guest.
    pub(crate) module: Option<ActorModule>,
    /// The groups that it is in, by name, in order.
    pub(crate) groups: Vec<String>,
    /// Messages that wait for it: of a guest only. ractor does not say how many wait for a native actor.
    pub(crate) waiting: Option<usize>,
    /// The pid of its supervisor, if it has one.
    pub(crate) supervisor: Option<u64>,
    /// What it has done and holds: of a guest only. A node of an earlier version says nothing of it.
    #[serde(default)]
    pub(crate) figures: Option<ActorFigures>,
}

/// A process group, as a node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupRow {
    pub(crate) scope: String,
    pub(crate) group: String,
    /// Members of this process.
    pub(crate) here: usize,
    /// Members of other nodes, by the names of these.
    pub(crate) elsewhere: Vec<MembersElsewhere>,
}

/// The members of a group that another node has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MembersElsewhere {
    /// Its full name.
    pub(crate) node: String,
    pub(crate) members: usize,
}

/// What an actor is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ActorKind {
    /// A WebAssembly component.
    Guest,
    /// A native actor that takes messages from other nodes.
    Native,
    /// A native actor of this program, or one that only this process can send to.
    Local,
    /// A supervisor of node.toml.
    Supervisor,
}

/// What a guest runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActorModule {
    pub(crate) name: String,
    pub(crate) digest: String,
}

/// A node that another one has a session with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OtherNode {
    pub(crate) name: String,
    /// Where it listens, as it says itself.
    pub(crate) address: String,
    /// True if it has a control actor.
    pub(crate) control: bool,
}

#[cfg(test)]
mod tests;
