//! What is answered about a configuration that a node was to apply.

use serde::{Deserialize, Serialize};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApplyReport {
    /// The node.toml, as the node names it.
    pub(crate) file: String,
    pub(crate) outcome: ApplyOutcome,
    /// What was to be done, in this order: the first changes of very many.
    pub(crate) changes: Vec<ConfigChange>,
    /// How many changes there are besides.
    #[serde(default)]
    pub(crate) left_out: usize,
    /// What is different in the file and takes effect at the next start of the node.
    pub(crate) needs_restart: Vec<RestartNeeded>,
    /// Why it came to this: what is wrong with the file, what has failed, and what could not be taken back.
    pub(crate) reasons: Vec<String>,
}

/// In one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ApplyOutcome {
    /// Only the plan was asked for.
    Planned,
    /// There was nothing to do.
    Unchanged,
    /// All changes are in force.
    Applied,
    /// The file is wrong, and nothing was touched.
    WrongFile,
    /// Something failed, and what had been done is taken back.
    TakenBack,
    /// Something failed, and not all of what had been done could be taken back.
    Incomplete,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConfigChange {
    pub(crate) action: ChangeAction,
    pub(crate) of: ChangedThing,
    /// The name of a module, of an entry of `[[actors]]` or of a table, or the address of a peer.
    pub(crate) name: String,
    /// The keys that are different, of what is changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<String>,
    /// How many actors of an entry this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) actors: Option<usize>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ChangeAction {
    Add,
    Change,
    Remove,
}

/// To what it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ChangedThing {
    Module,
    /// The actors of an entry.
    Actors,
    Peer,
    /// The keys of `[control]`, or the tokens of `[admin]`.
    Secrets,
    /// Of the table that the name says, or of the [`EXPORTS`].
    Certificates,
    /// What is logged.
    Log,
}

/// The name of the certificates that a collector of OTLP is shown, and of the CA that its own must lead to. Variables have the files.
pub(crate) const EXPORTS: &str = "otlp";

/// Something that only a start of the node can change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RestartNeeded {
    /// The key, as it is written with dots.
    pub(crate) key: String,
    /// Why, where that doesn't follow from the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

/// The most changes of a report, which stays well below the limit of a frame.
const MOST_CHANGES: usize = 5000;

impl ApplyReport {
    /// The report as far as it fits into an answer.
    pub(crate) fn in_short(mut self) -> Self {
        self.left_out = self.changes.len().saturating_sub(MOST_CHANGES);
        self.changes.truncate(MOST_CHANGES);
        self.needs_restart.truncate(MOST_CHANGES);
        self
    }
}

impl ChangeAction {
    /// In a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

impl ChangedThing {
    /// In a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Actors => "actors",
            Self::Peer => "peer",
            Self::Secrets => "secrets",
            Self::Certificates => "certificates",
            Self::Log => "log",
        }
    }
}
