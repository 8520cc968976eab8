//! The configuration of a node: `node.toml`, read and checked.
//!
//! The file is walked as a tree of values with their places, so that everything that is wrong with it is reported at
//! once, each mistake with line, column and what was expected. What comes out needs no further checks but those of the
//! outside world: that module files exist, that the port is free. docs/node-toml.md lists every key.

mod actor;
mod address;
mod admin;
mod capabilities;
mod checkpoint;
mod choice;
mod cluster;
mod context;
mod control;
mod cookie;
mod duration;
mod entity;
mod groups;
mod include;
mod interfaces;
mod limits;
mod listen;
mod literal;
mod log;
mod module;
mod names;
pub(crate) mod nearest;
mod node;
mod node_limit;
mod node_limits;
mod overrides;
mod path;
mod problem;
mod reading;
mod runtime;
mod secret;
mod section;
mod size;
mod source;
mod spans;
mod supervisor;
#[cfg(test)]
mod tests;
mod tls;
mod values;
mod variables;
mod wire_type;
mod written;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use actor::{ActorSection, Code, MAX_ACTORS, MAX_COUNT};
pub use address::{AddressError, PeerAddress};
pub use admin::{AdminSection, AdminTls, RoleToken};
pub use checkpoint::CheckpointSection;
pub use cluster::{ClusterLinks, ClusterSection, StoreUrl};
pub use control::{ControlSection, RoleKey};
pub use cookie::{Cookie, CookieError};
pub use entity::EntitySection;
pub use literal::{Literal, LiteralError};
pub use log::LogSection;
pub use module::ModuleBuild;
pub(crate) use nearest::{did_you_mean, nearest};
pub use node::NodeSection;
pub use problem::{ConfigError, Finding, Findings};
pub(crate) use runtime::MOST_ELEMENTS;
pub use runtime::RuntimeSection;
pub use secret::SecretPlace;
pub(crate) use spans::{EntryPart, LateProblems};
pub use supervisor::{ROOT, SupervisorSection};
pub use tls::TlsSection;
pub use wire_type::{DecodeError, Type, TypeError, misfit};
pub(crate) use written::{KeyWords, WrittenKeys};

use crate::files;
use crate::guest::{HostInterfaces, Limits, LoadFault, ModuleSource};
use actor::DeclaredNames;
use context::ReadContext;
use include::IncludedFiles;
use overrides::Override;
use problem::Problems;
use reading::read_text;
use section::{Keys, Section};
use source::Source;
use spans::{ActorSpans, ConfigSpans};

/// The largest file that is read, in bytes.
pub const MAX_FILE_SIZE: u64 = 4 * 1024 * 1024;

