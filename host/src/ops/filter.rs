//! Which events are logged: what `RUST_LOG` says at the start, and what an operator says while the node runs.
//!
//! An operator chooses for the whole node, or for what is about one actor: events with the field `actor`, be they of the guest itself or
//! of its supervisor. Where nobody has chosen for an actor, an event that is not logged costs what it costs anyway: `tracing` remembers
//! at each place in the code that nobody wants it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber, span};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::Context;

/// The field that says which actor an event is about.
const ACTOR: &str = "actor";

/// The choices of this process, if its log is ours.
static CHOICES: OnceLock<Choices> = OnceLock::new();

thread_local! {
    /// The actor that the event is about that this thread is logging.
    static ABOUT: RefCell<Option<Box<str>>> = const { RefCell::new(None) };
}

/// What is logged, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLevels {
    /// As in `RUST_LOG`.
    pub(crate) directive: String,
    /// Actors with a level of their own, by name.
    pub(crate) actors: BTreeMap<String, LevelFilter>,
}

/// What there is to see of the choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogState {
    /// What is logged now.
    pub(crate) now: LogLevels,
    /// What is logged unless an operator says something else: what `RUST_LOG` or node.toml has.
    pub(crate) at_start: LogLevels,
    /// Where that comes from.
    pub(crate) origin: Origin,
    /// The time that is left; then it is what it was before. None if it stays.
    pub(crate) left: Option<Duration>,
}

impl LogState {
    /// True if what is logged is what an operator has said.
    pub(crate) fn is_overridden(&self) -> bool {
        self.now != self.at_start || self.left.is_some()
    }
}

/// A change of what is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogChange {
    /// For everything that is not about an actor with a level of its own.
    All(String),
    /// For one actor. None takes its own level from it.
    Actor(String, Option<LevelFilter>),
    /// As it is without operators.
    Reset,
}

/// Why nothing is changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotChanged {
    #[error("{0:?} does not say what to log: {1}; expected for example `debug` or `info,ractor_host::node=debug`")]
    Directive(String, String),
    #[error("this program has set up its log by itself, and so it can't be changed from here")]
    NotOurs,
}

#[derive(Debug)]
struct Choices {
    current: Arc<RwLock<Arc<LogSelection>>>,
    plan: Mutex<LogPlan>,
    /// What is logged unless node.toml says something else. None where `RUST_LOG` does, which goes before it.
    default: Option<String>,
}

/// What is to be logged when.
#[derive(Debug)]
struct LogPlan {
    at_start: LogLevels,
    origin: Origin,
    /// What stays.
    lasting: LogLevels,
    /// What goes before it, and until when.
    passing: Option<(LogLevels, Instant)>,
}

#[derive(Debug)]
struct LogSelection {
    filter: EnvFilter,
    actors: BTreeMap<String, LevelFilter>,
    /// The most that any of them wants.
    most: LevelFilter,
}

/// The filter in front of the log. See the module.
#[derive(Debug)]
pub(super) struct LogFilter(Arc<RwLock<Arc<LogSelection>>>);

/// Where that comes from which is logged unless an operator says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `RUST_LOG` of the environment.
    Variable,
    /// `level` of `[log]` in node.toml.
    File,
    Default,
}

/// A filter that logs what `filter` says until somebody says something else. `directive` is the same in words. To be the filter of the
/// process, it has to be [adopted](Unadopted::adopt).
pub(super) fn new(filter: EnvFilter, directive: &str, origin: Origin) -> (LogFilter, Unadopted) {
    let at_start = LogLevels {
        directive: directive.to_owned(),
        actors: BTreeMap::new(),
    };
    let selection = LogSelection {
        filter,
        actors: BTreeMap::new(),
        most: LevelFilter::OFF,
    };
    let current = Arc::new(RwLock::new(Arc::new(selection)));
    let plan = LogPlan {
        lasting: at_start.clone(),
        at_start,
        origin,
        passing: None,
    };
    let choices = Choices {
        current: current.clone(),
        plan: Mutex::new(plan),
        default: (origin == Origin::Default).then(|| directive.to_owned()),
    };
    (LogFilter(current), Unadopted(choices))
}

/// The choices of a filter that may not have become that of the process.
#[derive(Debug)]
pub(super) struct Unadopted(Choices);

impl Unadopted {
    /// The filter is in use.
    pub(super) fn adopt(self) {
        // There is one subscriber in a process, so nobody else was here.
        drop(CHOICES.set(self.0));
    }
}

/// Why node.toml can't say what is logged, if something keeps it from that.
pub(crate) fn fixed() -> Option<&'static str> {
    match CHOICES.get() {
        None => Some("the program has set up its log by itself"),
        Some(Choices { default: None, .. }) => Some("the variable RUST_LOG of the node's environment goes before it"),
        Some(_) => None,
    }
}

