//! Calls and casts that the kitchen makes, standing still meanwhile.

use crate::kitchen::Kitchen;
use crate::restaurant::{COUNT_AWAY, COUNT_HERE};
use crate::wire::{Value, args};

/// What a call of another comes to, for each of its answers.
pub(super) fn answers(kitchen: &Kitchen<'_>, verb: &str, name: &str, count: u64) {
    for (what, ms, came) in [
        ("get", 20_000_u64, format!("ok:{count}")),
        ("fail", 20_000, "error:failed:no soup".to_owned()),
        ("drop", 20_000, "error:no-reply".to_owned()),
        ("never", 50, "error:timeout".to_owned()),
    ] {
        assert_eq!(kitchen.text(verb, &args![name, what, ms]), came, "{verb} {name} {what}");
    }
    assert_eq!(
        kitchen.text(verb, &args!["nobody", "get", 50_u64]),
        "error:not-found",
        "{verb}"
    );
}

pub(super) fn blocking(kitchen: &Kitchen<'_>) {
    answers(kitchen, "CallOther", "rust", COUNT_HERE);
    // Of its own language.
    assert_eq!(kitchen.text("CallOther", &args!["peer", "get", 20_000_u64]), "ok:0");
}

pub(super) fn away(kitchen: &Kitchen<'_>) {
    answers(kitchen, "CallOther", &kitchen.restaurant.at_away("rust"), COUNT_AWAY);
}

pub(super) fn denied(kitchen: &Kitchen<'_>) {
    let poor = kitchen.other("poor");
    assert_eq!(
        poor.text("CallOther", &args!["rust", "get", 20_000_u64]),
        "error:denied"
    );
    poor.cast("CastOther", &args!["rust", 1_u64]);
    let note = poor.text("GetNote", &[]);
    assert!(note.starts_with("error:"), "{note}");
}

pub(super) fn called_from_away(kitchen: &Kitchen<'_>) {
    let rust = kitchen.restaurant.at_away("rust");
    let name = kitchen.full_name();
    for (what, ms, came) in [
        ("get", 20_000_u64, "ok:0"),
        ("fail", 20_000, "error:failed:no soup"),
        ("drop", 20_000, "error:no-reply"),
        ("never", 50, "error:timeout"),
    ] {
        let reply = crate::kitchen::call(&rust, "CallOther", args![&name, what, ms]);
        assert_eq!(reply, Ok(Value::bytes(came)), "{what}");
    }
}

pub(super) fn deadlock(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.text("Ring", &args!["rust"]), "ok:error:would-deadlock");
}

pub(super) fn casts(kitchen: &Kitchen<'_>) {
    // To itself, and to nobody.
    kitchen.cast("CastOther", &args![&kitchen.name, 3_u64]);
    kitchen.becomes("Get", &3_u64.bytes());
    kitchen.cast("CastOther", &args!["nobody", 3_u64]);
    kitchen.becomes("GetNote", b"error:not-found");
}
