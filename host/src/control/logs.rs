//! What is asked and answered about the log of a node.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::target::Target;

/// How important a line of the log is, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// What is to be logged from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub(crate) enum LevelChange {
    /// All that is not about an actor with a level of its own: as `RUST_LOG` says it.
    All { directive: String },
    /// What is about one actor. Without a level, it is what is logged of all.
    Actor { actor: String, level: Option<ActorLevel> },
    /// As it was when the node started.
    Reset,
}

/// What is logged of one actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ActorLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// What a node logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLevels {
    pub(crate) directive: String,
    /// Actors with a level of their own, by name.
    pub(crate) actors: BTreeMap<String, ActorLevel>,
    /// The directive without operators: from when the node started, or when node.toml was applied last.
    pub(crate) at_start: String,
    /// Where that comes from. None if the node doesn't say so.
    #[serde(default)]
    pub(crate) origin: Option<LogOrigin>,
    /// True if what is logged is what an operator has said.
    #[serde(default)]
    pub(crate) overridden: bool,
    /// The number of seconds that are left; then it is what it was before.
    pub(crate) seconds_left: Option<u64>,
}

/// Where that comes from which is logged unless an operator says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogOrigin {
    /// The variable `RUST_LOG`.
    Environment,
    /// `level` of `[log]`.
    NodeToml,
    /// The program.
    Default,
}

/// Which lines of the log are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogQuery {
    /// The number of the line to go on with, or else the last lines are wanted: `last` of them.
    pub(crate) next: Option<u64>,
    pub(crate) last: usize,
    /// Those alone that are about this actor, or these.
    pub(crate) target: Option<Target>,
    /// Those alone that are as important as this.
    pub(crate) level: Option<LogLevel>,
    /// The longest to wait for a line, in milliseconds; the node has a bound of its own.
    pub(crate) wait_ms: u64,
}

/// Some lines of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLines {
    pub(crate) lines: Vec<LoggedLine>,
    /// The number of the line to go on with.
    pub(crate) next: u64,
    /// How many lines have gone before they could be read.
    pub(crate) lost: u64,
    /// False if there are more already.
    pub(crate) is_all: bool,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedLine {
    pub(crate) level: LogLevel,
    /// The actor that it is about.
    pub(crate) actor: Option<String>,
    pub(crate) text: String,
}
