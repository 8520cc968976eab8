//! Which actors are asked for their states, and when: a machine without an actor, a task or a clock of its own.
//!
//! The actors that live, their answers and the time go in through `handle_*`; what is to be done and the time of the next thing to do
//! come out through `poll_*`. The schedule carries them out, and so does the simulation of whole nodes.
//!
//! No more states are on their way to the writer than there are places. An actor that is busy with one message gives its place up until
//! it answers, so that busy actors, however many, don't keep others from being asked.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::guest::StateRoom;

/// The longest that an actor with nothing to do takes to answer. One that takes longer gives its place up until it answers.
const PROMPT: Duration = Duration::from_millis(50);

/// The longest that an actor may take to come to the end of its message. One that takes longer is asked again in the next round.
const PATIENCE: Duration = Duration::from_secs(2);

/// The shortest time between two rounds. Without one they would never end.
const SHORTEST: Duration = Duration::from_millis(1);

/// The first time after `now` of those that are `every` apart, counted from `begun`.
fn next_after(begun: Instant, every: Duration, now: Instant) -> Instant {
    let passed = now.saturating_duration_since(begun);
    let over = passed.as_nanos() % every.as_nanos().max(1);
    let over = Duration::from_nanos(u64::try_from(over).unwrap_or(u64::MAX));
    now + every.saturating_sub(over)
}

/// An actor that may be asked.
pub(crate) trait CheckpointActor: Clone {
    /// Tells it from others that had its name before.
    fn pid(&self) -> u64;

    /// How many turns it has had, so that one that had none since is not asked.
    fn turns(&self) -> u64;
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum CollectionStep<A> {
    /// A round of this section begins: [`handle_living`](Collection::handle_living) is told its actors.
    Round(usize),
    /// An actor is asked for its state, which has a place in this room. [`handle_answer`](Collection::handle_answer) is told what it says.
    Ask { ask: u64, actor: A, room: Arc<StateRoom> },
    /// The answer is awaited no longer: the actor of this name is busy with one message.
    GiveUp { ask: u64, name: String },
}

/// What an actor said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateAnswer {
    /// Its state, which has this hash.
    State(u64),
    /// There is none.
    Refused,
    /// It has ended. Its last state is kept by itself.
    Ended,
    /// It has come to the end of its message, when there was no place.
    NoRoom,
}

/// What an answer leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnswerOutcome {
    /// The state is to be written. If it can't be taken, [`handle_left_out`](Collection::handle_left_out) is told.
    Write { section: usize, name: String },
    /// There is no state of an actor, which is worth saying.
    Refused { name: String },
    /// Nothing: the state is the one before, or what is to be said was said, or the answer comes too late.
    Nothing,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Collection<A> {
    places: Arc<Semaphore>,
    sections: Vec<SectionRound<A>>,
    /// When the rounds begin of those sections of which nobody is left to be asked.
    due: BTreeSet<(Instant, usize)>,
    /// Who waits for a place, in the order in which they get one.
    waiting: VecDeque<WaitingForRoom>,
    /// By number.
    asked: BTreeMap<u64, AskedActor<A>>,
    next_ask: u64,
    /// When something is to be done about those that are asked.
    deadlines: BTreeSet<(Instant, u64)>,
    /// What was found busy and is to be given up.
    busy: VecDeque<(u64, String)>,
}

/// Actors that are asked equally often.
#[derive(Debug)]
struct SectionRound<A> {
    /// None if they are asked once.
    every: Option<Duration>,
    /// When the round after this one begins; none after the only one.
    next: Option<Instant>,
    /// Those of this round that are yet to be asked.
    left: VecDeque<(String, A)>,
    known: HashMap<String, KnownActor>,
}

#[derive(Debug, Clone, Copy)]
enum WaitingForRoom {
    /// The next actor of this section.
    Section(usize),
    /// An actor that had given its place up.
    Again(u64),
}

/// An actor that is asked.
#[derive(Debug)]
struct AskedActor<A> {
    section: usize,
    name: String,
    actor: A,
    /// What was seen of it before.
    before: Option<Seen>,
    /// Where its state has a place; none while it waits for one.
    room: Option<Arc<StateRoom>>,
    /// When it is given up.
    end: Instant,
    /// The deadline that is its own among all.
    deadline: Instant,
}

/// What is known of the actor that has a name.
#[derive(Debug, Clone, Copy)]
struct KnownActor {
    pid: u64,
    /// Its turns before it was asked.
    turns: u64,
    /// None until its state came.
    seen: Option<Seen>,
}

/// What is known of an actor's last state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// It was handed to the writer, which keeps it until it is written; this is its hash.
    State(u64),
    /// There was none, which was said.
    Refused,
}

