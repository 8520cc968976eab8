//! Reload of a module: every actor that runs it goes on with other code, or the module stays as it is.
//!
//! The new component is read, checked and compiled while the old one serves. What it may do is decided before anything is
//! touched (`check`); then each actor is reloaded at a message boundary, several at a time, and has to prove itself
//! (`driver`). If one of them fails, all go back, or the module stays mixed: [`OnFailure`].

mod check;
#[cfg(test)]
mod check_tests;
mod configured;
mod driver;
mod report;
pub(super) mod rollout;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::check::{Refusal, Refused};
pub use self::configured::{ConfiguredActor, Misfit, StartArguments};
pub use self::report::{ActorReport, Outcome, ReloadReport, Verdict};
use crate::guest::{Digest, GuestRef, LoadError, LoadFault, Mode, Module, ModuleSource, Modules, Versions};

/// What is done when some actors of a module are reloaded and one is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum OnFailure {
    /// All go back to the code that they had.
    #[default]
    Rollback,
    /// Those that were reloaded stay so, those that failed keep their code. The new code is current from then on, so that
    /// actors that start later have it.
    Mixed,
}

impl OnFailure {
    /// Both, by their names.
    pub const ALL: [(&'static str, Self); 2] = [("rollback", Self::Rollback), ("mixed", Self::Mixed)];
}

/// To nodes it travels as whether the module may stay mixed.
impl From<bool> for OnFailure {
    fn from(mixed: bool) -> Self {
        if mixed { Self::Mixed } else { Self::Rollback }
    }
}

impl From<OnFailure> for bool {
    fn from(on_failure: OnFailure) -> Self {
        on_failure == OnFailure::Mixed
    }
}

/// A reload to be done. It is the same from the command line to the actors; what travels to another node is what its sender may
/// decide, and the rest is for the node to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    /// The module's name.
    pub module: String,
    /// The new component; none for the file that the module was loaded from.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// The source that the component is to run, of a module that has one; none for the file that the module's was loaded from.
    #[serde(skip)]
    pub source: Option<PathBuf>,
    /// What the file has to be: with a source, both together.
    #[serde(skip)]
    pub digest: Option<Digest>,
    /// The actors that start with this module, beside those that live. Without them, a node might not come up again with the code that
    /// it took.
    #[serde(skip)]
    pub configured: Vec<ConfiguredActor>,
    /// What becomes of the state. None: it is handed over if the code can do that, and else given up by the actors that
    /// may be restarted.
    pub mode: Option<Mode>,
    /// What is done when not all actors can be reloaded.
    #[serde(rename = "mixed")]
    pub on_failure: OnFailure,
    /// The number of messages of each actor that are watched: if it fails at one of them, so has the reload.
    #[serde(skip, default = "usual::probation_messages")]
    pub probation_messages: u32,
    /// The longest that an actor is watched and its old instance kept. Actors that get no messages must not hold two.
    #[serde(skip, default = "usual::probation_time")]
    pub probation_time: Duration,
    /// How many actors are reloaded at the same time.
    #[serde(skip, default = "usual::concurrency")]
    pub concurrency: usize,
    /// How long an actor may take to come to the end of the message that it is handling.
    #[serde(skip, default = "usual::patience")]
    pub patience: Duration,
    /// Load and check only, and say what would be done.
    pub dry_run: bool,
    /// Do it although the new code says that it is another actor, has an older state, or starts with other arguments.
    pub force: bool,
}

impl Reload {
    /// From the module's own file, with the usual patience.
    pub fn of(module: impl Into<String>) -> Self {
        Self {
            module: module.into(),
            file: None,
            source: None,
            digest: None,
            configured: Vec::new(),
            mode: None,
            on_failure: OnFailure::default(),
            probation_messages: usual::probation_messages(),
            probation_time: usual::probation_time(),
            concurrency: usual::concurrency(),
            patience: usual::patience(),
            dry_run: false,
            force: false,
        }
    }
}

/// How carefully a reload goes, unless somebody says otherwise.
mod usual {
    use std::time::Duration;

    pub(super) fn probation_messages() -> u32 {
        1
    }

    pub(super) fn probation_time() -> Duration {
        Duration::from_secs(1)
    }

    pub(super) fn concurrency() -> usize {
        16
    }

    pub(super) fn patience() -> Duration {
        Duration::from_secs(30)
    }
}

/// A reload that was not begun. Nothing was touched.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// There is no such module.
    #[error("there is no module `{module}`; there is: {}", known.join(", "))]
    UnknownModule {
        /// What was asked for.
        module: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// One at a time.
    #[error("module `{0}` is being reloaded already; try again when that is done")]
    Busy(String),
    /// The component can't be used at all.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The component can't take the place of the one that runs.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is not what was to be taken back.
    #[error("module `{0}` was given another version meanwhile, which stays")]
    Replaced(String),
    /// There is no version to go back to.
    #[error("module `{module}` has no other version to go back to{}", wanted.map(|digest| format!(" with the digest {digest}")).unwrap_or_default())]
    NoPrevious {
        /// The module.
        module: String,
        /// What was asked for.
        wanted: Option<Digest>,
    },
}

impl ReloadError {
    /// The step at which it failed: `load`, `link` or `check`.
    pub fn step(&self) -> &'static str {
        match self {
            Self::Load(error) => match error.fault {
                LoadFault::MissingExport { .. }
                | LoadFault::MissingFunction { .. }
                | LoadFault::UnknownImport(_)
                | LoadFault::Mismatch(_) => "link",
                _ => "load",
            },
            _ => "check",
        }
    }
}

