//! The limits that can't be configured: constants, whose values are read from the source.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a value is shown.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Bytes,
    Count,
    Time,
}

/// A constant that bounds something.
pub(super) struct Constant {
    /// The folder of the crate, and a part of the path below it that tells constants of the same name apart. Empty if none has it.
    of: (&'static str, &'static str),
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) what: &'static str,
    pub(super) beyond: &'static str,
}

impl Constant {
    /// The name as the page has it, with as much of its module as tells it from others.
    pub(super) fn shown(&self) -> String {
        match self.of.1 {
            "" => self.name.to_owned(),
            part => format!("{}::{}", part.replace('/', "::"), self.name),
        }
    }
}

const fn row(
    of: (&'static str, &'static str),
    name: &'static str,
    unit: Unit,
    what: &'static str,
    beyond: &'static str,
) -> Constant {
    Constant {
        of,
        name,
        unit,
        what,
        beyond,
    }
}

const CLUSTER: (&str, &str) = ("cluster", "");
const SANDBOX: (&str, &str) = ("sandbox", "");
const HOST: (&str, &str) = ("host", "");

use Unit::{Bytes, Count, Time};

/// The sections of the page: title, introduction, rows.
#[rustfmt::skip] // a row is what it is about, and then what happens
pub(super) const SECTIONS: &[(&str, &str, &[Constant])] = &[
    ("A session", "For each connection to another node. Where the name begins with `DEFAULT_`, a program that uses the cluster \
                   layer alone can set another value; node.toml can't.", &[
        row(CLUSTER, "DEFAULT_MAX_INBOUND_FRAME_SIZE", Bytes,
            "One frame of a peer that has proved the cookie, with all that a message travels in.",
            "the session ends"),
        row(CLUSTER, "DEFAULT_MAX_OUTBOX_SIZE", Bytes,
            "What waits to be written to a peer.",
            "a guest's send waits for up to `send_wait`; what a native actor sends is a dead letter"),
        row(CLUSTER, "CONTROL_HEADROOM", Bytes,
            "What the node itself may add to that: news of actors and groups, pings, the ends of calls.",
            "the session ends: a peer without them would have a wrong picture of this node"),
        row(CLUSTER, "DEFAULT_MAX_MAILBOX_SIZE", Bytes,
            "What a peer has sent that waits for one actor of this node. For all actors together it is four times that.",
            "further messages are dead letters, and calls fail"),
        row(CLUSTER, "MAX_OUTBOUND_CALLS", Count,
            "Calls that wait for replies of a peer.",
            "a further call fails at once"),
        row(CLUSTER, "MAX_INBOUND_CALLS", Count,
            "Calls of a peer that wait for replies of actors of this node.",
            "a further call fails"),
        row(CLUSTER, "MAX_NAME_BYTES", Bytes,
            "The name of an actor, a group or a scope, as nodes tell each other.",
            "other nodes are not told of it, and what a peer says of it is left out"),
        row(CLUSTER, "MAX_GROUP_PATTERNS", Count,
            "Patterns of groups that a node wants to know of, its own and those of a peer.",
            "the file is not valid; a session with a peer that says more ends"),
        row(CLUSTER, "MAX_QUESTIONS", Count,
            "Actors that a peer is asked for at a time, because somebody has their addresses and the peer keeps them back.",
            "further ones are not found"),
        row(CLUSTER, "QUESTION", Time,
            "The longest that a peer may take to say whether it has such an actor.",
            "it is not found"),
        row(CLUSTER, "MAX_ON_DEMAND_LINKS", Count,
            "Sessions that were opened because entities are spoken to, where `links` is `\"on-demand\"`.",
            "the one that has rested longest makes room; messages wait until there is some"),
        row(CLUSTER, "MAX_TRANSITIVE_DIALS", Count,
            "Connections that are being opened because peers say that there are further nodes.",
            "what they say is left out until there is another session with one of them"),
        row(CLUSTER, "MAX_HEARSAY_LOOK_UPS", Count,
            "Names of further nodes that are being looked up because peers say them.",
            "further ones wait, within the time of their connections"),
        row(CLUSTER, "ATTEMPT", Time,
            "One attempt to connect to a peer, with the look-up of its name.",
            "it fails, and another one follows after a pause"),
        row(CLUSTER, "FLUSH", Time,
            "The time that an ending session has to write what it has accepted.",
            "the rest is lost"),
        row(CLUSTER, "STOP", Time,
            "The time that a stopping node waits for all its sessions to end in order.",
            "they are cut off"),
    ]),
    ("Before a peer has proved itself", "What a connection may take while it has shown no cookie. How many there may be is \
                                         `HandshakeLimits`: 512, of them 64 from one address or IPv6 network, beyond which older ones give way.", &[
        row(CLUSTER, "MAX_HANDSHAKE_FRAME", Bytes,
            "One frame.",
            "the connection is closed"),
        row(CLUSTER, "MAX_NODE_NAME_BYTES", Bytes,
            "The full name of a node, and the address that it says it has.",
            "the connection is closed"),
        row(CLUSTER, "FREE", Count,
            "Failed handshakes from one source before it is given the same challenge for a while.",
            "its challenges change every 10 seconds only, until it has not failed for an hour"),
        row(CLUSTER, "SOURCES", Count,
            "Sources whose failed handshakes are counted apart.",
            "all others are counted as one source"),
    ]),
    ("What a guest is made of", "", &[
        row(SANDBOX, "MAX_CONTRACT_BYTES", Bytes,
            "What an actor says of itself: its messages, their types and its documentation.",
            "it counts as one that does not describe itself"),
        row(SANDBOX, "MAX_DESCRIPTION_BYTES", Bytes,
            "The same with the definitions of its types (schemas).",
            "definitions that have no room are left out, and their number is said"),
        row(("sandbox", "modules"), "KEPT", Count,
            "Versions of a module that are kept besides the current one, to roll back to.",
            "the oldest is given up"),
    ]),
    ("What guests share", "", &[
        row(("sandbox", "outflow"), "WINDOW", Bytes,
            "What one guest has sent to one native actor of its node that waits there.",
            "its send waits for up to `send_wait`"),
        row(("sandbox", "names"), "OF_A_FAMILY", Count,
            "Look-ups of names of one family that are under way.",
            "a further one waits, for 10 seconds at most in all"),
        row(("sandbox", "names"), "OF_ALL", Count,
            "Look-ups of names of all guests that are under way.",
            "a further one waits, for 10 seconds at most in all"),
        row(("sandbox", "lanes"), "OF_A_FAMILY", Count,
            "Work with files of one family that is under way, work of killed guests that still hangs included.",
            "further work waits"),
        row(("sandbox", "lanes"), "OF_ALL", Count,
            "Work with files of all guests that is under way.",
            "further work waits"),
        row(("sandbox", "groups/rate"), "RATE", Count,
            "Changes that all guests make to process groups in one second.",
            "a further change waits for its turn"),
        row(SANDBOX, "MOST_NAMES", Count,
            "Names whose addresses a guest may connect to, because it has looked them up.",
            "the oldest is forgotten, and has to be looked up again"),
        row(SANDBOX, "MOST_ADDRESSES", Count,
            "Addresses of one such name.",
            "further ones are left out"),
    ]),
    ("Entities", "What waits for those that are not active is bounded for each type, see [entities](entities.md).", &[
        row(("entities", ""), "MAILBOX_BYTES", Bytes,
            "The messages that wait for one native entity.",
            "a further message is refused, and a call fails with `overloaded`"),
        row(("entities", ""), "QUESTIONS", Count,
            "Questions what the entities of a type take that are being answered at a time.",
            "whoever asks hears that they don't say"),
    ]),
    ("States on disk", "", &[
        row(SANDBOX, "MOST_WAITING_BYTES", Bytes,
            "States of all actors that wait to be written.",
            "a checkpoint is left out, and the actor's next one makes up for it; its last one waits for room"),
        row(("host", "retention"), "REMEMBERED", Time,
            "The time that states of actors are kept that node.toml does not start any more.",
            "they are removed at the next start"),
        row(("host", "retention"), "MOST_BYTES", Bytes,
            "The states of all such actors.",
            "those that were taken longest ago are removed at the next start"),
        row(("host", "schedule"), "AT_ONCE", Count,
            "Actors that are asked for their states at the same time.",
            "the others wait for their turn"),
    ]),
    ("Deployment", "What somebody with the cookie and the deploy key can make a node hold, once it has a table `[control]`.", &[
        row(("host", "sessions"), "MOST", Count,
            "Sessions of clients with the control actor, for each role.",
            "the one that has not been used for the longest time ends"),
        row(("host", "sessions"), "MOST_BEGUN", Count,
            "Sessions that begin within the time between opening one and its first request, for each role.",
            "a further one is refused, and the client is told to try again"),
        row(("host", "sessions"), "UNPROVED", Time,
            "The time between opening a session and its first request, which proves the key.",
            "the session ends"),
        row(("host", "sessions"), "UNUSED", Time,
            "The time that a session is kept without a request.",
            "the session ends"),
        row(("host", "local/server"), "MOST_CONNECTIONS", Count,
            "Connections of commands to the socket on the node's machine.",
            "a further one is closed"),
        row(("host", "local/server"), "SILENCE", Time,
            "The time that such a connection may be silent, and that a request may be on its way.",
            "the connection is closed"),
        row(("host", "local/server"), "PATIENCE", Time,
            "The time within which such a command takes an answer.",
            "the connection is closed"),
        row(("host", "control/local/mod"), "MAX_REQUEST", Bytes,
            "A request over that socket.",
            "the connection is closed"),
        row(("host", "control/worker"), "MOST_REQUESTS", Count,
            "Requests that are worked on, for each role and for the node's own machine.",
            "a further one is refused, and the client is told to try again"),
        row(("host", "control/worker"), "MOST_CALLS", Count,
            "Calls to actors that wait for replies because somebody asked the node for them, for each role and for the node's own machine.",
            "a further one is refused"),
        row(("host", "control/sending"), "USUAL_WAIT", Time,
            "The time that such a call may take if its sender says nothing.",
            "it fails"),
        row(("host", "control/sending"), "MOST_WAIT", Time,
            "The longest that its sender can ask for.",
            "it waits no longer than this"),
        row(("host", "ledger"), "MOST", Count,
            "Requests whose outcome is remembered, for clients whose answer was lost.",
            "the oldest that is done is forgotten"),
        row(HOST, "MOST_NAMES", Bytes,
            "Names of actors or groups in one answer, each of their bytes taken as six.",
            "the last actors or groups are left out, and their number is said"),
        row(HOST, "MAX_PIECE", Bytes,
            "What one request uploads.",
            "it is refused"),
        row(HOST, "MOST_UPLOADS", Count,
            "Uploads that are under way.",
            "one that has been idle for 10 seconds makes room, or else the new one is refused"),
        row(("host", "store"), "STALE", Time,
            "The time that an unfinished upload is kept.",
            "it is given up"),
        row(("host", "message"), "MOST_ACTORS", Count,
            "Actors that the report of a reload lists.",
            "some of those that were reloaded are left out and counted"),
        row(HOST, "ACTORS_LISTED", Count,
            "Actors of one module, and actors that were given up, that a status lists.",
            "the rest is only counted"),
    ]),
    ("The admin HTTP", "What its clients can make a node hold or wait for, once it has a table `[admin]`.", &[
        row(("host", "admin/server"), "MOST_CONNECTIONS", Count,
            "Connections.",
            "the one that has been idle the longest gives way; where none is idle, a further one is answered with status 503, or closed \
             where there is TLS"),
        row(("host", "admin/server"), "HANDSHAKE", Time,
            "A TLS handshake.",
            "the connection is closed"),
        row(("host", "admin/server"), "MAX_HEAD", Bytes,
            "The first line and the headers of a request.",
            "it is answered with status 431"),
        row(("host", "admin/server"), "MAX_HEADERS", Count,
            "Headers of a request.",
            "it is answered with status 431"),
        row(("host", "admin/server"), "HEAD_TIME", Time,
            "The time without a request on a connection, and the time that the headers of one take to arrive.",
            "the connection is closed"),
        row(("host", "admin/body"), "MAX_BODY", Bytes,
            "The body of a request.",
            "it is answered with status 413"),
        row(("host", "admin/body"), "MOST_BODIES", Count,
            "Bodies that are read at once of those who may only look, and as many of all others.",
            "a further one waits for a place"),
        row(("host", "admin/body"), "BODY_TIME", Time,
            "The time that a body takes to arrive, with the wait for a place.",
            "the request is answered with status 408"),
        row(("host", "admin/operations"), "PLACE_TIME", Time,
            "The time that a request waits for a place among those that are worked on.",
            "it is answered with status 503"),
        row(("host", "admin/stream"), "STALL", Time,
            "The time that a client takes nothing of an answer.",
            "the connection is closed"),
        row(("host", "admin/server"), "GOODBYE", Time,
            "The time that answers have to leave when the node has stopped.",
            "the connections are closed"),
        row(("host", "admin/operating"), "MOST_WAIT_MS", Count,
            "Milliseconds that a request waits for lines of the log, or for events.",
            "it is answered with none"),
        row(("host", "admin/feed"), "MOST_READERS", Count,
            "Clients that read `/v1/stream`.",
            "a further one is answered with status 503"),
        row(("host", "admin/feed"), "MOST_WAITING", Count,
            "Updates, and pages of events, that wait for one of these.",
            "it is told that it is too slow, and let go"),
        row(("host", "admin/feed"), "EVENTS_ROOM", Bytes,
            "Events in one page of these.",
            "the others come in further pages"),
        row(("host", "admin/feed/picture"), "ACTORS_ROOM", Bytes,
            "What one update, of which there is one each second at most, says about actors.",
            "the others come with the next ones"),
        row(("host", "admin/feed/picture"), "COMING_ROOM", Bytes,
            "The part of this about actors that come, change or go.",
            "the others come with the next ones"),
        row(("host", "admin/feed/rows"), "ROWS_ROOM", Bytes,
            "What one update says about links, and about modules.",
            "the others come with the next ones"),
        row(("host", "control/worker"), "MOST_READERS", Count,
            "Requests that wait for lines of the log, events, what was traced, the links of other nodes or the outcome of another request, for \
             each role and for the node's own machine.",
            "a further one is refused; by HTTP with status 503"),
        row(("host", "control/worker"), "OUTCOME_WAIT", Time,
            "The time that a request waits for the outcome of another.",
            "it is refused; by HTTP with status 503. The other one goes on"),
        row(("host", "events/kept"), "MOST_EVENTS", Count,
            "Events that a node keeps.",
            "the oldest of that actor, module or node go which has the most, and readers are told how many"),
        row(("host", "events"), "LONGEST_REASON", Count,
            "Characters of a reason in an event.",
            "it is cut"),
    ]),
    ("Files that a node reads", "", &[
        row(HOST, "MAX_FILE_SIZE", Bytes,
            "node.toml.",
            "it is an error of `check` and `run`"),
        row(("host", "variables"), "MOST_BYTES", Bytes,
            "What variables add to node.toml.",
            "it is an error of `check` and `run`"),
        row(HOST, "MAX_COUNT", Count,
            "Actors that one entry of `[[actors]]` starts.",
            "it is an error of `check` and `run`"),
        row(HOST, "MAX_ACTORS", Count,
            "Actors that all entries start.",
            "it is an error of `check` and `run`"),
        row(("host", "cookie"), "LARGEST_FILE", Bytes,
            "The file with the cookie.",
            "it is an error of `check` and `run`"),
        row(("host", "control/key"), "LARGEST_FILE", Bytes,
            "The file with the deploy key.",
            "it is an error of `check` and `run`"),
        row(("cluster", "tls"), "LARGEST_FILE", Bytes,
            "A file with certificates or a private key.",
            "it is an error of `check` and `run`; if it has grown since, the certificates of before stay in use"),
        row(("files", ""), "PIPE_WAIT", Time,
            "The time until everything has come out of a pipe that is read as a file.",
            "it is an error of `check` and `run`"),
    ]),
    ("The log", "", &[
        row(("host", "lines"), "MOST_BYTES", Bytes,
            "Lines that wait for whoever reads stderr, or stdout.",
            "further lines are dropped, and their number is written once there is room"),
    ]),
    ("Traces", "What passes the actors that operators trace, kept in memory until it is read.", &[
        row(("host", "traces/mod"), "MOST_TRACES", Count,
            "Traces at once, for each role and for the node's own machine.",
            "a further one is refused"),
        row(("host", "traces/mod"), "MOST_EACH_SECOND", Count,
            "Events of a trace in one second, whatever is asked for.",
            "further ones are left out and counted"),
        row(("host", "traces/mod"), "MOST_EVENTS", Count,
            "Events of a trace altogether, whatever is asked for.",
            "the trace ends"),
        row(("host", "traces/mod"), "MOST_TIME", Time,
            "The time that a trace lasts, whatever is asked for.",
            "the trace ends"),
        row(("host", "traces/mod"), "UNREAD", Time,
            "The time for which nobody reads a trace.",
            "the trace ends"),
        row(("host", "traces/mod"), "KEPT", Time,
            "The time for which a trace that has ended can be read.",
            "it is forgotten"),
        row(("sandbox", "accounting/taps"), "LONGEST_NAME", Bytes,
            "The name of a message that is kept.",
            "it is cut"),
        row(("host", "recorder"), "MOST_BYTES", Bytes,
            "Events of a trace that were not read yet.",
            "the oldest go, and their reader is told how many"),
        row(("host", "recorder"), "MOST_VALUE", Bytes,
            "A message of which more than the size is kept.",
            "its size is shown alone"),
        row(("host", "traces/seen"), "MOST_ACTORS", Count,
            "Actors that a trace sees at once.",
            "further ones are not traced"),
    ]),
    ("A stop", "", &[
        row(HOST, "DRAIN", Time,
            "The time that actors have to handle what they were sent.",
            "those that still work are killed"),
        row(HOST, "LAST_WRITES", Time,
            "The time that passes without one state being written while some still wait.",
            "the actors whose last states are not on disk are named, and the exit code is 1"),
    ]),
];