impl<A: CheckpointActor> Collection<A> {
    /// Sections whose rounds begin this often, counted from a time: now, or when somebody else began to ask them, as often.
    pub(crate) fn since(at_once: usize, sections: impl IntoIterator<Item = (Duration, Instant)>, now: Instant) -> Self {
        let sections = sections.into_iter().map(|(every, begun)| {
            let every = every.max(SHORTEST);
            (Some(every), next_after(begun, every, now))
        });
        Self::new(at_once, sections)
    }

    /// This number of sections, with one round each that begins now.
    pub(crate) fn once(at_once: usize, sections: usize, now: Instant) -> Self {
        Self::new(at_once, (0..sections).map(|_| (None, now)))
    }

    fn new(at_once: usize, rounds: impl Iterator<Item = (Option<Duration>, Instant)>) -> Self {
        let (mut sections, mut due) = (Vec::new(), BTreeSet::new());
        for (every, first) in rounds {
            due.insert((first, sections.len()));
            sections.push(SectionRound {
                every,
                next: None,
                left: VecDeque::new(),
                known: HashMap::new(),
            });
        }
        Self {
            places: Arc::new(Semaphore::new(at_once)),
            sections,
            due,
            waiting: VecDeque::new(),
            asked: BTreeMap::new(),
            next_ask: 0,
            deadlines: BTreeSet::new(),
            busy: VecDeque::new(),
        }
    }

    /// These actors of a section live, by name. Of those that had no turn since they were asked last nothing is kept.
    pub(crate) fn handle_living(&mut self, section: usize, living: impl IntoIterator<Item = (String, A)>) {
        let Some(round) = self.sections.get_mut(section) else {
            return;
        };
        for (name, actor) in living {
            if round.has_news(&name, &actor) {
                round.left.push_back((name, actor));
            }
        }
        self.go_on_with(section);
    }

    /// The next actor of a section waits for a place, or, if there is none, the section for its next round.
    fn go_on_with(&mut self, index: usize) {
        let Some(section) = self.sections.get(index) else {
            return;
        };
        if !section.left.is_empty() {
            self.waiting.push_back(WaitingForRoom::Section(index));
        } else if let Some(next) = section.next {
            self.due.insert((next, index));
        }
    }

    /// An actor that was asked said this. The place of its state is free once the state is the writer's.
    pub(crate) fn handle_answer(&mut self, ask: u64, answer: StateAnswer) -> AnswerOutcome {
        if answer == StateAnswer::NoRoom {
            if let Some(asked) = self.asked.get_mut(&ask) {
                // It is done with its message, but others have all places now.
                asked.room = None;
                self.waiting.push_back(WaitingForRoom::Again(ask));
            }
            return AnswerOutcome::Nothing;
        }
        // It was given up just before. Its state is dropped and nothing is known of it, so the next round asks again.
        let Some(asked) = self.remove(ask) else {
            return AnswerOutcome::Nothing;
        };
        let now = match answer {
            StateAnswer::State(hash) => Seen::State(hash),
            _ => Seen::Refused,
        };
        if let Some(known) = self.known(asked.section, &asked.name) {
            known.seen = Some(now);
        }
        let AskedActor { section, name, .. } = asked;
        match answer {
            _ if asked.before == Some(now) => AnswerOutcome::Nothing,
            StateAnswer::State(_) => AnswerOutcome::Write { section, name },
            StateAnswer::Refused => AnswerOutcome::Refused { name },
            StateAnswer::Ended | StateAnswer::NoRoom => AnswerOutcome::Nothing,
        }
    }

    /// The writer had no room for a state.
    pub(crate) fn handle_left_out(&mut self, section: usize, name: &str) {
        if let Some(section) = self.sections.get_mut(section) {
            section.known.remove(name);
        }
    }

