//! `[[actors]]`: the actors that are started.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::checkpoint::CheckpointSection;
use super::choice::{chosen_or, known};
use super::context::ReadContext;
use super::literal::Literal;
use super::names::{NameOf, checked_name};
use super::problem::Problems;
use super::section::{Keys, Section};
use super::source::Redacted;
use super::spans::{ActorSpans, CapabilitySpans};
use super::{capabilities, interfaces, limits, supervisor, values};
use crate::guest::{Grants, Limits, RestartType};
use crate::supervision::OnGiveUp;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "name",
        "module",
        "native",
        "groups",
        "arguments",
        "count",
        "restart",
        "essential",
        "reload",
        "supervisor",
        "checkpoint",
        "limits",
        "config",
        "capabilities",
        "interfaces",
    ],
    explained: &[
        ("strategy", "it belongs to the table `[supervisors.NAME]`"),
        ("max_restarts", "it belongs to the table `[supervisors.NAME]`"),
        (
            "memory",
            "it is a limit: write a table `[actors.limits]` with `memory_bytes = \"64MiB\"`",
        ),
        ("env", "it is a capability: write a table `[actors.capabilities]`"),
        ("group", "write `groups = [\"…\"]`"),
        ("args", "write `arguments = \"u64:5\"`"),
    ],
};

/// The most actors that one entry starts.
pub const MAX_COUNT: u32 = 100_000;

/// The most actors that one file starts.
pub const MAX_ACTORS: usize = 1_000_000;

/// One checked `[[actors]]` table. `Debug` doesn't show what the actor is told, which may be secret.
#[derive(Clone)]
pub struct ActorSection {
    /// The name in the file; see [`ActorSection::names`].
    pub name: String,
    /// What the actor is.
    pub code: Code,
    /// The process groups that it joins, each once.
    pub groups: Vec<String>,
    /// The bytes that its `pre_start` gets; none if the file has no `arguments`.
    pub arguments: Vec<u8>,
    /// How many of them are started.
    pub count: u32,
    /// When it is restarted.
    pub restart: RestartType,
    /// What happens to the node when it is given up, if the file says so. See [`ActorSection::on_give_up`].
    pub essential: Option<OnGiveUp>,
    /// Whether a reload may give it a fresh state where its code can't hand the old one over.
    pub reload_by_restart: bool,
    /// The name of its supervisor.
    pub supervisor: String,
    /// How its state is kept on disk, if it is.
    pub checkpoint: Option<CheckpointSection>,
    /// What it may take of the host, if it is a guest.
    pub limits: Arc<Limits>,
    /// What it may reach, if it is a guest.
    pub grants: Arc<Grants>,
    /// What it is told, if it is a guest.
    pub config: Arc<BTreeMap<String, String>>,
}

impl fmt::Debug for ActorSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            code,
            groups,
            arguments,
            count,
            restart,
            essential,
            reload_by_restart,
            supervisor,
            checkpoint,
            limits,
            grants,
            config,
        } = self;
        f.debug_struct("ActorSection")
            .field("name", name)
            .field("code", code)
            .field("groups", groups)
            .field("arguments", &Redacted(arguments.len()))
            .field("count", count)
            .field("restart", restart)
            .field("essential", essential)
            .field("reload_by_restart", reload_by_restart)
            .field("supervisor", supervisor)
            .field("checkpoint", checkpoint)
            .field("limits", limits)
            .field("grants", grants)
            .field("config", &config.keys())
            .finish()
    }
}

/// What `restart` may be.
pub(super) const RESTARTS: [(&str, RestartType); 3] = [
    ("permanent", RestartType::Permanent),
    ("transient", RestartType::Transient),
    ("temporary", RestartType::Temporary),
];

/// What `reload` may be, and whether the actor may then be restarted for it.
pub(super) const RELOADS: [(&str, bool); 2] = [("snapshot", false), ("restart", true)];

/// The names that an actor may refer to, those of tables with mistakes too.
#[derive(Debug, Default)]
pub(super) struct DeclaredNames<'d> {
    pub(super) modules: Vec<&'d str>,
    pub(super) supervisors: Vec<&'d str>,
    /// The limits of guests that have no others.
    pub(super) limits: Arc<Limits>,
}

/// What an actor is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// The component with this name.
    Module(String),
    /// The Rust actor that the program registered under this name.
    Native(String),
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(name) => write!(f, "module `{name}`"),
            Self::Native(name) => write!(f, "native actor `{name}`"),
        }
    }
}