/// The Rust source of the crates.
pub(super) struct SourceTree(BTreeMap<PathBuf, String>);

impl SourceTree {
    pub(super) fn read(repository: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut open: Vec<PathBuf> = ["cluster", "entities", "files", "host", "sandbox"]
            .iter()
            .map(|name| repository.join(name).join("src"))
            .collect();
        while let Some(path) = open.pop() {
            for entry in std::fs::read_dir(path).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    files.insert(path.strip_prefix(repository).unwrap().to_owned(), text);
                }
            }
        }
        Self(files)
    }

    /// In bytes, in milliseconds, or as it is.
    pub(super) fn value(&self, constant: &Constant) -> u64 {
        let Constant {
            of: (folder, part),
            name,
            ..
        } = constant;
        let found: Vec<(&Path, &str)> = self
            .0
            .iter()
            .filter(|(path, _)| path.starts_with(folder))
            .filter(|(path, _)| path.display().to_string().replace('\\', "/").contains(part))
            .filter_map(|(path, text)| Some((path.as_path(), expression(text, name)?)))
            .collect();
        match found.as_slice() {
            [(path, text)] => {
                evaluate(text).unwrap_or_else(|| panic!("`{name}` in {} is {text:?}: what is that?", path.display()))
            }
            [] => panic!(
                "no file of {folder}/src whose path has `{part}` in it defines `{name}`: if it has been renamed or moved, say so in fixed.rs"
            ),
            several => {
                let paths: Vec<_> = several.iter().map(|(path, _)| path).collect();
                panic!("`{name}` is defined in {paths:?}: fixed.rs has to say which of them it means")
            }
        }
    }
}

