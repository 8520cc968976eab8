//! `[entities.TYPE]`: actors that exist once for each key.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::actor::{self, ActorSection, Code, CodeNames, DeclaredNames};
use super::choice::chosen_or;
use super::context::ReadContext;
use super::duration;
use super::names::{NameOf, checked_name};
use super::problem::Problems;
use super::section::{Keys, Section};
use super::spans::ActorSpans;
use super::{supervisor, values};
use crate::entities::{Durability, EntityKey, EntityType, Where};
use crate::guest::RestartType;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "module",
        "native",
        "arguments",
        "passivate_after",
        "durability",
        "always",
        "max_active",
        "shards",
        "where",
        "reload",
        "limits",
        "config",
        "capabilities",
        "interfaces",
    ],
    explained: &[
        ("name", "the name of the type is that of the table: `[entities.NAME]`"),
        ("count", "there is one entity for each key that messages are sent to"),
        ("checkpoint", "write `durability = \"every 10s\"`"),
        (
            "restart",
            "leave it out: the next message activates an entity that has failed",
        ),
        (
            "supervisor",
            "leave it out: the next message activates an entity that has failed",
        ),
        (
            "essential",
            "leave it out: the next message activates an entity that has failed",
        ),
        ("groups", "leave it out: an entity is found by its type and key"),
        (
            "env",
            "it is a capability: write a table `[entities.NAME.capabilities]`",
        ),
    ],
};

/// The time that an entity stays active without a message if the file doesn't say so.
const PASSIVATE_AFTER: Duration = Duration::from_secs(600);

/// What takes the place of a time where entities stay.
const NEVER: &str = "never";

/// The shortest time between two writes of an entity's state.
const SHORTEST: Duration = Duration::from_millis(10);

/// The entities of a type that are active at most if the file doesn't say so.
const MAX_ACTIVE: u32 = 10_000;

/// The most that the file may say.
pub(super) const MOST_ACTIVE: u32 = 1_000_000;

/// The shards of a type if the file doesn't say so: sixteen for each of 256 nodes.
const SHARDS: u32 = 4_096;

/// The most shards of a type. Each is a row in the store, and 16 bytes on each node.
pub(super) const MOST_SHARDS: u32 = 65_536;

/// The most keys that are always active.
pub(super) const MOST_ALWAYS: usize = 1_000;

/// One checked `[entities.TYPE]` table.
#[derive(Clone, Debug)]
pub struct EntitySection {
    /// The type.
    pub entity_type: EntityType,
    /// What each entity of the type is: an entry of `[[actors]]` as far as the two have keys in common. Its name is that of the type, with
    /// `entity:` before it.
    pub actor: ActorSection,
    /// An entity without a message for this long ends. None: it stays.
    pub passivate_after: Option<Duration>,
    /// When states are written.
    pub durability: Durability,
    /// The keys of entities that are always active, each once.
    pub always: Vec<EntityKey>,
    /// At most about this many are active.
    pub max_active: u32,
    /// The parts of the type that move between the nodes of a cluster, each as a whole: fixed at the type's first start.
    pub shards: NonZeroU32,
    /// The labels that a node of the cluster needs to have such entities: of each name one of these values.
    pub place: Where,
}

/// Where things are in the table that may turn out to be wrong later.
#[derive(Debug)]
pub(super) struct ReadEntity {
    pub(super) section: EntitySection,
    pub(super) spans: ActorSpans,
}

/// Reads one table. Its name is that of the type.
pub(super) fn read(
    name: &Spanned<Cow<'_, str>>,
    section: &Section<'_>,
    names: &DeclaredNames<'_>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> Option<ReadEntity> {
    let type_name = checked_name(NameOf::EntityType, &Spanned::new(name.span(), name.get_ref()), problems);
    let code = actor::read_code(section, &CODE_NAMES, &names.modules, context.entities, problems);
    let arguments = actor::read_arguments(section, problems);
    if let (Some(value), Some(Code::Native(_))) = (section.value("arguments"), &code) {
        problems.error(
            value.span(),
            "`arguments` is for guests, and these entities are native",
            "the program gives them to `HostBuilder::entity`",
        );
    }
    let passivate_after = read_passivate_after(section, problems);
    let durability = read_durability(section, problems);
    let max_active = match section.value("max_active") {
        Some(_) => section.integer("max_active", 1..=MOST_ACTIVE, problems),
        None => Some(MAX_ACTIVE),
    };
    let always = read_always(section, max_active, problems);
    let shards = match section.value("shards") {
        Some(_) => section.integer("shards", 1..=MOST_SHARDS, problems),
        None => Some(SHARDS),
    };
    let place = section.value("where").map(|value| read_place(value, problems));
    let reload_by_restart = chosen_or("reload", &actor::RELOADS, false, section, problems);
    let title = format!("entities.{}", name.get_ref().escape_debug());
    let guest = actor::read_guest((section, &title), code.as_ref(), names, context, problems);
    let type_name = type_name?;
    let at = |key| section.value(key).map(Spanned::span);
    Some(ReadEntity {
        spans: ActorSpans {
            name: name.span(),
            arguments: at("arguments"),
            durability: Some(at("durability").unwrap_or_else(|| name.span())),
            limits: guest.limit_spans,
            capabilities: guest.capability_spans,
            ..ActorSpans::default()
        },
        section: EntitySection {
            entity_type: EntityType::new(&type_name).ok()?,
            actor: ActorSection {
                name: format!("entity:{type_name}"),
                code: code?,
                groups: Vec::new(),
                arguments: arguments.unwrap_or_default(),
                count: 1,
                restart: RestartType::Temporary,
                essential: None,
                reload_by_restart: reload_by_restart?,
                supervisor: supervisor::ROOT.to_owned(),
                checkpoint: None,
                limits: guest.limits,
                grants: guest.grants,
                config: guest.config,
            },
            passivate_after: passivate_after?,
            durability: durability?,
            always,
            max_active: max_active?,
            shards: shards.and_then(NonZeroU32::new)?,
            place: place.unwrap_or_default(),
        },
    })
}

