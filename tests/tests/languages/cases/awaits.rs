//! Handlers that await.

use super::outgoing;
use crate::kitchen::Kitchen;
use crate::restaurant::COUNT_HERE;
use crate::wire::{args, text};

pub(super) fn sleep(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.number("Sleep", &args![10_u64]), 10);
    assert_eq!(kitchen.number("Sleep", &args![0_u64]), 0);
}

pub(super) fn order(kitchen: &Kitchen<'_>) {
    let (one, other) = (
        kitchen.begin("Steps", &args!["one"]),
        kitchen.begin("Steps", &args!["other"]),
    );
    kitchen.cast("Mark", &args![9_u64]);
    assert_eq!(
        (text(&one.reply()), text(&other.reply())),
        ("one".to_owned(), "other".to_owned())
    );
    assert_eq!(kitchen.marks(), [1, 2, 1, 2, 9]);
}

pub(super) fn ask(kitchen: &Kitchen<'_>) {
    outgoing::answers(kitchen, "AskOther", "rust", COUNT_HERE);
}

pub(super) fn deadlock(kitchen: &Kitchen<'_>) {
    let came = kitchen.text("AskRing", &args!["peer"]);
    // Whose wait closes the circle is a matter of who is first.
    assert!(came.ends_with("error:would-deadlock"), "{came}");
}

pub(super) fn gather(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.number("Gather", &args!["rust", 20_u32]), 20 * COUNT_HERE);
    assert_eq!(kitchen.number("Gather", &args!["rust", 0_u32]), 0);
}

pub(super) fn cancel(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.text("Cancel", &args!["peer"]), "cancelled");
    // It is as before.
    assert_eq!(
        kitchen.text("AskOther", &args!["rust", "get", 20_000_u64]),
        format!("ok:{COUNT_HERE}")
    );
}

pub(super) fn timeout(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.text("TimeoutAwait", &args!["peer"]), "timeout");
    assert_eq!(kitchen.number("Gather", &args!["rust", 1_u32]), COUNT_HERE);
}