/// What a constant of the file is defined as.
fn expression<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("const {name}: "))?;
    let (_, rest) = rest.split_once('=')?;
    Some(rest.split_once(';')?.0.trim())
}

/// The value of an expression as constants have them: numbers, `*`, `<<`, and the constructors of `Duration`, in milliseconds.
fn evaluate(text: &str) -> Option<u64> {
    let constructors = [
        ("from_millis", 1),
        ("from_secs", 1000),
        ("from_mins", 60_000),
        ("from_hours", 3_600_000),
    ];
    for (name, milliseconds) in constructors {
        let inner = text.strip_prefix("Duration::").and_then(|text| text.strip_prefix(name));
        if let Some(inner) = inner.and_then(|inner| inner.strip_prefix('(')?.strip_suffix(')')) {
            return Some(evaluate(inner)? * milliseconds);
        }
    }
    if let Some((left, right)) = text.split_once("<<") {
        return Some(evaluate(left)? << evaluate(right)?);
    }
    if let Some((left, right)) = text.split_once('*') {
        return Some(evaluate(left)? * evaluate(right)?);
    }
    text.trim().replace('_', "").parse().ok()
}

#[test]
fn constants_are_found_and_evaluated() {
    let text = "/// Doc.\npub(crate) const MOST: usize = 4 << 10;\nconst A: Duration = Duration::from_mins(10);\n";
    assert_eq!(expression(text, "MOST").and_then(evaluate), Some(4096));
    assert_eq!(expression(text, "A").and_then(evaluate), Some(600_000));
    assert_eq!(expression(text, "B"), None);
    assert_eq!(evaluate("16 * 1024 * 1024"), Some(16 << 20));
    assert_eq!(evaluate("1_024"), Some(1024));
    assert_eq!(evaluate("size_of::<u8>()"), None);
}