impl ActorSection {
    /// What happens to a node with this setting when the actor is given up. Without `essential` a native and permanent actor
    /// follows the setting, and every other one leaves the node running: whatever a guest does, the node goes on.
    pub fn on_give_up(&self, of_node: OnGiveUp) -> OnGiveUp {
        match (self.essential, &self.code, self.restart) {
            (Some(then), ..) => then,
            (None, Code::Native(_), RestartType::Permanent) => of_node,
            (None, ..) => OnGiveUp::Stay,
        }
    }

    /// As `restart` is written in the file.
    pub fn restart_name(&self) -> &'static str {
        let name = RESTARTS.iter().find(|(_, restart)| *restart == self.restart);
        name.map_or("", |(name, _)| name)
    }

    /// The names of the actors that are started: the name itself for one, `name-1`, `name-2`, … for several.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        let several = self.count > 1;
        (1..=self.count).map(move |number| {
            if several {
                format!("{}-{number}", self.name)
            } else {
                self.name.clone()
            }
        })
    }

    pub(super) fn read(
        section: &Section<'_>,
        names: &DeclaredNames<'_>,
        context: &ReadContext<'_>,
        problems: &mut Problems,
    ) -> Option<(Self, ActorSpans)> {
        let name = section.required_text("name", "\"counter\"", problems);
        let name_span = name.as_ref().map_or(section.span.clone(), Spanned::span);
        let name = name.and_then(|name| checked_name(NameOf::Actor, &name, problems));
        let code = read_code(section, &CODE_NAMES, &names.modules, context.natives, problems);
        let groups = read_groups(section, problems);
        let arguments = read_arguments(section, problems);
        let count = match section.value("count") {
            Some(_) => section.integer("count", 1..=MAX_COUNT, problems),
            None => Some(1),
        };
        let restart = read_restart(section, problems);
        let essential = read_essential(section, restart, problems);
        let reload_by_restart = chosen_or("reload", &RELOADS, false, section, problems);
        let supervisor = match section.text("supervisor", problems) {
            Some(name) => supervisor::supervisor_of(&name, &names.supervisors, problems),
            None => Some(supervisor::ROOT.to_owned()),
        };
        let is_guest = !matches!(code, Some(Code::Native(_)));
        let checkpoint = CheckpointSection::read(section, is_guest, problems);
        let guest = read_guest((section, "actors"), code.as_ref(), names, context, problems);
        let actor = Self {
            name: name?,
            code: code?,
            groups,
            arguments: arguments.unwrap_or_default(),
            count: count?,
            restart: restart?,
            essential,
            reload_by_restart: reload_by_restart?,
            supervisor: supervisor?,
            checkpoint,
            limits: guest.limits,
            grants: guest.grants,
            config: guest.config,
        };
        let at = |key| section.value(key).map(Spanned::span);
        let spans = ActorSpans {
            name: name_span,
            arguments: at("arguments"),
            checkpoint: at("checkpoint"),
            groups: at("groups"),
            durability: None,
            limits: guest.limit_spans,
            capabilities: guest.capability_spans,
        };
        Some((actor, spans))
    }
}

/// The bytes that `pre_start` gets; none if there are none, or they are wrong.
pub(super) fn read_arguments(section: &Section<'_>, problems: &mut Problems) -> Option<Vec<u8>> {
    let text = section.text("arguments", problems)?;
    match text.get_ref().parse::<Literal>() {
        Ok(literal) => Some(literal.into_bytes()),
        Err(error) => {
            problems.error(
                text.span(),
                error.to_string(),
                "expected a typed literal such as `u64:5`",
            );
            None
        }
    }
}

/// What only guests have.
pub(super) struct GuestSettings {
    pub(super) limits: Arc<Limits>,
    pub(super) grants: Arc<Grants>,
    pub(super) config: Arc<BTreeMap<String, String>>,
    pub(super) limit_spans: BTreeMap<String, Range<usize>>,
    pub(super) capability_spans: CapabilitySpans,
}