const CODE_NAMES: CodeNames = CodeNames {
    what: "entity",
    no_native: "this program has no native entities `{}`",
    register: "build a program that registers them with `Host::builder().entity(…)`",
};

/// `"10m"` or `"never"`.
fn read_passivate_after(section: &Section<'_>, problems: &mut Problems) -> Option<Option<Duration>> {
    if section.value("passivate_after").is_none() {
        return Some(Some(PASSIVATE_AFTER));
    }
    if *section.text("passivate_after", problems)?.get_ref() == NEVER {
        return Some(None);
    }
    section.time("passivate_after", problems).map(Some)
}

const DURABILITIES: &str = "expected \"before-reply\", \"none\", or a time such as \"every 10s\"";

/// What an entity has answered is to be true after a crash, unless the file says that less will do.
fn read_durability(section: &Section<'_>, problems: &mut Problems) -> Option<Durability> {
    if section.value("durability").is_none() {
        return Some(Durability::BeforeReply);
    }
    let text = section.text("durability", problems)?;
    match (*text.get_ref(), text.get_ref().strip_prefix("every ")) {
        ("before-reply", _) => return Some(Durability::BeforeReply),
        ("none", _) => return Some(Durability::None),
        (_, Some(time)) => match duration::parse(time) {
            Ok(every) if every >= SHORTEST => return Some(Durability::Every(every)),
            Ok(_) => problems.error(
                text.span(),
                "the time of `durability` is too short",
                format!("expected at least {SHORTEST:?}; \"before-reply\" loses nothing"),
            ),
            Err(_) => problems.error(text.span(), "the time of `durability` is no time", duration::EXPECTED),
        },
        (written, None) => {
            let message = format!("`durability` can't be `{}`", written.escape_debug());
            problems.error(text.span(), message, DURABILITIES);
        }
    }
    None
}

fn read_always(section: &Section<'_>, max_active: Option<u32>, problems: &mut Problems) -> Vec<EntityKey> {
    let mut keys = BTreeSet::new();
    for text in section.texts("always", problems) {
        match EntityKey::new(text.get_ref().as_bytes()) {
            Ok(key) => drop(keys.insert(key)),
            Err(error) => problems.error(text.span(), error.to_string(), "expected 1 to 255 bytes"),
        }
    }
    let most = max_active.map_or(MOST_ALWAYS, |most| (most as usize).min(MOST_ALWAYS));
    if let Some(value) = section.value("always").filter(|_| keys.len() > most) {
        let message = format!("`always` has {} keys, and {most} fit", keys.len());
        problems.error(
            value.span(),
            message,
            format!("expected at most {MOST_ALWAYS}, and no more than `max_active`"),
        );
    }
    keys.into_iter().collect()
}

/// `{ zone = ["a", "b"] }`.
fn read_place(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Where {
    let read = values::read_lists("`where`", value, problems).into_iter();
    let shared = |values: BTreeSet<String>| values.into_iter().map(Arc::from).collect();
    read.map(|(label, values)| (label.into(), shared(values))).collect()
}

impl EntitySection {
    /// `durability` as it is written in the file.
    pub fn durability_name(&self) -> Cow<'static, str> {
        match self.durability {
            Durability::None => "none".into(),
            Durability::Every(every) => format!("every {}", duration::written(every)).into(),
            Durability::BeforeReply => "before-reply".into(),
        }
    }

    /// What the runtime of entities has to know.
    pub(crate) fn settings(&self) -> crate::entities::TypeSettings {
        crate::entities::TypeSettings {
            durability: self.durability,
            passivate_after: self.passivate_after,
            max_active: self.max_active as usize,
            always: self.always.clone(),
            reminders: crate::entities::ReminderLimits {
                count: self.actor.limits.reminders,
                bytes: self.actor.limits.reminder_bytes,
            },
            ..crate::entities::TypeSettings::default()
        }
    }

    /// The native entities that it names, or the module.
    pub(crate) fn code(&self) -> &Code {
        &self.actor.code
    }
}