    /// The time passes.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, ask)) = self.deadlines.first().copied()
            && at <= now
        {
            if let Some(asked) = self.asked.get_mut(&ask)
                && asked.deadline < asked.end
            {
                // The first of two deadlines: the actor may still answer, but others need not wait for its place.
                if let Some(room) = &asked.room {
                    room.give_up();
                }
                self.deadlines.remove(&(at, ask));
                asked.deadline = asked.end;
                self.deadlines.insert((asked.end, ask));
                continue;
            }
            if let Some(asked) = self.remove(ask) {
                self.handle_left_out(asked.section, &asked.name);
                self.busy.push_back((ask, asked.name));
            }
            // Also if nobody is asked under this number: an entry that stayed would be the first for ever, a loop without an end.
            self.deadlines.remove(&(at, ask));
        }
    }

    /// What is to be done now, if anything.
    pub(crate) fn poll_step(&mut self, now: Instant) -> Option<CollectionStep<A>> {
        if let Some((ask, name)) = self.busy.pop_front() {
            return Some(CollectionStep::GiveUp { ask, name });
        }
        // One round is over before the next begins, but for those that are slow to answer.
        if let Some((at, index)) = self.due.first().copied()
            && at <= now
            && let Some(section) = self.sections.get_mut(index)
        {
            self.due.remove(&(at, index));
            // From now, and not from when it was due: after a computer has slept, no rounds are made up for.
            section.next = section.every.map(|every| now + every);
            return Some(CollectionStep::Round(index));
        }
        self.ask_next(now)
    }

    /// The actor that has waited longest is asked, if there is a place.
    fn ask_next(&mut self, now: Instant) -> Option<CollectionStep<A>> {
        while let Some(next) = self.waiting.front().copied() {
            // Without a place nobody is passed over: whoever has waited longest is asked as soon as there is one.
            let Ok(place) = self.places.clone().try_acquire_owned() else {
                return None;
            };
            self.waiting.pop_front();
            let room = Arc::new(StateRoom::with(self.places.clone(), place));
            let step = match next {
                WaitingForRoom::Section(section) => self.ask_of_section(section, room, now),
                WaitingForRoom::Again(ask) => self.ask_again(ask, room, now),
            };
            // An actor that was given up while it waited leaves its place to the next: dropping the room has given it back.
            if step.is_some() {
                return step;
            }
        }
        None
    }

    fn ask_of_section(&mut self, index: usize, room: Arc<StateRoom>, now: Instant) -> Option<CollectionStep<A>> {
        let section = self.sections.get_mut(index)?;
        let (name, actor) = section.left.pop_front()?;
        let last = section.known.get(&name);
        let before = last.and_then(|last| last.seen);
        // Before the state, so that a turn in between is seen the next time.
        let known = KnownActor {
            pid: actor.pid(),
            turns: actor.turns(),
            seen: before,
        };
        section.known.insert(name.clone(), known);
        let (ask, deadline) = (self.next_ask, now + PROMPT);
        self.next_ask += 1;
        self.deadlines.insert((deadline, ask));
        let asked = AskedActor {
            section: index,
            name,
            actor: actor.clone(),
            before,
            room: Some(room.clone()),
            end: now + PATIENCE,
            deadline,
        };
        self.asked.insert(ask, asked);
        // At the end of the queue, so that a section with many actors takes turns with the others.
        self.go_on_with(index);
        Some(CollectionStep::Ask { ask, actor, room })
    }

    fn ask_again(&mut self, ask: u64, room: Arc<StateRoom>, now: Instant) -> Option<CollectionStep<A>> {
        let asked = self.asked.get_mut(&ask)?;
        asked.room = Some(room.clone());
        self.deadlines.remove(&(asked.deadline, ask));
        // Its patience runs on from the first time, so an actor that finds no place is given up in the end.
        asked.deadline = asked.end.min(now + PROMPT);
        self.deadlines.insert((asked.deadline, ask));
        let actor = asked.actor.clone();
        Some(CollectionStep::Ask { ask, actor, room })
    }

    /// When to ask what is to be done, if nothing else happens before.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let round = self.due.first().map(|(at, _)| *at);
        let answers = self.deadlines.first().map(|(at, _)| *at);
        // An actor whose answer is awaited no longer gives its place back when it has written its state, and tells nobody.
        let place = (!self.waiting.is_empty()).then(|| now + PROMPT);
        [round, answers, place].into_iter().flatten().min()
    }

    /// True if there is nothing to be done any more, nor awaited.
    pub(crate) fn is_over(&self) -> bool {
        self.due.is_empty() && self.waiting.is_empty() && self.asked.is_empty() && self.busy.is_empty()
    }

    fn remove(&mut self, ask: u64) -> Option<AskedActor<A>> {
        let asked = self.asked.remove(&ask)?;
        self.deadlines.remove(&(asked.deadline, ask));
        Some(asked)
    }

    fn known(&mut self, section: usize, name: &str) -> Option<&mut KnownActor> {
        self.sections.get_mut(section)?.known.get_mut(name)
    }
}

impl<A: CheckpointActor> SectionRound<A> {
    /// True if the actor may have another state than when it was asked last.
    fn has_news(&self, name: &str, actor: &A) -> bool {
        let last = self.known.get(name);
        last.is_none_or(|last| (last.pid, last.turns) != (actor.pid(), actor.turns()))
    }
}

#[cfg(test)]
mod tests;
