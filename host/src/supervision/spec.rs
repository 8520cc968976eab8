//! What a supervisor is made of: its strategy, its patience with failures, and how each of its children is started.

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;

use ractor::ActorCell;

use super::readiness::OnGiveUp;
use crate::directory::BoxFuture;
use crate::guest::{GuestOptions, Module, RestartIntensity, RestartType};

/// Who else is restarted when an actor was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Nobody. Each actor has a budget of restarts of its own, and beyond it only that actor is given up.
    #[default]
    OneForOne,
    /// Those that were started after it. They all share one budget, and beyond it the supervisor fails.
    RestForOne,
    /// All others. They all share one budget, and beyond it the supervisor fails.
    OneForAll,
}

impl Strategy {
    /// Every strategy, by its name in node.toml.
    pub const ALL: [(&'static str, Self); 3] = [
        ("one-for-one", Self::OneForOne),
        ("rest-for-one", Self::RestForOne),
        ("one-for-all", Self::OneForAll),
    ];
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, strategy)| strategy == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

impl FromStr for Strategy {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let strategy = Self::ALL.iter().find(|(known, _)| *known == name);
        strategy.map(|(_, strategy)| *strategy).ok_or(())
    }
}

/// A supervisor and, below it, everything that it starts.
#[derive(Debug, Clone, Default)]
pub struct SupervisorSpec {
    /// What the log calls it. It is not registered under this name.
    pub name: String,
    /// Who is restarted with whom.
    pub strategy: Strategy,
    /// How many restarts are too many.
    pub intensity: RestartIntensity,
    /// Its children, in the order of their start.
    pub children: Vec<ChildSpec>,
}

/// Why a child did not start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

type StartNative = dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, StartError>> + Send + Sync;

/// One child of a supervisor.
#[derive(Clone)]
pub struct ChildSpec {
    pub(super) name: Arc<str>,
    pub(super) restart: RestartType,
    pub(super) batch: Option<usize>,
    pub(super) on_give_up: OnGiveUp,
    pub(super) code: ChildCode,
    /// It belongs to its supervisor no more. Its place stays, because children are known by theirs.
    pub(super) is_removed: bool,
}

/// What a child is made of.
#[derive(Clone)]
pub(super) enum ChildCode {
    Guest { module: Module, options: Arc<GuestOptions> },
    Native(Arc<StartNative>),
    Supervisor(Arc<SupervisorSpec>),
}

/// What a child is, as far as it makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChildKind {
    Guest,
    Native,
    Supervisor,
}

impl ChildSpec {
    /// A guest, restarted in place by the rules of its supervisor: `options.restarting` is not looked at.
    pub fn guest(module: Module, options: GuestOptions, restart: RestartType) -> Self {
        let name = options.name.as_deref().unwrap_or_else(|| module.name()).into();
        Self {
            name,
            restart,
            batch: None,
            on_give_up: OnGiveUp::Stay,
            is_removed: false,
            code: ChildCode::Guest {
                module,
                options: Arc::new(options),
            },
        }
    }

    /// A native actor. `start` spawns it under its name, linked to the supervisor that it gets, and makes it join its
    /// groups; it is called again for each restart.
    pub fn native<F>(name: &str, restart: RestartType, start: impl Fn(ActorCell) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<ActorCell, StartError>> + Send + 'static,
    {
        Self {
            name: name.into(),
            restart,
            batch: None,
            on_give_up: OnGiveUp::Stay,
            is_removed: false,
            code: ChildCode::Native(Arc::new(move |supervisor| Box::pin(start(supervisor)))),
        }
    }

    /// Another supervisor, which is started again, and all its children with it, when it fails.
    pub fn supervisor(spec: SupervisorSpec) -> Self {
        Self {
            name: spec.name.as_str().into(),
            restart: RestartType::Permanent,
            batch: None,
            on_give_up: OnGiveUp::Stay,
            is_removed: false,
            code: ChildCode::Supervisor(Arc::new(spec)),
        }
    }

    /// Neighbours of the same batch are started together when the supervisor starts, and stopped together when everything is
    /// stopped, not one after the other.
    #[must_use]
    pub fn in_batch(mut self, batch: usize) -> Self {
        self.batch = Some(batch);
        self
    }

    /// What the node does when this actor is given up; by default it stays. For a supervisor this has no effect: what was said for its
    /// actors counts when they are given up with it.
    #[must_use]
    pub fn on_give_up(mut self, then: OnGiveUp) -> Self {
        self.on_give_up = then;
        self
    }

    /// The child, or else all actors below it. A temporary one is never missed. `current` says what has become of a supervisor since it
    /// was first started.
    pub(super) fn actors(
        &self,
        current: &impl Fn(&Arc<SupervisorSpec>) -> Arc<SupervisorSpec>,
    ) -> Vec<(Arc<str>, OnGiveUp)> {
        match &self.code {
            _ if self.is_removed => Vec::new(),
            ChildCode::Supervisor(spec) => {
                let spec = current(spec);
                spec.children.iter().flat_map(|child| child.actors(current)).collect()
            }
            _ if self.restart == RestartType::Temporary => Vec::new(),
            _ => vec![(self.name.clone(), self.on_give_up)],
        }
    }

    pub(super) fn kind(&self) -> ChildKind {
        match self.code {
            ChildCode::Guest { .. } => ChildKind::Guest,
            ChildCode::Native(_) => ChildKind::Native,
            ChildCode::Supervisor(_) => ChildKind::Supervisor,
        }
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ChildSpec");
        debug.field("name", &self.name).field("restart", &self.restart);
        match &self.code {
            ChildCode::Guest { module, .. } => debug.field("module", &module.name()).finish(),
            ChildCode::Native(_) => debug.finish_non_exhaustive(),
            ChildCode::Supervisor(spec) => debug.field("supervisor", spec).finish(),
        }
    }
}
