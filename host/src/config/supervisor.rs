//! `[supervisors.NAME]`: who is restarted with whom, how often, and when that is given up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::choice::known;
use super::names::{NameOf, checked_name};
use super::problem::Problems;
use super::section::{Keys, Section};
use crate::guest::RestartIntensity;
use crate::supervision::Strategy;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "strategy",
        "max_restarts",
        "within",
        "backoff",
        "max_backoff",
        "supervisor",
    ],
    explained: &[
        ("intensity", "write `max_restarts = 5`"),
        ("period", "write `within = \"60s\"`"),
        ("parent", "write `supervisor = \"…\"`"),
        ("restart", "it belongs to the actors: write it into `[[actors]]`"),
        (
            "actors",
            "write `supervisor = \"…\"` into the `[[actors]]` that belong here",
        ),
    ],
};

/// The supervisor that is above all others, and above every actor that names none.
pub const ROOT: &str = "root";

/// The most restarts that a supervisor allows within its time.
pub(super) const MOST_RESTARTS: u32 = 1_000_000;

/// One checked `[supervisors.NAME]` table.
#[derive(Clone, Debug)]
pub struct SupervisorSection {
    /// The name by which actors refer to it.
    pub name: String,
    /// Who is restarted with whom.
    pub strategy: Strategy,
    /// How often, and after which waits.
    pub intensity: RestartIntensity,
    /// The supervisor above it. None only for the root.
    pub supervisor: Option<String>,
}

impl SupervisorSection {
    /// The root supervisor, if the file says nothing of it.
    pub(super) fn root() -> Self {
        Self {
            name: ROOT.to_owned(),
            strategy: Strategy::default(),
            intensity: RestartIntensity::default(),
            supervisor: None,
        }
    }
}

impl fmt::Display for SupervisorSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RestartIntensity {
            max_restarts,
            within,
            backoff,
            max_backoff,
        } = self.intensity;
        let each = if self.strategy == Strategy::OneForOne {
            " of each actor"
        } else {
            ""
        };
        write!(
            f,
            "{}, at most {max_restarts} restarts{each} within {within:?}, after {backoff:?} to {max_backoff:?}",
            self.strategy
        )
    }
}

/// A supervisor, and where the file has what may be wrong with it in the end.
pub(super) struct ReadSupervisor {
    section: SupervisorSection,
    /// Its name.
    span: Range<usize>,
    /// The name of the one above it.
    above: Option<Range<usize>>,
}

/// Reads one `[supervisors.NAME]` table. `names` are those of all of them.
pub(super) fn read(
    name: &Spanned<std::borrow::Cow<'_, str>>,
    section: &Section<'_>,
    names: &[&str],
    problems: &mut Problems,
) -> Option<ReadSupervisor> {
    let span = name.span();
    let name = checked_name(NameOf::Supervisor, &Spanned::new(name.span(), name.get_ref()), problems);
    let strategy = read_strategy(section, problems);
    let intensity = read_intensity(section, problems);
    let above = section.text("supervisor", problems);
    let is_root = name.as_deref() == Some(ROOT);
    if let Some(above) = above.as_ref().filter(|_| is_root) {
        problems.error(
            above.span(),
            "the supervisor `root` is above all others",
            "leave out `supervisor`",
        );
        return None;
    }
    let supervisor = match &above {
        Some(above) => Some(supervisor_of(above, names, problems)?),
        None => (!is_root).then(|| ROOT.to_owned()),
    };
    Some(ReadSupervisor {
        section: SupervisorSection {
            name: name?,
            strategy: strategy?,
            intensity: intensity?,
            supervisor,
        },
        span,
        above: above.map(|above| above.span()),
    })
}

/// The supervisor that an actor or another supervisor names, if there is one.
pub(super) fn supervisor_of(name: &Spanned<&str>, names: &[&str], problems: &mut Problems) -> Option<String> {
    if *name.get_ref() == ROOT {
        return Some(ROOT.to_owned());
    }
    let nothing = "add a table `[supervisors.…]` for it";
    known(name, "there is no supervisor `{}`", names, nothing, problems)
}

