//! Replies, and what there is instead of them.

use crate::kitchen::Kitchen;
use crate::wire::{Value, args, text};

/// It failed and was started again: its count is lost.
#[track_caller]
fn begins_anew(kitchen: &Kitchen<'_>) {
    kitchen.becomes("Get", &0_u64.bytes());
}

pub(super) fn now(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.text("Two", &args![u64::MAX, "häß"]), "18446744073709551615:häß");
    assert!(kitchen.ask("Nothing", &[]).is_empty());
}

pub(super) fn later(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.text("Later", &args![10_u64, "at last"]), "at last");
}

pub(super) fn kept(kitchen: &Kitchen<'_>) {
    let (one, other) = (kitchen.begin("Keep", &[]), kitchen.begin("Keep", &[]));
    // The mailbox is open meanwhile.
    kitchen.cast("Add", &args![1_u64]);
    assert_eq!(kitchen.number("Get", &[]), 1);
    kitchen.cast("Release", &args!["served"]);
    assert_eq!(
        (text(&one.reply()), text(&other.reply())),
        ("served".to_owned(), "served".to_owned())
    );
}

pub(super) fn dropped(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.fails("DropIt", &[], "without a reply");
    kitchen.goes_on_counting();
}

pub(super) fn failed(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.fails("FailIt", &args!["no söup 🦀"], "no söup 🦀");
    kitchen.fails("FailIt", &args![""], "");
    kitchen.goes_on_counting();
}

pub(super) fn failed_later(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.fails("FailLater", &args!["no bread"], "no bread");
    kitchen.goes_on_counting();
}

pub(super) fn thrown(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    // More than may fail within a minute.
    for number in 0..12 {
        let reason = format!("no salt {number}");
        kitchen.fails("Throw", &args![&reason], &reason);
    }
    kitchen.goes_on_counting();
}

pub(super) fn thrown_cast(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.cast("ThrowCast", &args!["enough"]);
    begins_anew(kitchen);
}

pub(super) fn exit(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.cast("ExitNow", &args!["enough"]);
    begins_anew(kitchen);
}

pub(super) fn trap(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.cast("Trap", &[]);
    begins_anew(kitchen);
}

pub(super) fn trap_call(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.fails("TrapCall", &[], "");
    begins_anew(kitchen);
}

pub(super) fn recursion(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.number("Recurse", &args![100_u32]), 100);
    kitchen.fails("Recurse", &args![u32::MAX], "");
    answers_again(kitchen);
}

pub(super) fn memory(kitchen: &Kitchen<'_>) {
    let some = 4_u64 << 20;
    assert_eq!(kitchen.number("Allocate", &args![some]), some);
    kitchen.fails("Allocate", &args![3_u64 << 30], "");
    answers_again(kitchen);
}

/// Whether it was started again or went on is the language's affair.
#[track_caller]
fn answers_again(kitchen: &Kitchen<'_>) {
    kitchen.becomes("Nothing", &[]);
}

pub(super) fn batch(kitchen: &Kitchen<'_>) {
    const EACH: u64 = 100;
    for _ in 0..EACH {
        kitchen.cast("Add", &args![1_u64]);
    }
    kitchen.cast("ThrowCast", &args!["in the middle"]);
    for _ in 0..EACH {
        kitchen.cast("Add", &args![1_u64]);
    }
    // What came before it is lost with the state, what came behind it is not.
    kitchen.becomes("Get", &EACH.bytes());
}
