//! Values of every type come back as they went.

use crate::kitchen::Kitchen;
use crate::wire::{Value, args, fields, order};

#[track_caller]
fn echo(kitchen: &Kitchen<'_>, variant: &str, value: impl Value) {
    let value = value.bytes();
    let back = kitchen.ask(variant, &args![&*value]);
    assert_eq!(back, value, "{}: {variant}", kitchen.name);
}

macro_rules! echoes {
    ($kitchen:expr; $($variant:literal: $($value:expr),+;)+) => {$($(
        echo($kitchen, $variant, $value);
    )+)+};
}

pub(super) fn unsigned(kitchen: &Kitchen<'_>) {
    echoes! {kitchen;
        "EchoU8": 0_u8, u8::MAX;
        "EchoU16": 0_u16, u16::MAX;
        "EchoU32": 0_u32, u32::MAX;
        "EchoU64": 0_u64, (1_u64 << 53) + 1, u64::MAX;
        "EchoU128": 0_u128, u128::MAX;
    }
}

pub(super) fn signed(kitchen: &Kitchen<'_>) {
    echoes! {kitchen;
        "EchoI8": i8::MIN, -1_i8, i8::MAX;
        "EchoI16": i16::MIN, i16::MAX;
        "EchoI32": i32::MIN, i32::MAX;
        "EchoI64": i64::MIN, -((1_i64 << 53) + 1), i64::MAX;
        "EchoI128": i128::MIN, -1_i128, i128::MAX;
    }
}

pub(super) fn floats(kitchen: &Kitchen<'_>) {
    echoes! {kitchen;
        "EchoF32": 0.1_f32, -0.0_f32, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, f32::NAN;
        "EchoF64": 0.1_f64, -0.0_f64, f64::MAX, 5e-324_f64, f64::NEG_INFINITY, f64::NAN;
    }
}

pub(super) fn texts(kitchen: &Kitchen<'_>) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    echoes! {kitchen;
        "EchoBool": true, false;
        "EchoChar": '\0', 'a', '\u{ffff}', '🦀', char::MAX;
        "EchoString": "", "a\0b", "häß 🦀 \u{10ffff}", "\u{feff}with a mark", "line\r\nline";
        "EchoBytes": &[][..] as &[u8], &*every_byte;
    }
}

pub(super) fn lists(kitchen: &Kitchen<'_>) {
    echoes! {kitchen;
        "EchoListU16": &[][..] as &[u16], &[0, u16::MAX][..] as &[u16];
        "EchoListU64": &[][..] as &[u64], &[0, u64::MAX][..] as &[u64];
        "EchoListI64": &[i64::MIN, -1, i64::MAX][..] as &[i64];
        "EchoListI128": &[i128::MIN, -1, i128::MAX][..] as &[i128];
        "EchoListF32": &[-0.0, f32::NAN, f32::MAX][..] as &[f32];
        "EchoListF64": &[-0.0, f64::NAN, 0.1][..] as &[f64];
        "EchoListBool": &[][..] as &[bool], &[true, false, true][..] as &[bool];
        "EchoListChar": &[][..] as &[char], &['a', '🦀'][..] as &[char];
    }
}

pub(super) fn long_list(kitchen: &Kitchen<'_>) {
    let long: Vec<u64> = (0..100_000_u64)
        .map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .collect();
    echo(kitchen, "EchoListU64", &*long);
}

pub(super) fn protobuf(kitchen: &Kitchen<'_>) {
    let large = (1_u64 << 53) + 1;
    let orders: [(&str, u64, &[&str], &[u8]); 3] = [
        ("", 0, &[], &[]),
        ("häß 🦀", large, &["soup", "", "bread"], &[0, 0xff]),
        ("a", u64::MAX - 1, &["x"], &[]),
    ];
    for (id, quantity, items, blob) in orders {
        let back = kitchen.ask("EchoProto", &args![&*order(id, quantity, items, blob)]);
        assert_eq!(fields(&back), fields(&order(id, quantity + 1, items, blob)), "{id}");
    }
    // A length that isn't that of the message.
    kitchen.fails("EchoProto", &args![&[5_u8, 0x0a][..]], "");
}

pub(super) fn json(kitchen: &Kitchen<'_>) {
    let json =
        |quantity: u32| format!(r#"{{"id": "häß 🦀 \"\\ \u00e9", "quantity": {quantity}, "items": ["soup", ""]}}"#);
    let back = kitchen.text("EchoJson", &args![&json(41)]);
    let parsed = |text: &str| -> serde_json::Value { serde_json::from_str(text).expect("JSON") };
    assert_eq!(parsed(&back), parsed(&json(42)));
    kitchen.fails("EchoJson", &args!["{\"id\": "], "");
}