fn read_strategy(section: &Section<'_>, problems: &mut Problems) -> Option<Strategy> {
    let Some(text) = section.text("strategy", problems) else {
        return section.value("strategy").is_none().then(Strategy::default);
    };
    let names: Vec<&str> = Strategy::ALL.iter().map(|(name, _)| *name).collect();
    let name = known(&text, "there is no strategy `{}`", &names, "", problems)?;
    name.parse().ok()
}

fn read_intensity(section: &Section<'_>, problems: &mut Problems) -> Option<RestartIntensity> {
    let default = RestartIntensity::default();
    let max_restarts = match section.value("max_restarts") {
        Some(_) => section.integer("max_restarts", 0..=MOST_RESTARTS, problems),
        None => Some(default.max_restarts),
    };
    let mut time = |key, default| match section.value(key) {
        Some(_) => section.duration(key, problems),
        None => Some(default),
    };
    let (within, backoff) = (time("within", default.within), time("backoff", default.backoff));
    // Whoever asks for a long first wait means it.
    let longest = default.max_backoff.max(backoff.unwrap_or_default());
    let max_backoff = time("max_backoff", longest);
    let intensity = RestartIntensity {
        max_restarts: max_restarts?,
        within: within?,
        backoff: backoff?,
        max_backoff: max_backoff?,
    };
    let span = |key| section.value(key).map_or(section.span.clone(), Spanned::span);
    if intensity.within == Duration::ZERO {
        problems.error(span("within"), "`within` can't be zero", "expected for example `60s`");
        return None;
    }
    if intensity.max_backoff < intensity.backoff {
        problems.error(
            span("max_backoff"),
            "`max_backoff` is shorter than `backoff`",
            "it is the longest wait, and `backoff` is the shortest",
        );
        return None;
    }
    Some(intensity)
}

/// Complains about supervisors that are above themselves, and warns of those that have nobody to supervise. `needed` are those that
/// actors name. What comes out begins with the root.
pub(super) fn check<'n>(
    read: Vec<ReadSupervisor>,
    needed: impl Iterator<Item = &'n str>,
    problems: &mut Problems,
) -> Vec<SupervisorSection> {
    let above: BTreeMap<&str, &str> = read
        .iter()
        .filter_map(|read| Some((read.section.name.as_str(), read.section.supervisor.as_deref()?)))
        .collect();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for name in needed {
        let mut next = Some(name);
        // A supervisor that was seen before ends the walk. So does a circle, which is reported below.
        while let Some(name) = next
            && used.insert(name)
        {
            next = above.get(name).copied();
        }
    }
    for ReadSupervisor {
        section,
        span,
        above: at,
    } in &read
    {
        if let Some(at) = at
            && is_circle(&section.name, &above)
        {
            let message = format!("the supervisor `{}` would be above itself", section.name);
            problems.error(at.clone(), message, "a supervisor is below `root` or below another one");
        } else if section.name != ROOT && !used.contains(section.name.as_str()) {
            let message = format!("the supervisor `{}` has no actors", section.name);
            let help = format!(
                "write `supervisor = {:?}` into the [[actors]] that it is for",
                section.name
            );
            problems.warning(span.clone(), message, help);
        }
    }
    let mut sections: Vec<SupervisorSection> = read.into_iter().map(|read| read.section).collect();
    match sections.iter().position(|section| section.name == ROOT) {
        Some(root) => sections.swap(0, root),
        None => sections.insert(0, SupervisorSection::root()),
    }
    sections
}

/// True if a supervisor is above itself.
fn is_circle(name: &str, above: &BTreeMap<&str, &str>) -> bool {
    let steps = std::iter::successors(above.get(name).copied(), |name| above.get(name).copied());
    // No more steps than there are supervisors: a circle further up must not keep this from ending.
    steps.take(above.len()).any(|step| step == name)
}
