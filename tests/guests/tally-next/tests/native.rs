//! What the next version has of a state, natively.

use ractor::RpcReplyPort;
use ractor::concurrency::oneshot;
use ractor::reload::Deferred;
use ractor::testing::{hand_over, migrated};

use tally_next::Tally;
use tally_next::state::State;

/// A call that waits, and where its caller hears.
fn call() -> (Deferred<u64>, ractor::concurrency::OneshotReceiver<u64>) {
    let (port, answer) = oneshot();
    (Deferred::from(RpcReplyPort::from(port)), answer)
}

#[tokio::test]
async fn a_state_of_the_first_version_becomes_one_of_this() {
    let (waiting, answer) = call();
    let old = tally::state::State {
        count: 7,
        ends: 2,
        waiting: vec![waiting],
    };
    let new = migrated::<Tally, _>(1, &old).expect("version 1 is known");
    assert_eq!((new.count, new.ends, new.additions.len()), (7, 2, 0));
    for waiting in new.waiting {
        waiting.send(new.count).expect("the caller waits");
    }
    assert_eq!(answer.await, Ok(7));
}

#[test]
fn a_version_that_nobody_knows_is_refused() {
    let old = tally::state::State::new(7);
    let refused = migrated::<Tally, _>(3, &old).expect_err("there is no version 3");
    assert!(refused.to_string().contains("version 3"), "{refused}");
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    let refused = migrated::<Tally, _>(1, &7_u64).expect_err("that was no state");
    assert!(refused.to_string().contains("version 1"), "{refused}");
}

#[tokio::test]
async fn the_same_code_has_what_it_had() {
    let (waiting, answer) = call();
    let mut state = State::new(7);
    state.add(5);
    state.waiting.push(waiting);
    let mut state = hand_over::<Tally>(&state).expect("it can be handed over");
    assert_eq!((state.count, state.additions.as_slice()), (12, &[5][..]));
    for waiting in state.waiting.drain(..) {
        assert!(!waiting.is_closed());
        waiting.send(12).expect("the caller waits");
    }
    assert_eq!(answer.await, Ok(12));
}

#[test]
fn a_caller_that_has_given_up_is_known_after_it_too() {
    let (waiting, answer) = call();
    let mut state = State::new(0);
    state.waiting.push(waiting);
    drop(answer);
    let state = hand_over::<Tally>(&state).expect("it can be handed over");
    assert!(state.waiting.iter().all(Deferred::is_closed));
}
