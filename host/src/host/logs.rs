//! The log of the node, as operators ask for it and change it.

use std::collections::BTreeSet;
use std::time::Duration;

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::steering;
use crate::control::{ActorLevel, LevelChange, LogLevel, LogLevels, LogLines, LogOrigin, LogQuery, LoggedLine, Target};
use crate::entities::{self, Location};
use crate::guest::Modules;
use crate::ops::filter::{self, LogChange, LogState, Origin};
use crate::ops::tail::{self, LogStart};
use crate::supervision::Steering;

/// The longest that an answer waits for a line.
const MOST_WAIT: Duration = Duration::from_secs(30);

/// The longest that a change for a time may last: 30 days.
const MOST_PASSING: Duration = Duration::from_hours(30 * 24);

/// Changes what is logged if that is wanted, and says what is.
///
/// # Errors
/// The change can't be understood, or the log is the program's own.
pub(super) fn levels(change: Option<LevelChange>, passing: Option<Duration>) -> Result<LogLevels, String> {
    let state = match change {
        None => filter::state(),
        Some(change) => {
            tracing::info!(?change, ?passing, "an operator changes what is logged");
            filter::change(wanted(change), passing.map(|passing| passing.min(MOST_PASSING)))
        }
    };
    state.map(in_answer).map_err(|error| error.to_string())
}

fn wanted(change: LevelChange) -> LogChange {
    match change {
        LevelChange::All { directive } => LogChange::All(directive),
        LevelChange::Actor { actor, level } => LogChange::Actor(
            actor,
            level.map(|level| match level {
                ActorLevel::Off => LevelFilter::OFF,
                ActorLevel::Error => LevelFilter::ERROR,
                ActorLevel::Warn => LevelFilter::WARN,
                ActorLevel::Info => LevelFilter::INFO,
                ActorLevel::Debug => LevelFilter::DEBUG,
                ActorLevel::Trace => LevelFilter::TRACE,
            }),
        ),
        LevelChange::Reset => LogChange::Reset,
    }
}

fn in_answer(state: LogState) -> LogLevels {
    let overridden = state.is_overridden();
    let LogState {
        now,
        at_start,
        origin,
        left,
    } = state;
    let level = |filter: LevelFilter| match filter.into_level().map(level) {
        None => ActorLevel::Off,
        Some(LogLevel::Error) => ActorLevel::Error,
        Some(LogLevel::Warn) => ActorLevel::Warn,
        Some(LogLevel::Info) => ActorLevel::Info,
        Some(LogLevel::Debug) => ActorLevel::Debug,
        Some(LogLevel::Trace) => ActorLevel::Trace,
    };
    LogLevels {
        directive: now.directive,
        actors: now
            .actors
            .into_iter()
            .map(|(actor, filter)| (actor, level(filter)))
            .collect(),
        at_start: at_start.directive,
        origin: Some(match origin {
            Origin::Variable => LogOrigin::Environment,
            Origin::File => LogOrigin::NodeToml,
            Origin::Default => LogOrigin::Default,
        }),
        overridden,
        // The second that has begun counts, so that nothing has none left.
        seconds_left: left.map(|left| left.as_secs() + u64::from(left.subsec_nanos() > 0)),
    }
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

/// The lines that are wanted.
///
/// # Errors
/// There is no such actor, or it is an entity of another node that has no lines here.
pub(super) async fn lines(steering: &Steering, modules: &Modules, query: LogQuery) -> Result<LogLines, String> {
    let start = query.next.map_or(LogStart::Last(query.last), LogStart::At);
    let actors = match &query.target {
        None => None,
        Some(target) => Some(actors(steering, modules, target, query.next.is_none())?),
    };
    let wait = Duration::from_millis(query.wait_ms).min(MOST_WAIT);
    let excerpt = tail::read(start, wait, |line| {
        let is_about = match (&actors, &line.actor) {
            (None, _) => true,
            (Some(actors), Some(actor)) => actors.contains(&**actor),
            (Some(_), None) => false,
        };
        is_about && query.level.is_none_or(|least| level(line.level) <= least)
    })
    .await;
    if let Some(Target::Entity(entity)) = &query.target
        && query.next.is_none()
        && excerpt.lines.is_empty()
        && let Some(Location::Node(node)) = entities::located(entity)
    {
        return Err(steering::is_of(entity, &node));
    }
    let lines = excerpt.lines.into_iter().map(|line| LoggedLine {
        level: level(line.level),
        actor: line.actor.map(Into::into),
        text: line.text.into(),
    });
    Ok(LogLines {
        lines: lines.collect(),
        next: excerpt.next,
        lost: excerpt.lost,
        is_all: excerpt.is_all,
    })
}

/// The names of those that are meant. One that has ended may still have lines, so a reader who goes on keeps the name.
fn actors(steering: &Steering, modules: &Modules, target: &Target, is_first: bool) -> Result<BTreeSet<String>, String> {
    match (target, steering::names_of(steering, modules, target)) {
        (_, Ok(names)) => Ok(names),
        (Target::Name(name), Err(_)) if !is_first => Ok(BTreeSet::from([name.clone()])),
        // An entity has lines of each of its activations, and may be in none of them now.
        (Target::Entity(entity), _) => Ok(BTreeSet::from([entity.to_string()])),
        (Target::Group(_) | Target::Pid(_), Err(_)) if !is_first => Ok(BTreeSet::new()),
        (_, Err(unknown)) => Err(unknown),
    }
}
