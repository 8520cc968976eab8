//! Messages that don't decode: calls fail with a reason, casts are dropped, and the actor goes on with its state.

use crate::kitchen::Kitchen;
use crate::wire::{Value, args};

pub(super) fn missing(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.fails("Two", &args![7_u64], "Two");
    kitchen.fails("EchoU64", &[], "EchoU64");
    kitchen.goes_on_counting();
}

pub(super) fn extra(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.fails("Two", &args![7_u64, "a", "b"], "Two");
    kitchen.fails("Get", &args![1_u64], "Get");
    kitchen.fails("Nothing", &[0], "Nothing");
    kitchen.goes_on_counting();
}

pub(super) fn cut_off(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    let whole = args![7_u64, "text"];
    for length in [0, 1, 7, 8, 15, 16, 20, whole.len() - 1] {
        kitchen.fails("Two", &whole[..length], "Two");
    }
    // A length of almost everything there is.
    let mut endless = u64::MAX.bytes();
    endless.push(0);
    kitchen.fails("EchoBytes", &endless, "EchoBytes");
    kitchen.goes_on_counting();
}

pub(super) fn unknown(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.fails("NoSuchMessage", &[], "NoSuchMessage");
    kitchen.fails("get", &[], "get");
    kitchen.goes_on_counting();
}

pub(super) fn bad_values(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    let refused: [(&str, &[u8]); 12] = [
        ("EchoString", b"a\xffb"),
        ("EchoString", b"\xed\xa0\x80"),
        ("EchoString", b"\xf0\x9f\xa6"),
        ("EchoString", b"\xc0\x80"),
        ("EchoChar", &0xd800_u32.to_be_bytes()),
        ("EchoChar", &0x0011_0000_u32.to_be_bytes()),
        ("EchoBool", &[2]),
        ("EchoListBool", &[0, 2]),
        ("EchoU64", &[0; 7]),
        ("EchoI128", &[0; 17]),
        ("EchoListU64", &[0; 15]),
        ("EchoListChar", &[0, 0, 0xd8, 0]),
    ];
    for (variant, bytes) in refused {
        kitchen.fails(variant, &args![bytes], variant);
    }
    kitchen.goes_on_counting();
}

pub(super) fn dropped_casts(kitchen: &Kitchen<'_>) {
    kitchen.begin_counting();
    kitchen.cast("Add", &[]);
    kitchen.cast("Add", &args![1_u32]);
    kitchen.cast("Add", &args![1_u64, 1_u64]);
    kitchen.cast("Add", &args![1_u64][..9]);
    kitchen.cast("SetNote", &args![&b"\xff"[..]]);
    kitchen.cast("NoSuchMessage", &[]);
    kitchen.cast("Mark", &args![3_u64]);
    kitchen.becomes("GetMarks", &3_u64.bytes());
    kitchen.goes_on_counting();
}
