//! What a child is started as, and why it isn't.

use std::error::Error;
use std::fmt;

use crate::BytesConvertable;

/// A child to start with [`spawn`](crate::module::spawn).
///
/// ```
/// use ractor_guest::module::{Child, Restart};
///
/// let worker = Child::of("worker")
///     .name("worker-1")
///     .arguments(5_u64)
///     .group("workers")
///     .restart(Restart::Transient);
/// # drop(worker);
/// ```
#[derive(Clone, Debug)]
pub struct Child {
    pub(crate) module: String,
    pub(crate) name: Option<String>,
    pub(crate) arguments: Vec<u8>,
    pub(crate) groups: Vec<String>,
    pub(crate) restart: Restart,
}

impl Child {
    /// An actor of this module: as node.toml names it in a guest, and as `register` named it natively. Without a name,
    /// with the start argument `()`, in no group and never restarted, unless said otherwise.
    pub fn of(module: impl Into<String>) -> Self {
        Self {
            module: module.into(),
            name: None,
            arguments: Vec::new(),
            groups: Vec::new(),
            restart: Restart::default(),
        }
    }

    /// Its name, unique on the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Its start arguments, of the type that the actor takes.
    #[must_use]
    pub fn arguments(mut self, arguments: impl BytesConvertable) -> Self {
        self.arguments = arguments.into_bytes();
        self
    }

    /// One more process group of the default scope that it is in from the start.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// What is done when it fails or ends.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }
}

/// What happens when a child fails or ends. A restart is in place: the child keeps its id, its name, its groups and the messages
/// that wait for it, and starts anew from the same arguments; the message that it failed at is lost. After too many failures in a
/// short time its parent hears of the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Nothing; the parent hears of it. What ractor does.
    #[default]
    Temporary,
    /// It is restarted after a failure.
    Transient,
    /// It is restarted after a failure, and also after it stopped itself. (Natively nobody can tell that from being
    /// stopped by others: there it is the same as `Transient`.)
    Permanent,
}

/// Why there is no child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpawnError {
    /// This actor may not start actors of that module.
    Denied(String),
    /// There is no such module.
    UnknownModule(String),
    /// Another actor has the name.
    NameTaken(String),
    /// This actor has as many children as it may have.
    TooMany,
    /// The child failed before it lived, or could not be made: the reason.
    Failed(String),
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(module) => write!(f, "this actor is not granted to start actors of the module `{module}`"),
            Self::UnknownModule(module) => write!(f, "there is no module `{module}` to start an actor of"),
            Self::NameTaken(name) => write!(f, "the actor name `{name}` is taken"),
            Self::TooMany => f.write_str("this actor has as many children as it may have"),
            Self::Failed(reason) => write!(f, "the child failed to start: {reason}"),
        }
    }
}

impl Error for SpawnError {}
