//! Many interleavings of the code that locks and wakes. Which ones is always the same; a failure prints a schedule that
//! `shuttle::replay` takes. `RACTOR_INTERLEAVINGS` says how many there are of each, `RACTOR_INTERLEAVINGS_SEED` where the choices
//! begin, and `RACTOR_TEST_SECONDS` for how long more are tried, from the seeds after that.

use std::fmt::Debug;
use std::str::FromStr;
use std::time::{Duration, Instant};

use interleavings::guest::{mailboxes, waiting};
use interleavings::transport::outboxes;

/// The interleavings of each scenario in a usual run.
const USUAL: usize = 1_000;

/// The seed of the scheduler's choices, unless another one is given.
const SEED: u64 = 7;

/// The most changes of who goes on that the scheduler plans ahead: most faults take few.
const DEPTH: usize = 3;

fn variable<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a number"))
}

fn check(scenario: fn()) {
    let first = variable("RACTOR_INTERLEAVINGS_SEED").unwrap_or(SEED);
    let number = variable("RACTOR_INTERLEAVINGS").unwrap_or(USUAL);
    let seconds = variable("RACTOR_TEST_SECONDS").map(Duration::from_secs);
    let end = Instant::now() + seconds.unwrap_or_default();
    let mut done = 0;
    for seed in first.. {
        let random = shuttle::scheduler::RandomScheduler::new_from_seed(seed, number);
        done += shuttle::Runner::new(random, shuttle::Config::default()).run(scenario);
        let few = shuttle::scheduler::PctScheduler::new_from_seed(seed, DEPTH, number);
        done += shuttle::Runner::new(few, shuttle::Config::default()).run(scenario);
        if Instant::now() >= end {
            break;
        }
    }
    println!("{done} interleavings from seed {first}");
}

#[test]
fn every_frame_is_written_and_nobody_waits_in_vain() {
    check(outboxes::every_frame_is_written);
}

#[test]
fn whoever_has_waited_for_room_is_not_refused() {
    check(outboxes::room_that_was_found_is_there);
}

#[test]
fn what_an_outbox_took_before_its_end_is_written() {
    check(outboxes::what_was_taken_before_the_end_is_written);
}

#[test]
fn nobody_waits_for_a_broken_connection() {
    check(outboxes::nobody_waits_for_a_broken_connection);
}

#[test]
fn every_message_is_handled_and_nobody_waits_in_vain() {
    check(mailboxes::every_message_is_handled);
}

#[test]
fn a_stop_loses_nothing_that_was_taken() {
    check(mailboxes::a_stop_loses_nothing_that_was_taken);
}

#[test]
fn what_a_full_mailbox_drops_is_counted() {
    check(mailboxes::what_is_dropped_is_counted);
}

#[test]
fn no_command_is_overlooked() {
    check(mailboxes::no_command_is_overlooked);
}

#[test]
fn two_that_call_each_other_both_go_on() {
    check(waiting::two_that_call_each_other_both_go_on);
}

#[test]
fn three_in_a_circle_all_go_on() {
    check(waiting::three_in_a_circle_all_go_on);
}

#[test]
fn a_look_at_a_reply_does_not_take_it() {
    check(waiting::a_look_at_a_reply_does_not_take_it);
}

#[test]
fn guests_that_hold_their_mailboxes_for_each_other_all_go_on() {
    check(waiting::two_that_ask_each_other_both_go_on);
    check(waiting::a_call_and_an_ask_in_a_circle_both_go_on);
}
