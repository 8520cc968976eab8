//! Who is asked for a state, and when.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// An actor that lives.
#[derive(Debug, Clone)]
struct Living {
    pid: u64,
    turns: Arc<AtomicU64>,
}

impl CheckpointActor for Living {
    fn pid(&self) -> u64 {
        self.pid
    }

    fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }
}

/// The machine, its time, and actors in one section each, named by their numbers.
struct Asked {
    machine: Collection<Living>,
    now: Instant,
    sections: Vec<Vec<(String, Living)>>,
    /// The rooms of those that were asked, by ask.
    rooms: BTreeMap<u64, Arc<StateRoom>>,
}

/// What came of it: names that were asked, or given up.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Ask(u64, u64),
    GiveUp(String),
}

impl Asked {
    fn with(at_once: usize, sections: &[usize]) -> Self {
        let now = Instant::now();
        let mut pids = 0..;
        let sections: Vec<Vec<_>> = sections
            .iter()
            .map(|count| {
                let actors = pids.by_ref().take(*count).map(|pid| {
                    let turns = Arc::new(AtomicU64::new(1));
                    (pid.to_string(), Living { pid, turns })
                });
                actors.collect()
            })
            .collect();
        Self {
            machine: Collection::since(at_once, sections.iter().map(|_| (SECOND, now)), now),
            now,
            sections,
            rooms: BTreeMap::new(),
        }
    }

    /// Lets time pass and does what is to be done then.
    fn pass(&mut self, time: Duration) -> Vec<Said> {
        self.now += time;
        self.machine.handle_timeout(self.now);
        let mut said = Vec::new();
        while let Some(step) = self.machine.poll_step(self.now) {
            match step {
                CollectionStep::Round(section) => self.machine.handle_living(section, self.sections[section].clone()),
                CollectionStep::Ask { ask, actor, room } => {
                    self.rooms.insert(ask, room);
                    said.push(Said::Ask(ask, actor.pid));
                }
                CollectionStep::GiveUp { ask, name } => {
                    self.rooms.remove(&ask);
                    said.push(Said::GiveUp(name));
                }
            }
        }
        said
    }

    fn asked(&mut self, time: Duration) -> Vec<u64> {
        let said = self.pass(time).into_iter();
        said.filter_map(|said| match said {
            Said::Ask(_, pid) => Some(pid),
            Said::GiveUp(_) => None,
        })
        .collect()
    }

    /// The actor comes to the end of its message.
    fn answers(&mut self, ask: u64, answer: StateAnswer) -> AnswerOutcome {
        let place = self.rooms.remove(&ask).and_then(|room| room.enter());
        let answer = if place.is_some() { answer } else { StateAnswer::NoRoom };
        self.machine.handle_answer(ask, answer)
    }

    fn has_turn(&self, section: usize, actor: usize) {
        self.sections[section][actor].1.turns.fetch_add(1, Ordering::Relaxed);
    }
}

fn writes(name: &str) -> AnswerOutcome {
    AnswerOutcome::Write {
        section: 0,
        name: name.to_owned(),
    }
}

#[test]
fn an_actor_is_asked_when_it_had_a_turn_and_written_when_its_state_is_another() {
    let mut one = Asked::with(16, &[1]);
    assert_eq!(one.pass(SECOND / 2), [], "the first round is not at once");
    assert_eq!(one.asked(SECOND / 2), [0]);
    assert_eq!(one.answers(0, StateAnswer::State(7)), writes("0"));
    assert_eq!(one.pass(SECOND), [], "it had no turn since");
    one.has_turn(0, 0);
    assert_eq!(one.asked(SECOND), [0]);
    assert_eq!(one.answers(1, StateAnswer::State(7)), AnswerOutcome::Nothing);
    one.has_turn(0, 0);
    assert_eq!(one.asked(SECOND), [0]);
    assert_eq!(one.answers(2, StateAnswer::State(8)), writes("0"));
}

#[test]
fn a_turn_while_an_actor_is_asked_is_seen_in_the_next_round() {
    let mut one = Asked::with(16, &[1]);
    assert_eq!(one.asked(SECOND), [0]);
    one.has_turn(0, 0);
    assert_eq!(one.answers(0, StateAnswer::State(7)), writes("0"));
    assert_eq!(one.asked(SECOND), [0]);
}

#[test]
fn another_actor_of_the_name_is_asked_whatever_it_has_done() {
    let mut one = Asked::with(16, &[1]);
    one.pass(SECOND);
    one.answers(0, StateAnswer::State(7));
    one.sections[0][0].1.pid = 9;
    assert_eq!(one.asked(SECOND), [9]);
}

#[test]
fn what_the_writer_has_no_room_for_is_asked_for_again() {
    let mut one = Asked::with(16, &[1]);
    one.pass(SECOND);
    assert_eq!(one.answers(0, StateAnswer::State(7)), writes("0"));
    one.machine.handle_left_out(0, "0");
    assert_eq!(one.asked(SECOND), [0]);
    assert_eq!(one.answers(1, StateAnswer::State(7)), writes("0"));
}

