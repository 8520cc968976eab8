//! Our derive and the published one agree on every byte, in both directions.
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod messages;

use std::fmt::Debug;

use messages::{Block, Marked, Names, Wire, ours, port, stock};
use proptest::collection::vec;
use proptest::prelude::*;
use ractor::Message;

type OurGeneric = ours::Generic<u16, String, 5>;
type StockGeneric = stock::Generic<u16, String, 5>;

/// Asserts that both derives write the same bytes, and that what each reads of them is the whole message: written again
/// by the other derive, it gives the same bytes.
fn assert_same<O: Message, S: Message>(ours: O, stock: S) {
    let wire = Wire::of(stock);
    assert_eq!(Wire::of(ours), wire);
    assert_eq!(
        Wire::of(O::deserialize(wire.clone().received()).expect("ours reads it")),
        wire
    );
    assert_eq!(
        Wire::of(S::deserialize(wire.clone().received()).expect("stock reads it")),
        wire
    );
}

/// Both derives' value of the same expression.
macro_rules! same {
    ($($message:tt)*) => { assert_same(ours::Rich::$($message)*, stock::Rich::$($message)*) };
}

/// The same for the generic message.
macro_rules! same_generic {
    ($($message:tt)*) => { assert_same(OurGeneric::$($message)*, StockGeneric::$($message)*) };
}

/// Checks a property for some dozens of values, within a runtime: reply ports need one.
fn check<T: Debug>(values: impl Strategy<Value = T>, property: impl Fn(T)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let _within = runtime.enter();
    let config = ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let outcome = proptest::test_runner::TestRunner::new(config).run(&values, |value| {
        property(value);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn names() -> impl Strategy<Value = Names> {
    vec("[a-zäß]{0,5}", 0..4).prop_map(Names)
}

#[test]
fn messages_without_fields() {
    check(Just(()), |()| {
        same!(Stop);
        same!(Nothing {});
        same!(Get(port()));
        same!(Done { reply: port() });
    });
}

#[test]
fn numbers() {
    check(any::<u64>(), |n| same!(Number(n)));
    check(any::<(u8, i16, u32, i64, u128)>(), |(a, b, c, d, e)| {
        same!(Numbers(a, b, c, d, e))
    });
    check(any::<(u32, u64, Vec<u64>)>(), |(single, double, many)| {
        // From bits: every NaN keeps its payload.
        let many: Vec<_> = many.into_iter().map(f64::from_bits).collect();
        same!(Floats {
            single: f32::from_bits(single),
            double: f64::from_bits(double),
            many: many.clone()
        });
    });
}

#[test]
fn texts_and_flags() {
    check(any::<String>(), |text| same!(Text(text.clone())));
    check(
        any::<(char, Vec<char>, bool, Vec<bool>)>(),
        |(first, rest, yes, flags)| {
            same!(Letters {
                first,
                rest: rest.clone(),
                yes,
                flags: flags.clone()
            });
        },
    );
    check(any::<String>(), |text| same!(Empty((), text.clone(), ())));
}

#[test]
fn lists() {
    check(
        any::<(Vec<u8>, Vec<i8>, Vec<u16>, Vec<i32>, Vec<u64>, Vec<i128>)>(),
        |(a, b, c, d, e, f)| {
            same!(Lists(a.clone(), b.clone(), c.clone(), d.clone(), e.clone(), f.clone()));
        },
    );
}

#[test]
fn types_of_the_user() {
    check((names(), any::<(u32, [u8; 3])>()), |(names, (number, block))| {
        same!(Own(names.clone(), Marked(number), Block(block)));
    });
    check(any::<u8>(), |byte| same!(Raw { r#type: byte }));
}

#[test]
fn calls_with_the_port_anywhere() {
    check(any::<(u8, String, Vec<u8>)>(), |(byte, text, bytes)| {
        same!(First(port(), byte, text.clone()));
        same!(Middle(bytes.clone(), port(), Marked(text.clone())));
    });
    check((names(), any::<u32>()), |(names, count)| {
        same!(Named {
            names: names.clone(),
            reply: port(),
            count
        })
    });
}

#[test]
fn generics() {
    check(any::<(u16, Vec<u16>, [u8; 5], String)>(), |(one, many, block, text)| {
        same_generic!(One(one));
        same_generic!(Many(many.clone(), Block(block)));
        same_generic!(Ask(text.clone(), port()));
        same_generic!(Change {
            reply: port(),
            to: Marked(one)
        });
    });
}

#[test]
fn the_bytes_are_those_of_the_documentation() {
    let wire = Wire::of(ours::Rich::Number(5));
    assert_eq!(wire.variant, "Number");
    assert_eq!(wire.arguments, [0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5]);
    assert!(!wire.is_call);
    assert!(ours::Rich::serializable());
}
