//! The configuration of a node: `node.toml`, read and checked.
//!
//! The file is walked as a tree of values with their places, so that everything that is wrong with it is reported at
//! once, each mistake with line, column and what was expected. What comes out needs no further checks but those of the
//! outside world: that module files exist, that the port is free. docs/node-toml.md lists every key.

mod actor;
mod address;
mod capabilities;
mod checkpoint;
mod control;
mod cookie;
mod duration;
mod limits;
mod literal;
mod module;
mod names;
mod nearest;
mod node;
mod problem;
mod runtime;
mod section;
mod size;
mod source_type;
mod supervisor;
#[cfg(test)]
mod tests;
mod tls;
mod values;
mod wire_type;

use std::borrow::Cow;
use std::env::VarError;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use actor::{ActorSection, Code, MAX_ACTORS, MAX_COUNT};
pub use address::{AddressError, PeerAddress};
pub use checkpoint::CheckpointSection;
pub use control::ControlSection;
pub use cookie::{Cookie, CookieError};
pub use literal::{Literal, LiteralError};
pub use module::ModuleUpkeep;
#[cfg(feature = "cli")]
pub(crate) use nearest::nearest;
pub use node::NodeSection;
pub use problem::{ConfigError, Finding, Findings};
pub(crate) use runtime::MOST_ELEMENTS;
pub use runtime::RuntimeSection;
pub use supervisor::{ROOT, SupervisorSection};
pub use tls::TlsSection;
pub use wire_type::{DecodeError, Scalar, Type, TypeError};

use crate::guest::{Limits, ModuleSource};
use actor::Names;
use problem::Problems;
use section::{Keys, Section};

/// The largest file that is read, in bytes.
pub const MAX_FILE_SIZE: u64 = 4 * 1024 * 1024;

const KEYS: Keys = Keys {
    known: &[
        "node",
        "runtime",
        "control",
        "modules",
        "supervisors",
        "defaults",
        "actors",
    ],
    explained: &[
        ("module", "write a table for each: `[modules.NAME]`"),
        ("supervisor", "write a table for each: `[supervisors.NAME]`"),
        ("actor", "write a table for each: `[[actors]]`"),
        (
            "limits",
            "write `[defaults.limits]` for all guests, or `[actors.limits]` below an actor",
        ),
        ("capabilities", "write `[actors.capabilities]` below an actor"),
        ("name", "it belongs to the table `[node]`"),
        ("peers", "it belongs to the table `[node]`"),
        ("listen", "it belongs to the table `[node]`"),
        ("insecure", "it belongs to the table `[node]`"),
        ("tls", "it is part of [node]: write `[node.tls]`"),
    ],
};

/// A checked `node.toml`.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The file that it came from, as it was named.
    pub file: PathBuf,
    /// `[node]`.
    pub node: NodeSection,
    /// `[runtime]`.
    pub runtime: RuntimeSection,
    /// `[control]`: none if nobody may deploy to this node.
    pub control: Option<ControlSection>,
    /// `[modules.NAME]`, by name.
    pub modules: Vec<ModuleSource>,
    /// What is done about them while the node runs, in the same order.
    pub upkeep: Vec<ModuleUpkeep>,
    /// `[supervisors.NAME]`: the root first, whether the file has it or not.
    pub supervisors: Vec<SupervisorSection>,
    /// `[[actors]]`, in the order of the file.
    pub actors: Vec<ActorSection>,
    /// What works but is hardly wanted.
    pub warnings: Findings,
}

/// What a file is checked against besides itself.
pub(crate) struct Context<'a> {
    /// Relative paths start here.
    folder: &'a Path,
    /// The native actors of the program.
    natives: &'a [&'a str],
    /// The environment.
    variable: &'a dyn Fn(&str) -> Result<String, VarError>,
}

impl NodeConfig {
    /// Reads and checks a file. `natives` are the names that the program registered for native actors.
    ///
    /// # Errors
    /// The file can't be read, or has mistakes: all of them.
    pub fn load(file: &Path, natives: &[&str]) -> Result<Self, ConfigError> {
        let text = read_text(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Self::parse(
            file,
            &text,
            &Context {
                folder,
                natives,
                variable: &|name| std::env::var(name),
            },
        )
    }

    fn parse(file: &Path, text: &str, context: &Context<'_>) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            problems.error(error.span().unwrap_or(0..0), error.message(), "this is not valid TOML");
        }
        if !errors.is_empty() {
            // What could be read of the rest would only lead to complaints that follow from these.
            problems.into_result(file, text)?;
            problems = Problems::default();
        }
        let document = document.into_inner();
        let read = read_document(&document, context, &mut problems);
        let warnings = problems.into_result(file, text)?;
        match read {
            Some((node, runtime, control, (modules, upkeep), supervisors, actors)) => Ok(Self {
                file: file.to_owned(),
                node,
                runtime,
                control,
                modules,
                upkeep,
                supervisors,
                actors,
                warnings,
            }),
            None => Err(ConfigError::Wrong(warnings)),
        }
    }
}

