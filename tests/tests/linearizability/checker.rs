//! The checks find what is wrong with histories that are made by hand, and nothing in good ones.

use crate::linear::{self, Model, Of, Operation, Returned, Verdict};
use crate::workloads::bank::{self, Account, Transfer};
use crate::workloads::counter::{Call as Count, Counter};
use crate::workloads::log::{self, Fate, Log, Read};
use crate::workloads::register::{self, Call, Register};

use Call::{CompareAndSwap, Read as Look, Swap};

/// A call from one time to another, with its reply.
fn one<C, R>(call: C, called_at: u64, at: u64, reply: R) -> Operation<C, R> {
    Operation {
        client: 0,
        call,
        called_at,
        returned: Some(Returned { at, reply }),
    }
}

/// A call that nobody knows the outcome of.
fn open<C, R>(call: C, called_at: u64) -> Operation<C, R> {
    Operation {
        client: 0,
        call,
        called_at,
        returned: None,
    }
}

#[track_caller]
fn good<M: Model + Default>(operations: &[Of<M>]) {
    assert_eq!(linear::check(&M::default(), operations), Verdict::Linearizable);
}

/// Gives what is said.
#[track_caller]
fn bad<M: Model + Default>(operations: &[Of<M>]) -> String {
    match linear::check(&M::default(), operations) {
        Verdict::Wrong(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn good_registers() {
    good::<Register>(&[]);
    // One after the other.
    good::<Register>(&[
        one(Swap(1), 0, 1, 0),
        one(Look, 2, 3, 1),
        one(CompareAndSwap(1, 2), 4, 5, 1),
        one(Look, 6, 7, 2),
    ]);
    // Two at a time, in either order; a condition that doesn't hold changes nothing.
    for (first, second) in [(0, 1), (2, 0)] {
        good::<Register>(&[one(Swap(1), 0, 9, first), one(Swap(2), 1, 8, second)]);
    }
    good::<Register>(&[one(CompareAndSwap(7, 8), 0, 1, 0), one(Look, 2, 3, 0)]);
    // A call whose outcome nobody knows was handled, late, or never.
    good::<Register>(&[open(Swap(1), 0), one(Look, 5, 6, 0), one(Look, 7, 8, 1)]);
    good::<Register>(&[open(Swap(1), 0), one(Look, 5, 6, 0)]);
    // A read that was called before a write ended, and answered long after it, may have either.
    for reply in [0, 1] {
        good::<Register>(&[one(Look, 0, 100, reply), one(Swap(1), 1, 2, 0)]);
    }
}

#[test]
fn registers_that_went_wrong() {
    // A write that was answered is lost.
    let lost = bad::<Register>(&[one(Swap(1), 0, 1, 0), one(Swap(2), 2, 3, 1), one(Look, 4, 5, 1)]);
    assert!(
        lost.contains("more than 2 of 3") && lost.contains("next? 4..5"),
        "{lost}"
    );
    // Of a read that began later the same holds, whoever made it, while others are under way.
    bad::<Register>(&[one(Swap(1), 0, 1, 0), one(Look, 3, 9, 0), one(Look, 2, 10, 1)]);
    // What was read once isn't unread by a later one.
    bad::<Register>(&[one(Swap(1), 0, 20, 0), one(Look, 1, 2, 1), one(Look, 3, 4, 0)]);
    // A write is handled twice: between the two is another one.
    bad::<Register>(&[
        one(Swap(1), 0, 1, 0),
        one(Swap(2), 2, 3, 1),
        one(Look, 4, 5, 2),
        one(Look, 6, 7, 1),
    ]);
    // Two find the same thing there and take its place.
    bad::<Register>(&[one(CompareAndSwap(0, 1), 0, 9, 0), one(CompareAndSwap(0, 2), 1, 8, 0)]);
    // One that was not handled, as its caller heard, is no part of the history.
    bad::<Register>(&[one(Look, 0, 1, 5)]);
    // An outcome that nobody knows explains no more than one change.
    bad::<Register>(&[open(Swap(1), 0), one(Swap(2), 2, 3, 1), one(Look, 4, 5, 1)]);
    // Nothing is handled before it is called.
    bad::<Register>(&[one(Look, 0, 1, 1), open(Swap(1), 2)]);
}

#[test]
fn calls_that_nobody_saw_are_left_out_and_nothing_else() {
    let all = vec![
        open(Swap(1), 0),
        open(Swap(2), 0),
        open(Look, 0),
        open(CompareAndSwap(2, 3), 1),
        one(Look, 4, 5, 3),
        one(Swap(9), 6, 7, 3),
    ];
    let left = register::without_unseen(all.clone());
    let expected = [1, 3, 4, 5].map(|at| all[at].clone());
    assert_eq!(left, expected);
    good::<Register>(&left);
}

#[test]
fn a_long_history_with_many_open_calls_is_decided() {
    let mut all: Vec<Of<Register>> = (0..40).map(|value| open(Swap(1_000 + value), value)).collect();
    for at in 0..400 {
        all.push(one(Swap(at + 1), 100 + 10 * at, 109 + 10 * at, at));
        all.push(one(Look, 105 + 10 * at, 112 + 10 * at, at + 1));
    }
    good::<Register>(&register::without_unseen(all.clone()));
    all.push(one(Look, 9_000, 9_001, 399));
    bad::<Register>(&register::without_unseen(all));
}

#[test]
fn counters() {
    good::<Counter>(&[
        one(Count::Add(2), 0, 9, 5),
        one(Count::Add(3), 1, 8, 3),
        one(Count::Count, 10, 11, 5),
    ]);
    good::<Counter>(&[
        open(Count::Add(1), 0),
        one(Count::Count, 1, 2, 0),
        one(Count::Count, 3, 4, 1),
    ]);
    // One call is counted twice.
    bad::<Counter>(&[one(Count::Add(1), 0, 1, 1), one(Count::Count, 2, 3, 2)]);
    bad::<Counter>(&[one(Count::Add(1), 0, 1, 2)]);
    // Two have the same count: one of them was lost.
    bad::<Counter>(&[one(Count::Add(1), 0, 9, 1), one(Count::Add(1), 1, 8, 1)]);
    bad::<Counter>(&[one(Count::Add(1), 0, 1, 1), one(Count::Count, 2, 3, 0)]);
}

/// A log to which sender 1 has sent these, and its reads one after the other.
fn read(fates: &[Fate], reads: &[&[u64]]) -> Vec<String> {
    let sent = (0..).zip(fates).map(|(number, fate)| ((1, number), fate.clone()));
    let reads = (0..).zip(reads).map(|(at, numbers)| Read {
        called_at: 100 + 10 * at,
        returned: Returned {
            at: 105 + 10 * at,
            reply: numbers.iter().map(|number| (1, *number)).collect(),
        },
    });
    log::check_one(&Log {
        sent: sent.collect(),
        reads: reads.collect(),
    })
}

#[test]
fn logs() {
    use Fate::{Answered, NotHandled, Sent, Unknown};
    let fates = [Sent, Answered(50), Sent, NotHandled, Unknown, Answered(500)];
    for reads in [
        // What was sent or is not known may be there or not, and what will be answered, too.
        &[&[0, 1, 2][..], &[0, 1, 2, 4, 5]][..],
        &[&[1], &[1, 4]],
        &[&[1, 5], &[1, 5]],
    ] {
        assert_eq!(read(&fates, reads), Vec::<String>::new(), "{reads:?}");
    }
    for (reads, says) in [
        (&[&[0, 1, 0][..]][..], "(1, 0) is there twice"),
        (&[&[0, 1, 1]], "(1, 1) is there twice"),
        (&[&[1, 0]], "(1, 0) is there behind (1, 1)"),
        (
            &[&[1, 2, 3]],
            "(1, 3) is there, and its sender heard that it was not handled",
        ),
        (&[&[1, 7]], "(1, 7) was never sent"),
        (
            &[&[0, 2]],
            "(1, 1) was answered, and a read that began later, at 100, lacks it",
        ),
        (
            &[&[1, 2], &[1]],
            "a read at 110 has other messages from place 1 on than one that had ended before",
        ),
        (
            &[&[1, 2], &[1, 4]],
            "a read at 110 has other messages from place 1 on than one that had ended before",
        ),
    ] {
        assert_eq!(read(&fates, reads), [says], "{reads:?}");
    }
}

#[test]
fn accounts() {
    let transfer = |is_done| Transfer {
        name: "t".to_owned(),
        from: 0,
        to: 1,
        amount: 7,
        is_done,
    };
    // Two accounts, with what the transfer has moved in each.
    let accounts = |moved: [&[i64]; 2]| {
        moved.map(|moved| {
            let moved = moved.iter().map(|amount| ("t".to_owned(), *amount));
            let opened = (
                "opening".to_owned(),
                i64::try_from(bank::OPENING).expect("a small number"),
            );
            let transfers: Vec<_> = [opened].into_iter().chain(moved).collect();
            let balance = transfers.iter().map(|(_, amount)| amount).sum::<i64>();
            Account {
                balance: u64::try_from(balance).expect("no debts"),
                transfers,
            }
        })
    };
    let check = |is_done, moved| bank::check(&[transfer(is_done)], &accounts(moved));
    for (is_done, moved) in [
        (Some(true), [&[-7][..], &[7]]),
        (Some(false), [&[], &[]]),
        (None, [&[], &[]]),
        (None, [&[-7], &[]]),
        (None, [&[-7], &[7]]),
    ] {
        assert_eq!(check(is_done, moved), Vec::<String>::new(), "{is_done:?} {moved:?}");
    }
    for (is_done, moved) in [
        (Some(true), [&[][..], &[][..]]),
        (Some(true), [&[-7], &[]]),
        (Some(true), [&[-7, -7], &[7]]),
        (Some(true), [&[-7], &[7, 7]]),
        (Some(true), [&[-6], &[6]]),
        (Some(false), [&[-7], &[7]]),
        (None, [&[], &[7]]),
        (None, [&[-7, -7], &[]]),
    ] {
        assert!(!check(is_done, moved).is_empty(), "{is_done:?} {moved:?}");
    }
    // A transfer that nobody asked for, and a balance that isn't the sum of the transfers.
    assert!(!bank::check(&[], &accounts([&[-7], &[7]])).is_empty());
    let mut wrong = accounts([&[-7], &[7]]);
    wrong[0].balance += 1;
    assert!(!bank::check(&[transfer(Some(true))], &wrong).is_empty());
}
