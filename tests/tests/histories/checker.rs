//! The checker finds what is wrong with histories that are made by hand, and nothing in good ones.

use crate::check::{Rule, check};
use crate::history::{Burst, Disturbance, Entry, Outcome, Receiver, Step, Stopped};

use Outcome::{Acknowledged, Refused, Relayed, Sent, Unanswered};

/// A step in which sender 1 sends to the ledger.
fn step(disturbance: Disturbance, from: u64, outcomes: &[Outcome], read: &[u64]) -> Step {
    let entries: Vec<Entry> = read.iter().map(|number| (1, *number)).collect();
    Step {
        disturbance,
        bursts: vec![Burst {
            sender: 1,
            receiver: Receiver::Ledger,
            from,
            outcomes: outcomes.to_vec(),
        }],
        reads: vec![(Receiver::Ledger, entries)],
    }
}

#[track_caller]
fn expect(steps: &[Step], expected: &[(Rule, usize, u64)]) {
    let found: Vec<_> = check(steps)
        .iter()
        .map(|violation| (violation.rule, violation.step, violation.entry.1))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn good_histories_have_no_violations() {
    let before = || {
        step(
            Disturbance::Nothing,
            1,
            &[Sent, Acknowledged, Sent, Acknowledged],
            &[1, 2, 3, 4],
        )
    };
    for after in [
        step(Disturbance::Nothing, 5, &[Sent, Acknowledged], &[1, 2, 3, 4, 5, 6]),
        step(
            Disturbance::Cut,
            5,
            &[Sent, Refused, Unanswered, Acknowledged],
            &[1, 2, 3, 4, 8],
        ),
        step(
            Disturbance::Partition,
            5,
            &[Sent, Unanswered, Acknowledged],
            &[1, 2, 3, 4, 6, 7],
        ),
        step(
            Disturbance::Stop(Stopped::Kept),
            5,
            &[Acknowledged, Sent],
            &[1, 2, 3, 4, 5],
        ),
        step(Disturbance::Stop(Stopped::NotKept), 5, &[Acknowledged, Sent], &[1, 2]),
        step(
            Disturbance::Kill,
            5,
            &[Acknowledged, Unanswered, Acknowledged],
            &[1, 2, 3, 7],
        ),
        step(Disturbance::Kill, 5, &[Acknowledged, Unanswered, Acknowledged], &[]),
        step(Disturbance::Trap, 5, &[Sent, Sent, Acknowledged], &[1, 2, 3, 4, 7]),
    ] {
        expect(&[before(), after], &[]);
    }
}

#[test]
fn order_and_once() {
    let outcomes = [Sent, Acknowledged, Sent];
    expect(
        &[step(Disturbance::Nothing, 1, &outcomes, &[2, 1, 3])],
        &[(Rule::InOrderAndOnce, 0, 1)],
    );
    expect(
        &[step(Disturbance::Cut, 1, &outcomes, &[1, 2, 2, 3])],
        &[(Rule::InOrderAndOnce, 0, 2)],
    );
}

#[test]
fn only_what_was_sent() {
    expect(
        &[step(Disturbance::Cut, 1, &[Sent, Refused], &[1, 2, 3])],
        &[(Rule::OnlyWhatWasSent, 0, 2), (Rule::OnlyWhatWasSent, 0, 3)],
    );
}

#[test]
fn what_was_received_is_lost_by_a_crash_only() {
    let before = step(Disturbance::Nothing, 1, &[Sent, Acknowledged], &[1, 2]);
    for disturbance in [
        Disturbance::Nothing,
        Disturbance::Pause,
        Disturbance::Reload,
        Disturbance::FullDisk,
        Disturbance::Cut,
        Disturbance::Partition,
        Disturbance::Stop(Stopped::Kept),
    ] {
        let after = step(disturbance, 3, &[Acknowledged], &[1, 3]);
        expect(&[before.clone(), after], &[(Rule::Stays, 1, 2)]);
    }
    for disturbance in [
        Disturbance::Kill,
        Disturbance::Trap,
        Disturbance::Stop(Stopped::NotKept),
    ] {
        let after = step(disturbance, 3, &[Acknowledged], &[1, 3]);
        expect(&[before.clone(), after], &[]);
    }
}

#[test]
fn a_crash_leads_back_to_a_state_that_there_was() {
    let before = step(Disturbance::Nothing, 1, &[Sent, Acknowledged, Sent], &[1, 2, 3]);
    let after = step(Disturbance::Kill, 4, &[Sent], &[1, 3, 4]);
    expect(&[before, after], &[(Rule::AStateThatThereWas, 1, 3)]);
}

#[test]
fn what_was_acknowledged_was_received() {
    for disturbance in [
        Disturbance::Cut,
        Disturbance::Partition,
        Disturbance::Stop(Stopped::Kept),
    ] {
        expect(
            &[step(disturbance, 1, &[Acknowledged, Acknowledged], &[2])],
            &[(Rule::Acknowledged, 0, 1)],
        );
    }
}

#[test]
fn nothing_is_lost_where_nothing_went_wrong() {
    for disturbance in [
        Disturbance::Nothing,
        Disturbance::Pause,
        Disturbance::Reload,
        Disturbance::FullDisk,
    ] {
        expect(
            &[step(disturbance, 1, &[Sent, Acknowledged], &[2])],
            &[(Rule::NothingLost, 0, 1)],
        );
        expect(
            &[step(disturbance, 1, &[Refused, Unanswered], &[])],
            &[(Rule::NothingLost, 0, 1), (Rule::NothingLost, 0, 2)],
        );
    }
}

#[test]
fn the_crash_of_one_receiver_is_no_reason_for_another() {
    let mut step = step(Disturbance::Kill, 1, &[Sent, Acknowledged], &[]);
    step.bursts[0].receiver = Receiver::Recorder;
    step.reads = vec![(Receiver::Recorder, vec![(1, 2)])];
    expect(&[step.clone()], &[(Rule::NothingLost, 0, 1)]);
    // What the ledger was to send ended with it.
    step.bursts[0].outcomes[0] = Relayed;
    expect(&[step], &[]);
}
