//! Bytes that are no message are an error, and for ractor's own types not even a panic that is caught. Alone in its
//! binary, since it counts the panics of the whole process.
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod messages;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use messages::{Block, Marked, Names, Wire, ours, port};
use ours::Rich;
use proptest::prelude::*;
use ractor::Message;
use ractor::message::SerializedMessage;

static PANICS: AtomicUsize = AtomicUsize::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs a test within a runtime and returns how many panics there were, caught or not.
fn panics_of(test: impl AsyncFnOnce()) -> usize {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        eprintln!("counted: {panic}");
    }));
    let start = PANICS.load(Ordering::Relaxed);
    runtime.block_on(test());
    let panics = PANICS.load(Ordering::Relaxed) - start;
    std::panic::set_hook(before);
    panics
}

fn is_refused(wire: &Wire) -> bool {
    Rich::deserialize(wire.clone().received()).is_err()
}

/// One of each kind, with arguments of ractor's own types only.
fn plain_messages() -> Vec<Rich> {
    vec![
        Rich::Stop,
        Rich::Nothing {},
        Rich::Number(1),
        Rich::Numbers(1, -2, 3, -4, 5),
        Rich::Floats {
            single: 1.5,
            double: -2.5,
            many: vec![0.0, f64::NAN],
        },
        Rich::Text("grüße".to_owned()),
        Rich::Letters {
            first: 'ß',
            rest: vec!['a', '🦀'],
            yes: true,
            flags: vec![true, false],
        },
        Rich::Lists(vec![1, 2], vec![-1], vec![3], vec![-4, 4], vec![5], vec![-6]),
        Rich::Empty((), "x".to_owned(), ()),
        Rich::Get(port()),
        Rich::First(port(), 1, "text".to_owned()),
        Rich::Done { reply: port() },
    ]
}

fn with_arguments(wire: &Wire, change: impl FnOnce(&mut Vec<u8>)) -> Wire {
    let mut wire = wire.clone();
    change(&mut wire.arguments);
    wire
}

#[test]
fn missing_and_trailing_bytes_are_refused() {
    let panics = panics_of(async || {
        for wire in plain_messages().into_iter().map(Wire::of) {
            for length in 0..wire.arguments.len() {
                let cut = with_arguments(&wire, |arguments| arguments.truncate(length));
                assert!(is_refused(&cut), "{cut:?}");
            }
            for more in [1, 7, 8, 9, 16] {
                let longer = with_arguments(&wire, |arguments| arguments.extend(vec![0; more]));
                assert!(is_refused(&longer), "{longer:?}");
            }
        }
    });
    assert_eq!(panics, 0);
}

#[test]
fn lengths_that_lie_are_refused() {
    let panics = panics_of(async || {
        for wire in plain_messages().into_iter().map(Wire::of) {
            if wire.arguments.is_empty() {
                continue;
            }
            for lie in [
                u64::MAX,
                u64::MAX - 7,
                i64::MAX as u64,
                1 << 32,
                1 << 63,
                wire.arguments.len() as u64,
            ] {
                let lying = with_arguments(&wire, |arguments| arguments[..8].copy_from_slice(&lie.to_be_bytes()));
                assert!(is_refused(&lying), "{lying:?}");
            }
        }
    });
    assert_eq!(panics, 0);
}

/// The arguments as they go over the wire.
fn framed(arguments: &[&[u8]]) -> Vec<u8> {
    arguments
        .iter()
        .flat_map(|bytes| [&(bytes.len() as u64).to_be_bytes(), *bytes].concat())
        .collect()
}

fn cast(variant: &str, arguments: &[&[u8]]) -> Wire {
    Wire {
        variant: variant.to_owned(),
        arguments: framed(arguments),
        is_call: false,
    }
}

