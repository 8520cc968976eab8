//! `checkpoint = { every = "10s", keep = 3 }`: that an actor's state is kept on disk.

use std::time::Duration;

use super::problem::Problems;
use super::section::{Keys, Section};

pub(super) const KEYS: Keys = Keys {
    known: &["every", "keep"],
    explained: &[("interval", "write `every = \"10s\"`"), ("count", "write `keep = 3`")],
};

/// The shortest time between two checkpoints of an actor.
const SHORTEST: Duration = Duration::from_millis(10);

/// The most checkpoints that are kept of one actor.
pub(super) const MOST_KEPT: u32 = 1000;

/// How an actor's state is kept on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointSection {
    /// The longest time for which what the actor did may be lost with it.
    pub every: Duration,
    /// How many are kept.
    pub keep: u32,
}

impl CheckpointSection {
    /// Reads the key `checkpoint` of an actor that is a guest, or not.
    pub(super) fn read(actor: &Section<'_>, is_guest: bool, problems: &mut Problems) -> Option<Self> {
        let value = actor.value("checkpoint")?;
        let section = Section::open("`checkpoint`", value, KEYS, problems)?;
        if !is_guest {
            let message = "a native actor has no checkpoints";
            problems.error(
                value.span(),
                message,
                "leave out `checkpoint`; it is for actors with a `module`",
            );
            return None;
        }
        if section.lacks("every") {
            let message = "`checkpoint` does not say how often";
            problems.error(
                value.span(),
                message,
                "write for example `checkpoint = { every = \"10s\", keep = 3 }`",
            );
            return None;
        }
        let keep = match section.value("keep") {
            Some(_) => section.integer("keep", 1..=MOST_KEPT, problems),
            None => Some(3),
        };
        let every = section.duration("every", problems)?;
        if every < SHORTEST {
            let span = section.value("every").map_or(value.span(), toml::Spanned::span);
            problems.error(span, "`every` is too short", format!("expected at least {SHORTEST:?}"));
            return None;
        }
        Some(Self { every, keep: keep? })
    }
}