const KEYS: Keys = Keys {
    known: &[
        "include",
        "node",
        "cluster",
        "runtime",
        "control",
        "admin",
        "log",
        "modules",
        "supervisors",
        "defaults",
        "actors",
        "entities",
    ],
    explained: &[
        ("entity", "write a table for each type: `[entities.TYPE]`"),
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
    /// `[cluster]`: none if the node finds no others by itself.
    pub cluster: Option<ClusterSection>,
    /// `[runtime]`.
    pub runtime: RuntimeSection,
    /// `[control]`: none if nobody may deploy to this node.
    pub control: Option<ControlSection>,
    /// `[admin]`: none if the node has no admin HTTP.
    pub admin: Option<AdminSection>,
    /// `[log]`.
    pub log: LogSection,
    /// `[modules.NAME]`, by name.
    pub modules: Vec<ModuleSource>,
    /// What is done about them while the node runs, in the same order.
    pub builds: Vec<ModuleBuild>,
    /// `[supervisors.NAME]`: the root first, whether the file has it or not.
    pub supervisors: Vec<SupervisorSection>,
    /// `[[actors]]`, in the order of the file.
    pub actors: Vec<ActorSection>,
    /// `[entities.TYPE]`, by type.
    pub entities: Vec<EntitySection>,
    /// `[defaults.limits]`: the limits of guests whose own tables don't say otherwise.
    pub guest_limits: Arc<Limits>,
    /// The interfaces that its program adds for guests.
    pub interfaces: HostInterfaces,
    /// What works but is hardly wanted.
    pub warnings: Findings,
    /// How the file was read, to read it again.
    pub options: ConfigOptions,
    /// The files that it includes, by whatever way.
    pub included: Vec<PathBuf>,
    /// What it says, to be compared with what it said before.
    pub(crate) written: WrittenKeys,
    /// Where things are that turn out to be wrong only later.
    spans: ConfigSpans,
}

/// How a file is read.
#[derive(Clone, Debug, Default)]
pub struct ConfigOptions {
    /// What takes the place of values in the file, each `KEY=VALUE` as in `--set`: `node.name=beta`.
    pub set: Vec<String>,
    /// The files of modules may not be there yet, because they are built later.
    pub modules_are_built_later: bool,
}

impl NodeConfig {
    /// Reads and checks a file. `natives` are the names that the program registered for native actors.
    ///
    /// # Errors
    /// The file can't be read, or has mistakes: all of them.
    pub fn load(file: &Path, natives: &[&str]) -> Result<Self, ConfigError> {
        Self::load_with(file, natives, &ConfigOptions::default())
    }

    /// As [`load`](Self::load), with values that take the place of those in the file.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn load_with(file: &Path, natives: &[&str], options: &ConfigOptions) -> Result<Self, ConfigError> {
        Self::load_for(file, (natives, &[]), &HostInterfaces::default(), options)
    }

    /// The same, for a program that has native entities too, and adds interfaces for guests.
    pub(crate) fn load_for(
        file: &Path,
        (natives, entities): (&[&str], &[&str]),
        interfaces: &HostInterfaces,
        options: &ConfigOptions,
    ) -> Result<Self, ConfigError> {
        let text = read_text(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let context = ReadContext {
            folder,
            natives,
            entities,
            interfaces,
            included: &[],
            variable: &|name| std::env::var(name),
        };
        Self::parse(file, &text, &context, options)
    }

    /// A text, as if it were in a file of this folder, with these `--set` and this environment.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn of_text(
        text: &str,
        folder: &Path,
        set: Vec<String>,
        variable: &dyn Fn(&str) -> Result<String, std::env::VarError>,
    ) -> Result<Self, ConfigError> {
        let context = ReadContext {
            folder,
            natives: &["native"],
            entities: &["native"],
            interfaces: &HostInterfaces::default(),
            included: &[],
            variable,
        };
        let options = ConfigOptions {
            set,
            ..ConfigOptions::default()
        };
        Self::parse(Path::new("node.toml"), text, &context, &options)
    }

    fn parse(file: &Path, text: &str, context: &ReadContext<'_>, options: &ConfigOptions) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let mut source = Source::new(file, text);
        let sets: Vec<_> = options
            .set
            .iter()
            .map(|set| Override::new(set, source.append(set)))
            .collect();
        let included = IncludedFiles::gather(file, text, context.folder, &mut source, &mut problems);
        let (document, errors) = DeTable::parse_recoverable(source.file_text());
        for error in &errors {
            problems.syntax_error(error.span().unwrap_or(0..0), error.message(), "this is not valid TOML");
        }
        if !errors.is_empty() || problems.has_errors() {
            // What could be read of the rest would only lead to complaints that follow from these.
            problems.into_result(&source)?;
            problems = Problems::default();
        }
        let mut document = included.merge_below(document.into_inner());
        let context = &ReadContext {
            included: source.included(),
            ..*context
        };
        // Before any section is read, so that the command line is checked by the rules of the file.
        for set in &sets {
            set.apply(&mut document, &mut problems);
        }
        if let Some(set) = document
            .get(include::KEY)
            .filter(|value| value.span().start > text.len())
        {
            let help = "write the files into the first one";
            problems.error(set.span(), "`include` can't be set", help);
        }
        // After what the command line sets: a variable that this leaves without a use may be unset.
        variables::substitute(&mut document, source.text(), context.variable, &mut problems);
        let read = read_document(&document, context, &mut problems);
        let mut spans = ConfigSpans::new(source.clone(), context.folder, &problems);
        let (mut modules, mut builds, mut actors) = (Vec::new(), Vec::new(), Vec::new());
        for module in read.modules {
            spans.modules.insert(module.source.name.clone(), module.spans);
            modules.push(module.source);
            builds.push(module.build);
        }
        for (actor, place) in read.actors {
            // Two entries of one name are a mistake that was reported; the first keeps its place.
            spans.actors.entry(actor.name.clone()).or_insert(place);
            actors.push(actor);
        }
        if problems.has_errors() && !options.modules_are_built_later {
            report_missing(&modules, &spans, &mut problems);
        }
        let mut entities = Vec::new();
        for entity::ReadEntity { section, spans: place } in read.entities {
            spans.actors.insert(section.actor.name.clone(), place);
            entities.push(section);
        }
        let warnings = problems.into_result(&source)?;
        match read.node {
            Some(node) => Ok(Self {
                file: file.to_owned(),
                node,
                cluster: read.cluster,
                runtime: read.runtime,
                control: read.control,
                admin: read.admin,
                log: read.log,
                modules,
                builds,
                supervisors: read.supervisors,
                actors,
                entities,
                guest_limits: read.guest_limits,
                interfaces: context.interfaces.clone(),
                warnings,
                options: options.clone(),
                included: source.included().iter().map(|(file, _)| file.clone()).collect(),
                written: WrittenKeys::of(&document),
                spans,
            }),
            None => Err(ConfigError::Wrong(warnings)),
        }
    }

    /// Collects what is found to be wrong with it later.
    pub(crate) fn late_problems(&self) -> LateProblems<'_> {
        self.spans.late_problems()
    }
}