/// Has this be logged where no operator has said something else: what node.toml has. What operators have said stays.
pub(crate) fn configure(directive: Option<&str>) {
    let Some(choices) = CHOICES.get() else { return };
    let Some(default) = choices.default.as_deref() else {
        return;
    };
    let mut plan = choices.plan.lock();
    let before = plan.state(Instant::now()).now;
    match directive {
        Some(directive) => plan.configure(directive, Origin::File),
        None => plan.configure(default, Origin::Default),
    }
    let now = plan.state(Instant::now()).now;
    // It was checked with the file.
    if now != before
        && let Ok(selection) = LogSelection::of(&now)
    {
        choices.select(selection);
    }
}

/// What is logged.
///
/// # Errors
/// The log is not ours.
pub(crate) fn state() -> Result<LogState, NotChanged> {
    Ok(CHOICES
        .get()
        .ok_or(NotChanged::NotOurs)?
        .plan
        .lock()
        .state(Instant::now()))
}

/// Changes what is logged: for good, or until this time has passed. Needs a tokio runtime in the latter case.
///
/// # Errors
/// What is to be logged can't be understood, or the log is not ours.
pub(crate) fn change(change: LogChange, passing: Option<Duration>) -> Result<LogState, NotChanged> {
    let choices = CHOICES.get().ok_or(NotChanged::NotOurs)?;
    let mut plan = choices.plan.lock();
    let now = Instant::now();
    let levels = plan.changed(change, now);
    let selection = LogSelection::of(&levels)?;
    match passing {
        Some(time) => {
            plan.passing = Some((levels, now + time));
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                let mut plan = choices.plan.lock();
                // If something else was said meanwhile, this is its affair no more.
                if plan.pass(Instant::now())
                    && let Ok(selection) = LogSelection::of(&plan.lasting)
                {
                    choices.select(selection);
                }
            });
        }
        None => {
            plan.passing = None;
            plan.lasting = levels;
        }
    }
    choices.select(selection);
    Ok(plan.state(now))
}

/// The actor that the event is about that this thread is writing.
pub(super) fn about() -> Option<Box<str>> {
    ABOUT.with_borrow_mut(Option::take)
}

impl Choices {
    fn select(&self, selection: LogSelection) {
        *self.current.write() = Arc::new(selection);
        tracing::callsite::rebuild_interest_cache();
    }
}

impl LogPlan {
    fn state(&self, now: Instant) -> LogState {
        let passing = self.passing.as_ref().filter(|(_, until)| *until > now);
        LogState {
            now: passing.map_or(&self.lasting, |(levels, _)| levels).clone(),
            at_start: self.at_start.clone(),
            origin: self.origin,
            left: passing.map(|(_, until)| until.saturating_duration_since(now)),
        }
    }

    fn changed(&self, change: LogChange, now: Instant) -> LogLevels {
        let mut levels = self.state(now).now;
        match change {
            LogChange::All(directive) => levels.directive = directive,
            LogChange::Actor(actor, Some(level)) => drop(levels.actors.insert(actor, level)),
            LogChange::Actor(actor, None) => drop(levels.actors.remove(&actor)),
            LogChange::Reset => levels = self.at_start.clone(),
        }
        levels
    }

    fn configure(&mut self, directive: &str, origin: Origin) {
        self.origin = origin;
        let before = std::mem::replace(&mut self.at_start.directive, directive.to_owned());
        if self.lasting.directive == before {
            self.lasting.directive = directive.to_owned();
        }
    }

    /// Ends what was to pass by now. False if nothing was.
    fn pass(&mut self, now: Instant) -> bool {
        self.passing.take_if(|(_, until)| *until <= now).is_some()
    }
}

impl LogSelection {
    fn of(levels: &LogLevels) -> Result<Self, NotChanged> {
        let directive = &levels.directive;
        let refuse = |reason: String| NotChanged::Directive(directive.clone(), reason);
        if directive.trim().is_empty() {
            return Err(refuse("it is empty".to_owned()));
        }
        let filter = EnvFilter::try_new(directive).map_err(|error| refuse(error.to_string()))?;
        let most = levels.actors.values().copied().max().unwrap_or(LevelFilter::OFF);
        Ok(Self {
            filter,
            actors: levels.actors.clone(),
            most,
        })
    }

    /// True if events of this kind may be about an actor with a level of its own.
    fn may_choose(&self, metadata: &Metadata<'_>) -> bool {
        !self.actors.is_empty() && metadata.is_event() && metadata.fields().field(ACTOR).is_some()
    }
}