/// Reloads a module. An actor that can't be reloaded is no error: the report says what became of each.
///
/// # Errors
/// The reload was not begun, and nothing was touched.
pub async fn reload(modules: &Modules, reload: Reload) -> Result<ReloadReport, ReloadError> {
    let current = current(modules, &reload.module)?;
    // Before anything is compiled: a second reload would be checked against code that the first one replaces.
    let _reloading = modules
        .reloading(&reload.module)
        .ok_or_else(|| ReloadError::Busy(reload.module.clone()))?;
    let source = ModuleSource {
        name: reload.module.clone(),
        path: reload.file.clone().unwrap_or_else(|| current.path().to_owned()),
        source: current.source_file().map(|own| match &reload.source {
            Some(path) => own.at(path),
            None => own.clone(),
        }),
        digest: reload.digest,
    };
    let Some(loaded) = modules.load(&source).await else {
        return Err(unknown(modules, &reload.module));
    };
    to(modules, &loaded?, &reload).await
}

/// Goes back to the version before, or to the kept one with the digest `reload.digest`; its file is not looked at. The
/// version that was current is then the youngest of those before, so that a second rollback undoes the first.
///
/// # Errors
/// The rollback was not begun, and nothing was touched.
pub async fn rollback(modules: &Modules, reload: Reload) -> Result<ReloadReport, ReloadError> {
    current(modules, &reload.module)?;
    let _reloading = modules
        .reloading(&reload.module)
        .ok_or_else(|| ReloadError::Busy(reload.module.clone()))?;
    let target = match reload.digest {
        Some(digest) => modules.version(&reload.module, digest),
        None => modules.previous(&reload.module).into_iter().next(),
    };
    let target = target.ok_or_else(|| ReloadError::NoPrevious {
        module: reload.module.clone(),
        wanted: reload.digest,
    })?;
    to(modules, &target, &reload).await
}

/// Takes a reload back that made `put` current in the place of `before`, which is what is current and kept after it.
///
/// # Errors
/// It was not begun, and nothing was touched: another version is current by now, which somebody else wanted.
pub async fn undo(
    modules: &Modules,
    reload: Reload,
    (put, before): (Digest, Versions),
) -> Result<ReloadReport, ReloadError> {
    let _reloading = modules
        .reloading(&reload.module)
        .ok_or_else(|| ReloadError::Busy(reload.module.clone()))?;
    if current(modules, &reload.module)?.digest() != put {
        return Err(ReloadError::Replaced(reload.module));
    }
    let report = to(modules, before.current(), &reload).await?;
    if report.verdict == Verdict::Reloaded {
        // Everybody runs it already. What was kept is as it was, too: nobody is to go back to what was taken back.
        drop(modules.take_back(before));
    }
    Ok(report)
}

fn current(modules: &Modules, module: &str) -> Result<Module, ReloadError> {
    modules.find(module).ok_or_else(|| unknown(modules, module))
}

fn unknown(modules: &Modules, module: &str) -> ReloadError {
    ReloadError::UnknownModule {
        module: module.to_owned(),
        known: modules.names(),
    }
}

/// Makes `new` the version that every actor of its module runs.
async fn to(modules: &Modules, new: &Module, reload: &Reload) -> Result<ReloadReport, ReloadError> {
    // Asked again now that no other reload can change it: this is what the actors go back to.
    let current = current(modules, &reload.module)?;
    // The actors first, and then what the versions say: one that starts meanwhile is found by the rollout before it ends.
    let guests = behind(modules, new);
    let (old_says, new_says) = (check::CodeFacts::of(&current).await, check::CodeFacts::of(new).await);
    let actors: Vec<_> = guests.iter().map(|guest| check::ActorFacts::of(guest, new)).collect();
    let configured = configured::cannot_start(&reload.configured, new, &new_says, reload.force);
    // All reasons against it are found before the first actor is touched: a rollout that is refused needs no way back.
    let plan = check::plan(&old_says, &new_says, &actors, reload.mode, reload.force);
    let plan = check::also(plan, configured).map_err(|refusals| Refused {
        module: reload.module.clone(),
        refusals,
    })?;
    let mut report = ReloadReport::new(&current, new, plan.changes, reload.dry_run);
    if reload.dry_run {
        let planned = guests.iter().zip(plan.modes);
        report.actors = planned
            .map(|(guest, mode)| ActorReport::new(guest, Outcome::Planned { mode }))
            .collect();
        return Ok(report);
    }
    let swaps = guests.into_iter().zip(plan.modes).collect();
    driver::run(modules, &current, new, swaps, reload, &mut report).await;
    report.log();
    Ok(report)
}

/// The guests of a module that run another version of it.
fn behind(modules: &Modules, new: &Module) -> Vec<GuestRef> {
    let mut guests = modules.guests(new.name());
    guests.retain(|guest| guest.module().digest() != new.digest());
    guests
}
