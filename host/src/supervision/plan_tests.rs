//! What a plan commands, for whole histories of what happened to the children of a supervisor.
//!
//! Children are written as a letter and a number: `g` a guest, `n` a native actor, `s` a supervisor; `!` after it stands for
//! permanent and `?` for temporary, nothing for transient. The numbers are their places.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

use std::time::Duration;

use super::plan::{ChildExit, PlanCommand, Refusal, RestartPlan};
use super::spec::ChildKind;
use super::spec::Strategy;
use crate::guest::{RestartDecision, RestartType};

mod orders;

struct Case {
    plan: RestartPlan,
    letters: Vec<char>,
    history: String,
}

/// A history: what happens, ` -> `, what is commanded for it. The verdict about a failure is `restart` unless the event says
/// `too often`.
#[track_caller]
fn check(strategy: Strategy, children: &str, history: &[(&str, &str)]) {
    let mut letters = Vec::new();
    let mut kinds = Vec::new();
    for child in children.split(' ') {
        let kind = match child.chars().next() {
            Some('g') => ChildKind::Guest,
            Some('n') => ChildKind::Native,
            _ => ChildKind::Supervisor,
        };
        let restart = match child.chars().last() {
            Some('!') => RestartType::Permanent,
            Some('?') => RestartType::Temporary,
            _ => RestartType::Transient,
        };
        letters.extend(child.chars().next());
        kinds.push((kind, restart));
    }
    let mut case = Case {
        plan: RestartPlan::new(strategy, kinds),
        letters,
        history: format!("{strategy}, {children}"),
    };
    for (event, expected) in history {
        let commands = case.happens(event);
        case.history += &format!("\n{event} -> {commands}");
        assert_eq!(commands, *expected, "{}", case.history);
    }
}

impl Case {
    fn happens(&mut self, event: &str) -> String {
        let (words, child) = match event.rsplit_once(' ') {
            Some((words, child)) if child.ends_with(|last: char| last.is_ascii_digit()) => (
                words,
                child
                    .get(1..)
                    .and_then(|digits| digits.parse().ok())
                    .unwrap_or(usize::MAX),
            ),
            _ => (event, usize::MAX),
        };
        let plan = &mut self.plan;
        let restart = || RestartDecision::Restart {
            after: Duration::from_millis(100),
            restart: 1,
        };
        let give_up = || RestartDecision::GiveUp;
        let never = || -> RestartDecision { panic!("{event}: the budget is not asked") };
        let commands = match words {
            "failed" => plan.handle_ended(child, ChildExit::Failed, restart),
            "failed too often" => plan.handle_ended(child, ChildExit::Failed, give_up),
            "failed for good" => plan.handle_ended(child, ChildExit::Failed, never),
            "gave up" => plan.handle_ended(child, ChildExit::GaveUp, never),
            "stopped" => plan.handle_ended(child, ChildExit::Stopped, never),
            "killed" => plan.handle_ended(child, ChildExit::Killed, restart),
            "asked to stop" => return self.answer(RestartPlan::handle_stop_asked, child),
            "asked to start" => return self.answer(RestartPlan::handle_start_asked, child),
            "asked to restart" => return self.answer(RestartPlan::handle_restart_asked, child),
            "stopped itself" => plan.handle_ended(child, ChildExit::Stopped, restart),
            "restarted in place" => plan.handle_restarted(child),
            "waited" => plan.handle_waited(child),
            "started" => plan.handle_started(child),
            "did not start" => plan.handle_start_failed(child, restart),
            "did not start too often" => plan.handle_start_failed(child, give_up),
            "end" => plan.handle_end(),
            "freeze" => {
                plan.freeze();
                Vec::new()
            }
            other => panic!("what is {other:?}?"),
        };
        self.all_in_words(&commands)
    }

    fn answer(
        &mut self,
        ask: fn(&mut RestartPlan, usize) -> Result<Vec<PlanCommand>, Refusal>,
        child: usize,
    ) -> String {
        match ask(&mut self.plan, child) {
            Ok(commands) => self.all_in_words(&commands),
            Err(refusal) => format!("no: {refusal}"),
        }
    }

    fn all_in_words(&self, commands: &[PlanCommand]) -> String {
        let words: Vec<String> = commands.iter().map(|command| self.in_words(*command)).collect();
        words.join(", ")
    }