type Sections = (
    NodeSection,
    RuntimeSection,
    Option<ControlSection>,
    (Vec<ModuleSource>, Vec<ModuleUpkeep>),
    Vec<SupervisorSection>,
    Vec<ActorSection>,
);

/// Reads every section even after a mistake. None only if a problem was reported.
fn read_document(document: &DeTable<'_>, context: &Context<'_>, problems: &mut Problems) -> Option<Sections> {
    let top = Section::new("the file", 0..0, document, KEYS, problems);
    let node = match top.value("node") {
        Some(value) => Section::open("[node]", value, node::KEYS, problems)
            .and_then(|section| NodeSection::read(&section, context, problems)),
        None => {
            problems.error(
                0..0,
                "the file has no table [node]",
                "add `[node]` with a `name` and a `cookie_file`",
            );
            None
        }
    };
    let runtime = top
        .value("runtime")
        .and_then(|value| Section::open("[runtime]", value, runtime::KEYS, problems))
        .map(|section| (RuntimeSection::read(&section, context, problems), section));
    let control = top
        .value("control")
        .and_then(|value| Section::open("[control]", value, control::KEYS, problems))
        .and_then(|section| ControlSection::read(&section, context, problems));
    let (modules, module_names) = read_named("modules", &top, module::KEYS, problems, |name, section, _, problems| {
        module::read(name, section, context, problems)
    });
    let (supervisors, supervisor_names) = read_named("supervisors", &top, supervisor::KEYS, problems, supervisor::read);
    let names = Names {
        modules: module_names,
        supervisors: supervisor_names,
        limits: Arc::new(read_default_limits(&top, problems)),
    };
    let actors = read_actors(&top, &names, context, problems);
    actor::check_names(&actors, problems);
    let actors: Vec<ActorSection> = actors.into_iter().map(|(actor, _)| actor).collect();
    let supervisors = supervisor::check(supervisors, &actors, problems);
    let runtime = runtime.map(|(runtime, section)| {
        runtime::check(&section, &runtime, &actors, problems);
        runtime
    });
    let modules = modules.into_iter().unzip();
    Some((
        node?,
        runtime.unwrap_or_default(),
        control,
        modules,
        supervisors,
        actors,
    ))
}

/// What the tables `[key.NAME]` say, and the names of all of them, those with mistakes too.
fn read_named<'d, T>(
    key: &str,
    top: &Section<'d>,
    keys: Keys,
    problems: &mut Problems,
    read: impl Fn(&Spanned<Cow<'_, str>>, &Section<'_>, &[&str], &mut Problems) -> Option<T>,
) -> (Vec<T>, Vec<&'d str>) {
    let Some(value) = top.value(key) else {
        return Default::default();
    };
    let DeValue::Table(tables) = value.get_ref() else {
        let message = format!("`{key}` is {}", section::kind(value.get_ref()));
        let help = format!(
            "expected a table for each {}: `[{key}.NAME]`",
            key.trim_end_matches('s')
        );
        problems.error(value.span(), message, help);
        return Default::default();
    };
    let names: Vec<&str> = tables.keys().map(|name| name.get_ref().as_ref()).collect();
    let found = tables.iter().filter_map(|(name, value)| {
        let title = format!("[{key}.{}]", name.get_ref().escape_debug());
        let section = Section::open(title, value, keys, problems)?;
        read(name, &section, &names, problems)
    });
    (found.collect(), names)
}

/// `[defaults.limits]`: the limits of guests whose own tables don't say otherwise.
fn read_default_limits(top: &Section<'_>, problems: &mut Problems) -> Limits {
    let defaults = top
        .value("defaults")
        .and_then(|value| Section::open("[defaults]", value, limits::DEFAULTS, problems));
    let section = defaults
        .as_ref()
        .and_then(|defaults| defaults.value("limits"))
        .and_then(|value| Section::open("[defaults.limits]", value, limits::KEYS, problems));
    let base = Limits::default();
    section.map_or(base.clone(), |section| limits::read(&section, &base, problems))
}

fn read_actors(
    top: &Section<'_>,
    names: &Names<'_>,
    context: &Context<'_>,
    problems: &mut Problems,
) -> Vec<(ActorSection, std::ops::Range<usize>)> {
    let Some(value) = top.value("actors") else {
        return Vec::new();
    };
    let DeValue::Array(actors) = value.get_ref() else {
        let message = format!("`actors` is {}", section::kind(value.get_ref()));
        problems.error(
            value.span(),
            message,
            "expected a table for each actor, in double brackets: `[[actors]]`",
        );
        return Vec::new();
    };
    let read = actors.iter().filter_map(|value| {
        let section = Section::open("[[actors]]", value, actor::KEYS, problems)?;
        ActorSection::read(&section, names, context, problems)
    });
    read.collect()
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE_SIZE) {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
            limit: MAX_FILE_SIZE,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error
            .as_bytes()
            .get(..error.utf8_error().valid_up_to())
            .unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::NotUtf8 {
            path: path.to_owned(),
            line,
        }
    })
}