/// `title` is what the tables of the section are below.
pub(super) fn read_guest(
    (section, title): (&Section<'_>, &str),
    code: Option<&Code>,
    names: &DeclaredNames<'_>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> GuestSettings {
    let mut guest = GuestSettings {
        limits: names.limits.clone(),
        grants: Arc::default(),
        config: Arc::default(),
        limit_spans: BTreeMap::new(),
        capability_spans: CapabilitySpans::default(),
    };
    if let Some(Code::Native(_)) = code {
        for key in ["limits", "config", "capabilities", "interfaces"] {
            if let Some(value) = section.value(key) {
                let message = format!("`{key}` is for guests, and this actor is native");
                problems.error(
                    value.span(),
                    message,
                    "a native actor is part of the program, and can do whatever the program can",
                );
            }
        }
        return guest;
    }
    let table = |key, keys, problems: &mut Problems| {
        let value = section.value(key)?;
        Section::open(format!("[{title}.{key}]"), value, keys, problems)
    };
    if let Some(section) = table("limits", limits::KEYS, problems) {
        guest.limits = Arc::new(limits::read(&section, &names.limits, problems));
        guest.limit_spans = section.spans();
    }
    if let Some(section) = table("capabilities", capabilities::KEYS, problems) {
        let (grants, spans) = capabilities::read(&section, &names.modules, context, problems);
        guest.grants = Arc::new(grants);
        guest.capability_spans = spans;
    }
    if let Some(value) = section.value("interfaces") {
        Arc::make_mut(&mut guest.grants).interfaces = interfaces::read(value, context, problems);
    }
    if let Some(value) = section.value("config") {
        guest.config = Arc::new(values::read("[actors.config]", value, problems));
    }
    guest
}

/// How what has code is spoken of.
pub(super) struct CodeNames {
    /// What it is.
    pub(super) what: &'static str,
    /// There is no native code of this name, which `{}` stands for.
    pub(super) no_native: &'static str,
    /// What to do where there is none at all.
    pub(super) register: &'static str,
}

const CODE_NAMES: CodeNames = CodeNames {
    what: "actor",
    no_native: "this program has no native actor `{}`",
    register: "build a program that registers it with `Host::builder().native(…)`",
};

pub(super) fn read_code(
    section: &Section<'_>,
    words: &CodeNames,
    modules: &[&str],
    natives: &[&str],
    problems: &mut Problems,
) -> Option<Code> {
    let CodeNames {
        what,
        no_native,
        register,
    } = words;
    let module = section.text("module", problems);
    let native = section.text("native", problems);
    match (module, native) {
        (Some(module), None) => {
            let message = "there is no module `{}`";
            known(&module, message, modules, "add a table `[modules.…]` for it", problems).map(Code::Module)
        }
        (None, Some(native)) => known(&native, no_native, natives, register, problems).map(Code::Native),
        (Some(_), Some(native)) => {
            let message = format!("an {what} is either `module` or `native`, not both");
            problems.error(native.span(), message, "keep one of them");
            None
        }
        (None, None) => {
            if section.lacks("module") && section.lacks("native") {
                let message = format!("the {what} has neither `module` nor `native`");
                problems.error(section.span.clone(), message, "add for example `module = \"counter\"`");
            }
            None
        }
    }
}

/// An actor that fails is restarted, one that stops itself has had enough.
fn read_restart(section: &Section<'_>, problems: &mut Problems) -> Option<RestartType> {
    chosen_or("restart", &RESTARTS, RestartType::Transient, section, problems)
}

/// Whether the node can't do without the actor.
fn read_essential(section: &Section<'_>, restart: Option<RestartType>, problems: &mut Problems) -> Option<OnGiveUp> {
    let essential = section.boolean("essential", problems)?;
    if essential && restart == Some(RestartType::Temporary) {
        let span = section.value("essential").map_or(section.span.clone(), Spanned::span);
        problems.error(
            span,
            "a temporary actor can't be essential: since it is never restarted, it is never given up",
            "write `restart = \"transient\"`; with `max_restarts = 0` for its supervisor the first failure ends the node",
        );
    }
    Some(if essential { OnGiveUp::Exit } else { OnGiveUp::Stay })
}

fn read_groups(section: &Section<'_>, problems: &mut Problems) -> Vec<String> {
    let groups: BTreeSet<String> = section
        .texts("groups", problems)
        .iter()
        .filter_map(|group| checked_name(NameOf::Group, group, problems))
        .collect();
    groups.into_iter().collect()
}

/// Complains about names that two actors would have, and about more actors than a process can hold.
pub(super) fn check_names(actors: &[(ActorSection, ActorSpans)], problems: &mut Problems) {
    let mut taken = BTreeSet::new();
    for (actor, spans) in actors {
        let span = &spans.name;
        for name in actor.names() {
            // Within the loop, so that no more names than that are ever made.
            if taken.len() >= MAX_ACTORS {
                let message = format!("the file starts more than {MAX_ACTORS} actors");
                return problems.error(span.clone(), message, "start fewer, or spread them over several nodes");
            }
            if taken.contains(&name) {
                let message = format!("the actor name `{name}` is taken by an actor above");
                problems.error(span.clone(), message, "every actor of a node has its own name");
                break;
            }
            taken.insert(name);
        }
    }
}