    fn in_words(&self, command: PlanCommand) -> String {
        let name = |child: usize| format!("{}{child}", self.letters[child]);
        match command {
            PlanCommand::Refresh(child) => format!("refresh {}", name(child)),
            PlanCommand::Stop(child) => format!("stop {}", name(child)),
            PlanCommand::Wait(child, after) => format!("wait {after:?} for {}", name(child)),
            PlanCommand::Start(child) => format!("start {}", name(child)),
            PlanCommand::End => "end".to_owned(),
        }
    }
}

#[test]
fn one_for_one_restarts_the_one_that_failed() {
    check(
        Strategy::OneForOne,
        "n0 g1 n2 s3",
        &[
            ("failed n0", "wait 100ms for n0"),
            ("failed n2", "wait 100ms for n2"),
            ("restarted in place g1", ""),
            ("waited n2", "start n2"),
            ("waited n0", "start n0"),
            ("started n0", ""),
            ("did not start n2", "wait 100ms for n2"),
            ("waited n2", "start n2"),
            ("started n2", ""),
            ("failed s3", "wait 100ms for s3"),
            ("waited s3", "start s3"),
        ],
    );
}

#[test]
fn one_for_one_gives_up_one_and_keeps_the_others() {
    check(
        Strategy::OneForOne,
        "n0 g1 n2 s3",
        &[
            ("failed too often n0", ""),
            ("gave up g1", ""),
            ("failed too often s3", ""),
            ("failed n2", "wait 100ms for n2"),
            ("waited n2", "start n2"),
            ("did not start too often n2", ""),
        ],
    );
}

#[test]
fn who_is_restarted_after_which_end() {
    check(
        Strategy::OneForOne,
        "n0? n1 n2! g3? g4 g5! s6!",
        &[
            ("failed for good n0", ""),
            ("stopped n1", ""),
            ("stopped itself n2", "wait 100ms for n2"),
            // A guest restarts itself in place; when it has ended, somebody wanted it to.
            ("failed for good g3", ""),
            ("stopped g4", ""),
            ("stopped g5", ""),
            ("stopped itself s6", "wait 100ms for s6"),
        ],
    );
    check(
        Strategy::OneForAll,
        "n0? g1? n2",
        &[
            ("failed for good n0", ""),
            ("failed for good g1", ""),
            ("stopped n2", ""),
        ],
    );
}

#[test]
fn rest_for_one_restarts_those_after_a_native_that_failed() {
    check(
        Strategy::RestForOne,
        "n0 g1 n2 g3 n4 n5",
        &[
            ("failed n2", "stop n5"),
            ("stopped n5", "stop n4"),
            ("stopped n4", "wait 100ms for n2"),
            ("waited n2", "start n2"),
            ("started n2", "refresh g3, start n4"),
            ("started n4", "start n5"),
            ("started n5", ""),
        ],
    );
}

#[test]
fn rest_for_one_restarts_those_after_a_guest_that_was_restarted_in_place() {
    check(
        Strategy::RestForOne,
        "n0 g1 n2 g3",
        &[
            ("restarted in place g3", ""),
            ("restarted in place g1", "stop n2"),
            ("stopped n2", "start n2"),
            ("started n2", "refresh g3"),
        ],
    );
}

#[test]
fn one_for_all_restarts_everybody() {
    check(
        Strategy::OneForAll,
        "g0 n1 n2 s3! g4",
        &[
            ("failed n2", "stop s3"),
            ("stopped s3", "stop n1"),
            ("stopped n1", "wait 100ms for n2"),
            ("waited n2", "refresh g0, start n1"),
            ("started n1", "start n2"),
            ("started n2", "start s3"),
            ("started s3", "refresh g4"),
            ("restarted in place g0", "stop s3"),
        ],
    );
}

#[test]
fn a_group_takes_back_who_had_stopped_but_no_temporary_ones() {
    check(
        Strategy::OneForAll,
        "g0 n1 g2? n3? n4",
        &[
            ("stopped g0", ""),
            ("stopped n1", ""),
            ("failed n4", "stop n3"),
            ("stopped n3", "stop g2"),
            ("stopped g2", "wait 100ms for n4"),
            ("waited n4", "start g0"),
            ("started g0", "start n1"),
            ("started n1", "start n4"),
            ("started n4", ""),
        ],
    );
}