/// Files of modules that are not there, for a file that has other mistakes: whoever mends those wants to know of these too.
/// Where there are no others, they are found when the modules are loaded.
fn report_missing(modules: &[ModuleSource], spans: &ConfigSpans, problems: &mut Problems) {
    for module in modules {
        if let Err(error) = files::check(&module.path)
            && error.is_not_found()
        {
            spans.missing_module(&module.name, &LoadFault::Read(error), problems);
        }
    }
}

/// What the sections of a file say. What has a mistake is left out, and the mistake reported.
struct Document {
    node: Option<NodeSection>,
    cluster: Option<ClusterSection>,
    runtime: RuntimeSection,
    control: Option<ControlSection>,
    admin: Option<AdminSection>,
    log: LogSection,
    modules: Vec<module::ReadModule>,
    supervisors: Vec<SupervisorSection>,
    actors: Vec<(ActorSection, ActorSpans)>,
    entities: Vec<entity::ReadEntity>,
    guest_limits: Arc<Limits>,
}

/// Reads every section even after a mistake.
fn read_document(document: &DeTable<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Document {
    let top = Section::new("the file", 0..0, document, KEYS, problems);
    let node = match top.value("node") {
        Some(value) => Section::open("[node]", value, node::KEYS, problems)
            .and_then(|section| NodeSection::read(&section, top.value("cluster").is_some(), context, problems)),
        None => {
            problems.error(
                0..0,
                "the file has no table [node]",
                "add `[node]` with a `name` and a `cookie_file`",
            );
            None
        }
    };
    let cluster = ClusterSection::read(&top, context, problems);
    let runtime = top
        .value("runtime")
        .and_then(|value| Section::open("[runtime]", value, runtime::KEYS, problems))
        .map(|section| (RuntimeSection::read(&section, context, problems), section));
    let control = top
        .value("control")
        .and_then(|value| Section::open("[control]", value, control::KEYS, problems))
        .and_then(|section| ControlSection::read(&section, context, problems));
    let admin = top
        .value("admin")
        .and_then(|value| Section::open("[admin]", value, admin::KEYS, problems))
        .and_then(|section| {
            let admin = AdminSection::read(&section, context, problems)?;
            admin.check_secrets(&section, node.as_ref(), control.as_ref(), problems);
            Some(admin)
        });
    let log = LogSection::read(&top, problems);
    let (modules, module_names) = read_named("modules", &top, module::KEYS, problems, |name, section, _, problems| {
        module::read(name, section, context, problems)
    });
    let (supervisors, supervisor_names) = read_named("supervisors", &top, supervisor::KEYS, problems, supervisor::read);
    let names = DeclaredNames {
        modules: module_names,
        supervisors: supervisor_names,
        limits: Arc::new(read_default_limits(&top, problems)),
    };
    let actors = read_actors(&top, &names, context, problems);
    actor::check_names(&actors, problems);
    let (entities, _) = read_named(
        "entities",
        &top,
        entity::KEYS,
        problems,
        |name, section, _, problems| entity::read(name, section, &names, context, problems),
    );
    let needed = actors.iter().map(|(actor, _)| actor.supervisor.as_str());
    let supervisors = supervisor::check(supervisors, needed, problems);
    let runtime = runtime.map(|(runtime, section)| {
        runtime::check(&section, &runtime, &actors, problems);
        runtime
    });
    Document {
        node,
        cluster,
        runtime: runtime.unwrap_or_default(),
        control,
        admin,
        log,
        modules,
        supervisors,
        actors,
        entities,
        guest_limits: names.limits,
    }
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
            if key == "entities" {
                "type"
            } else {
                key.trim_end_matches('s')
            }
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
    names: &DeclaredNames<'_>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> Vec<(ActorSection, ActorSpans)> {
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