#[test]
fn arguments_of_a_wrong_size_or_content_are_refused() {
    let numbers: [&[u8]; 5] = [&[0; 1], &[0; 2], &[0; 4], &[0; 8], &[0; 16]];
    let lists: [&[u8]; 6] = [&[0; 3], &[0; 3], &[0; 4], &[0; 8], &[0; 16], &[0; 32]];
    let panics = panics_of(async || {
        assert!(!is_refused(&cast("Numbers", &numbers)));
        assert!(!is_refused(&cast("Lists", &lists)));
        for position in 0..numbers.len() {
            for wrong in [&[][..], &[0; 3], &[0; 17]] {
                let mut wrongly = numbers;
                wrongly[position] = wrong;
                assert!(is_refused(&cast("Numbers", &wrongly)), "{wrongly:?}");
            }
        }
        // Any number of bytes is a Vec<u8> and a Vec<i8>.
        for position in 2..lists.len() {
            let mut wrongly = lists;
            wrongly[position] = &[0; 33];
            assert!(is_refused(&cast("Lists", &wrongly)), "{wrongly:?}");
        }
        for text in [&[0xff][..], b"\xe2\x82", b"ok\xc0\x80", b"\xed\xa0\x80"] {
            assert!(is_refused(&cast("Text", &[text])));
        }
        let letters = |first: &[u8], rest: &[u8], yes: &[u8]| cast("Letters", &[first, rest, yes, &[1, 0]]);
        let (letter, surrogate, beyond) = ([0, 0, 0, 97], [0, 0, 0xd8, 0], [0, 0x11, 0, 0]);
        assert!(!is_refused(&letters(&letter, &letter, &[1])));
        for wrong in [&surrogate[..], &beyond, &[0; 3]] {
            assert!(is_refused(&letters(wrong, &letter, &[1])));
            assert!(is_refused(&letters(&letter, wrong, &[1])));
        }
        assert!(is_refused(&letters(&[0; 8], &letter, &[1])));
        assert!(is_refused(&letters(&[], &letter, &[1])));
        assert!(is_refused(&letters(&letter, &letter, &[])));
        assert!(is_refused(&letters(&letter, &letter, &[1, 1])));
        assert!(is_refused(&cast("Empty", &[b"", b"", b"x"])));
    });
    assert_eq!(panics, 0);
}

#[test]
fn a_wrong_name_or_kind_is_refused() {
    let panics = panics_of(async || {
        for variant in ["", "stop", "Stop ", "Get", "Raw"] {
            assert!(is_refused(&cast(variant, &[])), "{variant}");
        }
        for mut wire in plain_messages().into_iter().map(Wire::of) {
            wire.is_call = !wire.is_call;
            assert!(is_refused(&wire), "{wire:?}");
        }
        assert!(Rich::deserialize(SerializedMessage::CallReply(1, Vec::new())).is_err());
    });
    assert_eq!(panics, 0);
}

#[test]
fn random_bytes_never_panic() {
    let panics = panics_of(async || {
        let tags: Vec<_> = plain_messages().into_iter().map(Wire::of).collect();
        let arguments = prop_oneof![
            any::<Vec<u8>>(),
            proptest::collection::vec(any::<Vec<u8>>(), 0..7)
                .prop_map(|arguments| framed(&arguments.iter().map(Vec::as_slice).collect::<Vec<_>>())),
        ];
        let config = ProptestConfig {
            cases: 256,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let outcome = proptest::test_runner::TestRunner::new(config).run(&arguments, |arguments| {
            for tag in &tags {
                let wire = Wire {
                    arguments: arguments.clone(),
                    ..tag.clone()
                };
                if let Ok(message) = Rich::deserialize(wire.clone().received()) {
                    // A bool may be any byte, and every other than 1 is false; all else is read one to one.
                    let again = Wire::of(message);
                    prop_assert_eq!(again.arguments.len(), wire.arguments.len());
                    prop_assert!(again == wire || wire.variant == "Letters", "{:?} {:?}", again, wire);
                }
            }
            Ok(())
        });
        assert!(outcome.is_ok(), "{outcome:?}");
    });
    assert_eq!(panics, 0);
}

#[test]
fn a_panic_of_the_users_conversion_is_caught() {
    let own = Wire::of(Rich::Own(Names(vec!["a".to_owned()]), Marked(1), Block([1, 2, 3])));
    let panics = panics_of(async || {
        assert!(!is_refused(&own));
        assert!(is_refused(&cast("Own", &[b"cut off", &[7, 0, 0, 0, 1], &[1, 2, 3]])));
        assert!(is_refused(&cast("Own", &[b"a\n", &[8, 0, 0, 0, 1], &[1, 2, 3]])));
        assert!(is_refused(&cast("Own", &[b"a\n", &[7, 0, 0, 0, 1], &[1, 2, 3, 4]])));
    });
    assert_eq!(panics, 3, "these panics are the conversions' own");
}

#[test]
fn replies_are_checked_like_arguments() {
    let panics = panics_of(async || {
        for bytes in [vec![], vec![0; 7], vec![0; 9]] {
            let (sender, receiver) = ractor::concurrency::oneshot();
            let Ok(SerializedMessage::Call { reply, .. }) = Rich::Get(sender.into()).serialize() else {
                panic!("a call is a call")
            };
            reply.send(bytes).expect("somebody waits for the bytes");
            assert!(receiver.await.is_err(), "the caller hears that there is no reply");
        }
    });
    assert_eq!(panics, 0);
}