#[test]
fn failures_during_a_restart_are_part_of_it() {
    // One that is to be stopped fails by itself.
    check(
        Strategy::OneForAll,
        "n0 n1 n2",
        &[
            ("failed n0", "stop n2"),
            ("failed n1", ""),
            ("stopped n2", "wait 100ms for n1"),
            ("waited n1", "start n0"),
            ("started n0", "start n1"),
            ("started n1", "start n2"),
            ("started n2", ""),
        ],
    );
    // One fails again before those after it were started.
    check(
        Strategy::RestForOne,
        "n0 n1 n2",
        &[
            ("failed n0", "stop n2"),
            ("stopped n2", "stop n1"),
            ("stopped n1", "wait 100ms for n0"),
            ("waited n0", "start n0"),
            ("started n0", "start n1"),
            ("failed n0", ""),
            ("started n1", "stop n1"),
            ("stopped n1", "wait 100ms for n0"),
            ("waited n0", "start n0"),
            ("started n0", "start n1"),
            ("started n1", "start n2"),
        ],
    );
    // It can't be started.
    check(
        Strategy::RestForOne,
        "n0 n1",
        &[
            ("failed n0", "stop n1"),
            ("stopped n1", "wait 100ms for n0"),
            ("waited n0", "start n0"),
            ("did not start n0", "wait 100ms for n0"),
            ("waited n0", "start n0"),
            ("did not start too often n0", "end"),
        ],
    );
    // A guest goes down while it waits for its turn.
    check(
        Strategy::OneForAll,
        "n0 g1 n2",
        &[
            ("failed n0", "stop n2"),
            ("stopped g1", ""),
            ("stopped n2", "wait 100ms for n0"),
            ("waited n0", "start n0"),
            ("started n0", "start g1"),
            ("started g1", "start n2"),
        ],
    );
}

#[test]
fn a_group_that_fails_too_often_is_stopped_from_its_end() {
    check(
        Strategy::RestForOne,
        "n0 g1 s2 n3",
        &[
            ("failed too often n3", "stop s2"),
            ("stopped s2", "stop g1"),
            ("failed for good g1", "stop n0"),
            ("stopped n0", "end"),
        ],
    );
    check(
        Strategy::OneForAll,
        "n0 g1",
        &[("gave up g1", "stop n0"), ("stopped n0", "end")],
    );
    // In the middle of a restart.
    check(
        Strategy::OneForAll,
        "n0 n1 n2",
        &[
            ("failed n0", "stop n2"),
            ("failed too often n1", ""),
            ("stopped n2", "end"),
        ],
    );
    check(
        Strategy::OneForAll,
        "n0 g1 n2",
        &[
            ("failed n0", "stop n2"),
            ("stopped n2", "wait 100ms for n0"),
            ("waited n0", "start n0"),
            ("gave up g1", ""),
            ("started n0", "stop n0"),
            ("stopped n0", "end"),
        ],
    );
}

#[test]
fn a_supervisor_that_is_to_stop_stops_its_children_first() {
    check(
        Strategy::OneForOne,
        "n0! g1 n2",
        &[
            ("failed n0", "wait 100ms for n0"),
            ("waited n0", "start n0"),
            ("failed n2", "wait 100ms for n2"),
            ("end", ""),
            ("waited n2", ""),
            ("started n0", "stop g1"),
            ("stopped g1", "stop n0"),
            ("stopped n0", "end"),
        ],
    );
    check(
        Strategy::OneForAll,
        "n0",
        &[("end", "stop n0"), ("stopped n0", "end"), ("end", "")],
    );
}

#[test]
fn when_frozen_nothing_is_restarted_and_who_comes_up_is_stopped() {
    check(
        Strategy::OneForAll,
        "n0 n1! g2",
        &[
            ("failed n0", "stop n1"),
            ("stopped n1", "wait 100ms for n0"),
            ("waited n0", "start n0"),
            ("freeze", ""),
            ("started n0", "stop n0"),
            ("stopped n0", ""),
            ("gave up g2", ""),
        ],
    );
    check(
        Strategy::OneForOne,
        "n0 n1!",
        &[
            ("failed n0", "wait 100ms for n0"),
            ("freeze", ""),
            ("waited n0", ""),
            ("stopped n1", ""),
        ],
    );
}