#[test]
fn that_there_is_no_state_is_said_once_and_when_there_is_one_it_is_written() {
    let mut one = Asked::with(16, &[1]);
    let refused = AnswerOutcome::Refused { name: "0".to_owned() };
    for (ask, answer, outcome) in [
        (0, StateAnswer::Refused, refused.clone()),
        (1, StateAnswer::Refused, AnswerOutcome::Nothing),
        (2, StateAnswer::State(7), writes("0")),
        (3, StateAnswer::Refused, refused),
        (4, StateAnswer::Ended, AnswerOutcome::Nothing),
        (5, StateAnswer::State(7), writes("0")),
    ] {
        assert_eq!(one.asked(SECOND), [0]);
        assert_eq!(one.answers(ask, answer), outcome, "{ask}");
        one.has_turn(0, 0);
    }
}

#[test]
fn who_is_busy_for_too_long_is_asked_again_in_the_next_round() {
    let mut one = Asked::with(16, &[1]);
    one.pass(SECOND);
    assert_eq!(one.pass(PATIENCE - Duration::from_millis(1)), []);
    let said = one.pass(Duration::from_millis(1));
    assert_eq!(said, [Said::GiveUp("0".to_owned())]);
    assert_eq!(
        one.machine.handle_answer(0, StateAnswer::State(7)),
        AnswerOutcome::Nothing,
        "too late"
    );
    assert_eq!(one.asked(SECOND), [0]);
    assert_eq!(one.answers(1, StateAnswer::State(7)), writes("0"));
}

#[test]
fn so_many_are_asked_at_once_and_who_is_busy_gives_its_place_up() {
    let mut two = Asked::with(2, &[5]);
    assert_eq!(two.asked(SECOND), [0, 1]);
    assert_eq!(two.pass(PROMPT / 2), []);
    two.answers(1, StateAnswer::State(1));
    assert_eq!(two.asked(Duration::ZERO), [2], "there is a place again");
    assert_eq!(two.asked(PROMPT / 2), [3], "the first has given its place up");
    assert_eq!(
        two.answers(0, StateAnswer::State(0)),
        AnswerOutcome::Nothing,
        "there is no place for its state"
    );
    assert_eq!(two.pass(Duration::ZERO), []);
    two.answers(3, StateAnswer::State(3));
    assert_eq!(two.asked(Duration::ZERO), [4], "it waited for longer");
    two.answers(2, StateAnswer::State(2));
    assert_eq!(two.asked(Duration::ZERO), [0], "its turn has come");
    assert_eq!(two.answers(0, StateAnswer::State(0)), writes("0"));
}

#[test]
fn who_finds_no_place_until_its_time_is_over_is_asked_in_the_next_round() {
    let mut one = Asked::with(1, &[2]);
    assert_eq!(one.asked(SECOND), [0]);
    assert_eq!(one.asked(PROMPT), [1]);
    let state = one.rooms[&1].enter();
    assert_eq!(one.answers(0, StateAnswer::State(0)), AnswerOutcome::Nothing);
    assert_eq!(one.pass(PATIENCE - PROMPT), [Said::GiveUp("0".to_owned())]);
    assert_eq!(one.machine.handle_answer(1, StateAnswer::State(1)), writes("1"));
    drop(state);
    assert_eq!(one.asked(Duration::ZERO), [0]);
}

#[test]
fn sections_take_turns_and_a_round_begins_when_the_one_before_has_asked_everybody() {
    let mut two = Asked::with(1, &[3, 1]);
    let mut order = Vec::new();
    for ask in 0..6 {
        let time = if ask == 0 { SECOND } else { SECOND / 4 };
        order.extend(two.asked(time));
        two.answers(ask, StateAnswer::State(ask));
        two.sections.iter().flatten().for_each(|(_, actor)| {
            actor.turns.fetch_add(1, Ordering::Relaxed);
        });
    }
    assert_eq!(order, [0, 3, 1, 2, 0, 3]);
}

#[test]
fn the_time_that_is_said_is_when_something_is_to_be_done() {
    let mut one = Asked::with(1, &[2]);
    let until = |one: &Asked| one.machine.poll_timeout(one.now).unwrap() - one.now;
    assert_eq!(until(&one), SECOND);
    one.pass(SECOND);
    assert_eq!(until(&one), PROMPT);
    one.pass(PROMPT);
    assert_eq!(until(&one), PROMPT);
    one.answers(1, StateAnswer::State(1));
    one.pass(PROMPT);
    assert_eq!(until(&one), SECOND - 2 * PROMPT);
}

#[test]
fn who_takes_over_asks_when_it_would_have_been_time() {
    let mut one = Asked::with(1, &[1, 1]);
    let begun = one.now;
    one.pass(SECOND * 7 / 4);
    // The first was there before, and the second is new.
    one.machine = Collection::since(1, [(SECOND, begun), (SECOND, one.now)], one.now);
    assert_eq!(one.asked(SECOND / 8), Vec::<u64>::new());
    assert_eq!(one.asked(SECOND / 8), [0]);
    one.answers(0, StateAnswer::State(0));
    assert_eq!(one.asked(SECOND / 2), Vec::<u64>::new());
    assert_eq!(one.asked(SECOND / 4), [1]);
}

#[test]
fn asked_once_everybody_is_asked_and_then_it_is_over() {
    let mut all = Asked::with(1, &[1, 2]);
    all.machine = Collection::once(1, 2, all.now);
    let mut order = Vec::new();
    for ask in 0..3 {
        assert!(!all.machine.is_over());
        order.extend(all.asked(Duration::ZERO));
        all.answers(ask, StateAnswer::State(ask));
    }
    assert_eq!(order, [0, 1, 2]);
    assert_eq!(all.pass(Duration::ZERO), []);
    assert!(all.machine.is_over());
}
