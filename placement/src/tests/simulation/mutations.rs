//! Each mechanism broken in turn: the simulation has to notice. `RACTOR_SIM_MUTATION=<name>` tries one alone.

use std::time::Instant;

use super::runs::{Draw, run};
use super::scenario::Scenario;
use crate::mutation::{Mutation, break_one};

/// A broken mechanism, and where that shows.
struct Case {
    mutation: Mutation,
    draw: Draw,
    nodes: usize,
    /// The invariants of which it violates one.
    breaks: &'static [&'static str],
}

/// The most runs for one of them.
const SEEDS: u64 = 400;

fn case(mutation: Mutation, draw: Draw, nodes: usize, breaks: &'static [&'static str]) -> Case {
    Case {
        mutation,
        draw,
        nodes,
        breaks,
    }
}

#[rustfmt::skip] // one line a mechanism reads like the table that it is
fn cases() -> Vec<Case> {
    use Mutation::*;
    let trouble = |mutation, breaks| case(mutation, Scenario::trouble, 6, breaks);
    let outage = |mutation, breaks| case(mutation, Scenario::outage, 6, breaks);
    vec![
        trouble(EpochNotBumped, &["I1", "I3", "I7", "I14"]),
        trouble(WriteWithoutVersion, &["I1", "I4"]),
        trouble(DeadlineIgnoredAtTake, &["I2"]),
        trouble(DeadlineIgnoredAtRelease, &["I2"]),
        case(DeadlineFromConfirmation, Scenario::skew, 6, &["I2"]),
        trouble(RenewedAfterEnd, &["I2", "I3"]),
        trouble(ServedAfterRelease, &["I2", "I3"]),
        case(LeaseGoesBack, Scenario::brinks, 6, &["I2"]),
        case(NoFence, Scenario::naps, 6, &["I1", "I3"]),
        trouble(FenceWithoutLock, &["I1", "I3"]),
        case(TakenByLease, Scenario::brinks, 6, &["I2", "I3"]),
        trouble(TakenFromUnseen, &["I2", "I3"]),
        trouble(TakenFromLive, &["I2", "I3"]),
        trouble(RepliesNotHeld, &["I4"]),
        case(HeldSentAfterRefusal, Scenario::naps, 6, &["I4"]),
        trouble(ReleasedBeforeWritten, &["I14"]),
        trouble(FreeNotTaken, &["I7"]),
        outage(EndsAtOnce, &["I12"]),
        outage(GapsIgnored, &["I12"]),
        trouble(EndWithoutLease, &["I2", "I3"]),
        trouble(ViewGoesBack, &["I13"]),
        trouble(StaleReminderFired, &["I14"]),
        trouble(ReminderForgotten, &["I14"]),
        case(ResentOutOfOrder, Scenario::moves, 4, &["I6"]),
        case(NotDrained, Scenario::moves, 4, &["I6"]),
        trouble(LostSentAgain, &["I5"]),
        case(TakenBehindRefusal, Scenario::moves, 4, &["I6"]),
        case(ActivationsUnlimited, Scenario::stampede, 2, &["I11"]),
    ]
}

/// The seed that shows it, and what it shows, and the number of runs that showed other things.
fn caught(case: &Case) -> (Option<(u64, String)>, u64) {
    break_one(Some(case.mutation));
    let mut others = 0;
    let found = (0..SEEDS).find_map(|seed| {
        let world = run(seed, case.nodes, case.draw, false);
        let violation = world.oracle.violations.into_iter().next()?;
        let is_meant = |invariant: &&str| violation.starts_with(&format!("{invariant}:"));
        let is_found = case.breaks.iter().any(is_meant);
        others += u64::from(!is_found);
        is_found.then_some((seed, violation))
    });
    break_one(None);
    (found, others)
}

#[test]
fn every_broken_mechanism_is_noticed() {
    let only = std::env::var("RACTOR_SIM_MUTATION").ok();
    let is_meant = |case: &Case| only.as_ref().is_none_or(|only| *only == format!("{:?}", case.mutation));
    let mut missed = Vec::new();
    for case in cases().into_iter().filter(is_meant) {
        let start = Instant::now();
        match caught(&case) {
            (Some((seed, what)), _) => println!("{:?}: seed {seed}, {:?}: {what}", case.mutation, start.elapsed()),
            (None, others) => missed.push(format!(
                "{:?}: {SEEDS} runs, {others} with something else",
                case.mutation
            )),
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
