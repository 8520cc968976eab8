//! Where in the file things are that turn out to be wrong only later: when modules are loaded, or when it is tried whether
//! their actors could start.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::path::missing;
use super::problem::{ConfigError, Findings, Problems};
use super::source::Source;
use crate::guest::LoadFault;

/// The places of one configuration.
#[derive(Clone, Debug)]
pub(crate) struct ConfigSpans {
    source: Source,
    /// Where relative paths start, but for those of files that are included.
    folder: PathBuf,
    pub(super) modules: BTreeMap<String, ModuleSpans>,
    pub(super) actors: BTreeMap<String, ActorSpans>,
    /// Knows which strings have variables.
    problems: Problems,
}

/// A path, where it is written and as it is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathSpan {
    pub(super) at: Range<usize>,
    pub(super) written: String,
}

impl PathSpan {
    pub(super) fn of(path: &Spanned<&str>) -> Self {
        Self {
            at: path.span(),
            written: (*path.get_ref()).to_owned(),
        }
    }
}

/// The places of one table `[modules.NAME]`.
#[derive(Clone, Debug)]
pub(super) struct ModuleSpans {
    pub(super) path: PathSpan,
    pub(super) digest: Option<Range<usize>>,
    /// The command that makes its file.
    pub(super) build: Option<String>,
}

/// The places of one entry of `[[actors]]`, or of a table `[entities.TYPE]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActorSpans {
    pub(super) name: Range<usize>,
    pub(super) arguments: Option<Range<usize>>,
    pub(super) checkpoint: Option<Range<usize>>,
    pub(super) groups: Option<Range<usize>>,
    pub(super) durability: Option<Range<usize>>,
    /// Those of its own limits, and not those of `[defaults.limits]`.
    pub(super) limits: BTreeMap<String, Range<usize>>,
    pub(super) capabilities: CapabilitySpans,
}

/// The places of a table `[actors.capabilities]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct CapabilitySpans {
    /// In the order of its directories.
    pub(super) directories: Vec<PathSpan>,
    /// By name.
    pub(super) variables: BTreeMap<String, Range<usize>>,
}

impl ConfigSpans {
    pub(super) fn new(source: Source, folder: &Path, problems: &Problems) -> Self {
        Self {
            source,
            folder: folder.to_owned(),
            modules: BTreeMap::new(),
            actors: BTreeMap::new(),
            problems: problems.for_later(),
        }
    }

    fn folder_at(&self, at: usize) -> &Path {
        self.source.folder_at(at).unwrap_or(&self.folder)
    }

    /// Says that the file of a module is not there.
    pub(super) fn missing_module(&self, module: &str, fault: &LoadFault, problems: &mut Problems) {
        if let Some(ModuleSpans { path: place, build, .. }) = self.modules.get(module) {
            let help = match build {
                Some(build) => made_by(build),
                None => missing(&place.written, self.folder_at(place.at.start)),
            };
            problems.error(place.at.clone(), format!("module `{module}`: {fault}"), help);
        }
    }

    /// Collects what is found to be wrong.
    pub(crate) fn late_problems(&self) -> LateProblems<'_> {
        LateProblems {
            spans: self,
            problems: self.problems.clone(),
        }
    }
}

/// What to do about the file of a module that isn't there and that a command makes.
fn made_by(build: &str) -> String {
    format!("`{build}`, run beside the file, makes it")
}

/// What is found to be wrong with a configuration that was read.
#[derive(Debug)]
pub(crate) struct LateProblems<'p> {
    spans: &'p ConfigSpans,
    problems: Problems,
}

/// A part of an entry of `[[actors]]`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EntryPart<'k> {
    /// The entry as a whole.
    Name,
    Arguments,
    Checkpoint,
    Groups,
    Durability,
    /// The limit with this key.
    Limit(&'k str),
    /// The variable of the environment with this name.
    Variable(&'k str),
}

impl LateProblems<'_> {
    /// About an actor, at a part of its entry if the file has that part.
    pub(crate) fn of_actor(&mut self, actor: &str, part: EntryPart<'_>, message: String, help: impl Into<String>) {
        let found = self.spans.actors.get(actor);
        let place = found.and_then(|spans| match part {
            EntryPart::Name => None,
            EntryPart::Arguments => spans.arguments.clone(),
            EntryPart::Checkpoint => spans.checkpoint.clone(),
            EntryPart::Groups => spans.groups.clone(),
            EntryPart::Durability => spans.durability.clone(),
            EntryPart::Limit(key) => spans.limits.get(key).cloned(),
            EntryPart::Variable(name) => spans.capabilities.variables.get(name).cloned(),
        });
        let at = place.or_else(|| found.map(|spans| spans.name.clone()));
        self.problems.error(at.unwrap_or_default(), message, help);
    }

    /// About an actor that is given a secret of the node.
    pub(crate) fn of_secret(&mut self, actor: &str, part: EntryPart<'_>, message: String) {
        let help = "give it a secret of its own: whoever has this one can act as the node";
        self.of_actor(actor, part, message, help);
    }

    /// About a directory of an actor that is not to be granted.
    pub(crate) fn of_grant(&mut self, actor: &str, index: usize, message: String, help: &str) {
        let found = self.spans.actors.get(actor);
        let place = found
            .and_then(|spans| spans.capabilities.directories.get(index))
            .cloned();
        self.of_path(place, message, false, help);
    }

    /// About a directory of an actor, which is not there or can't be used.
    pub(crate) fn of_directory(&mut self, actor: &str, index: usize, message: String, is_missing: bool) {
        let found = self.spans.actors.get(actor);
        let place = found
            .and_then(|spans| spans.capabilities.directories.get(index))
            .cloned();
        self.of_path(
            place,
            message,
            is_missing,
            "expected a directory that this process can read",
        );
    }

    /// About the file of a module, which is not there or no component.
    pub(crate) fn of_module(&mut self, module: &str, message: String, is_missing: bool, help: &str) {
        let spans = self.spans.modules.get(module);
        if let Some(ModuleSpans {
            path,
            build: Some(build),
            ..
        }) = spans.filter(|_| is_missing)
        {
            let help = made_by(build);
            return self.problems.error(path.at.clone(), message, help);
        }
        let place = spans.map(|spans| spans.path.clone());
        self.of_path(place, message, is_missing, help);
    }

    /// About a module that is not the one that its `digest` is of.
    pub(crate) fn of_digest(&mut self, module: &str, message: String, help: &str) {
        let spans = self.spans.modules.get(module);
        let at = spans.map(|spans| spans.digest.clone().unwrap_or_else(|| spans.path.at.clone()));
        self.problems.error(at.unwrap_or_default(), message, help);
    }

    fn of_path(&mut self, place: Option<PathSpan>, message: String, is_missing: bool, help: &str) {
        let PathSpan { at, written } = place.unwrap_or_default();
        let help = if is_missing && !written.is_empty() {
            missing(&written, self.spans.folder_at(at.start))
        } else {
            help.to_owned()
        };
        self.problems.error(at, message, help);
    }

    /// Nothing, or all of it.
    ///
    /// # Errors
    /// Something is wrong.
    pub(crate) fn into_result(self) -> Result<Findings, ConfigError> {
        self.problems.into_result(&self.spans.source)
    }
}