impl LogFilter {
    /// Not by a guard: what logs while it is held would wait for whoever wants to change it.
    fn current(&self) -> Arc<LogSelection> {
        self.0.read().clone()
    }
}

impl<S: Subscriber> Layer<S> for LogFilter {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let current = self.current();
        if current.may_choose(metadata) {
            return Interest::sometimes();
        }
        <EnvFilter as Layer<S>>::register_callsite(&current.filter, metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        let current = self.current();
        let is_chosen = current.may_choose(metadata) && *metadata.level() <= current.most;
        is_chosen || current.filter.enabled(metadata, context)
    }

    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if metadata.fields().field(ACTOR).is_none() {
            ABOUT.with_borrow_mut(|about| *about = None);
            return true;
        }
        let mut about = About(None);
        event.record(&mut about);
        let current = self.current();
        let is_enabled = if current.actors.is_empty() {
            true
        } else {
            match about.0.as_ref().and_then(|actor| current.actors.get(&**actor)) {
                Some(level) => metadata.level() <= level,
                None => current.filter.enabled(metadata, context),
            }
        };
        ABOUT.with_borrow_mut(|slot| *slot = about.0);
        is_enabled
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let current = self.current();
        // None says that there is no bound.
        Some(current.filter.max_level_hint()?.max(current.most))
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        self.current().filter.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        self.current().filter.on_record(id, values, context);
    }

    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        self.current().filter.on_enter(id, context);
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        self.current().filter.on_exit(id, context);
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        self.current().filter.on_close(id, context);
    }
}

/// The value of the field that says which actor an event is about.
struct About(Option<Box<str>>);

impl Visit for About {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == ACTOR {
            self.0 = Some(value.into());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == ACTOR {
            self.0 = Some(format!("{value:?}").into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> LogPlan {
        let at_start = LogLevels {
            directive: "info".to_owned(),
            actors: BTreeMap::new(),
        };
        LogPlan {
            lasting: at_start.clone(),
            at_start,
            origin: Origin::Default,
            passing: None,
        }
    }

    #[test]
    fn what_passes_gives_way_to_what_was_said_for_good() {
        let start = Instant::now();
        let mut plan = plan();
        plan.lasting = plan.changed(LogChange::Actor("counter".to_owned(), Some(LevelFilter::TRACE)), start);
        let passing = plan.changed(LogChange::All("debug".to_owned()), start);
        plan.passing = Some((passing, start + Duration::from_secs(60)));
        let now = plan.state(start);
        assert_eq!(now.now.directive, "debug");
        assert_eq!(now.now.actors.len(), 1, "an actor keeps its own level");
        assert_eq!(now.left, Some(Duration::from_secs(60)));
        assert!(!plan.pass(start), "it is not over");
        let late = start + Duration::from_secs(60);
        assert_eq!(plan.state(late).now.directive, "info");
        assert!(plan.pass(late));
        assert!(!plan.pass(late));
        let reset = plan.changed(LogChange::Reset, late);
        assert_eq!(reset, plan.at_start);
    }

    #[test]
    fn what_an_operator_has_said_goes_before_the_file() {
        let now = Instant::now();
        let mut plan = plan();
        plan.configure("warn", Origin::File);
        assert_eq!(plan.state(now).now.directive, "warn");
        assert_eq!(plan.state(now).origin, Origin::File);
        assert!(!plan.state(now).is_overridden());
        plan.lasting = plan.changed(LogChange::All("trace".to_owned()), now);
        plan.configure("error", Origin::File);
        assert_eq!(plan.state(now).now.directive, "trace");
        assert!(plan.state(now).is_overridden());
        assert_eq!(plan.changed(LogChange::Reset, now).directive, "error");
        // What passes gives way to what the file has by then.
        plan.lasting = plan.changed(LogChange::Reset, now);
        let passing = plan.changed(LogChange::All("debug".to_owned()), now);
        plan.passing = Some((passing, now + Duration::from_secs(60)));
        plan.configure("info", Origin::File);
        assert_eq!(plan.state(now).now.directive, "debug");
        // Even where it passes to what the file has, it passes.
        plan.passing = Some((plan.at_start.clone(), now + Duration::from_secs(60)));
        assert!(plan.state(now).is_overridden());
        assert_eq!(plan.state(now + Duration::from_secs(60)).now.directive, "info");
    }

    #[test]
    fn a_choice_that_is_none_is_explained() {
        for directive in ["", "ractor_host=loud"] {
            let levels = LogLevels {
                directive: directive.to_owned(),
                actors: BTreeMap::new(),
            };
            let error = LogSelection::of(&levels)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(error.contains("expected for example `debug`"), "{error}");
        }
    }
}
