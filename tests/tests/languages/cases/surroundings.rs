//! What is around an actor: timers, config, logs, clocks, and how much a message may be.

use std::time::{SystemTime, UNIX_EPOCH};

use ractor_host_tests::cli::message;
use ractor_host_tests::process::Stream;
use ractor_host_tests::wait;

use crate::cannot;
use crate::kitchen::Kitchen;
use crate::wire::args;

/// What a kitchen declares, as `ractor-host describe` shows it.
const DECLARED: &str = include_str!("../contract.txt");

/// The size of a large message, in bytes: it has room in a frame.
const LARGE: usize = 14 << 20;

pub(super) fn contract(kitchen: &Kitchen<'_>) {
    let (address, cookie) = {
        let home = kitchen.restaurant.home();
        (home.address().to_owned(), home.cookie_file())
    };
    let described = message("describe", &address, &cookie, &[&kitchen.name]);
    let text = described.answer();
    for expected in ["An actor that uses all of its SDK.", "Adds to the count.", "1.0.0"] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    for line in DECLARED.lines().filter(|line| !line.is_empty()) {
        let name = line.split(['(', ' ']).nth(1).expect("a name");
        let there = text.lines().any(|described| described.trim() == line);
        assert_eq!(
            there,
            !cannot::leaves_out(kitchen.restaurant.language, name),
            "`{line}` in {text}"
        );
    }
}

pub(super) fn timers(kitchen: &Kitchen<'_>) {
    let marks = |what: &str, accept: &dyn Fn(&[u64]) -> bool| {
        let what = format!("{what} of {}", kitchen.name);
        wait::until(&what, || kitchen.marks(), |marks| accept(marks))
    };
    kitchen.cast("After", &args![10_u64, 7_u64]);
    marks("a mark", &|marks| marks == [7]);
    kitchen.cast("Every", &args![5_u64, 1_u64]);
    marks("three more", &|marks| marks.len() >= 4);
    kitchen.cast("CancelTimers", &[]);
    let before = kitchen.marks().len();
    kitchen.cast("After", &args![60_u64, 9_u64]);
    let after = marks("the last mark", &|marks| marks.last() == Some(&9));
    // One may have been on its way.
    assert!(after.len() <= before + 2, "{before} marks, and then {after:?}");
}

pub(super) fn config(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.text("Config", &args!["colour"]), "blue");
    assert_eq!(kitchen.text("Config", &args!["taste"]), "");
}

pub(super) fn identity(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.text("Self", &[]), kitchen.full_name());
}

/// The line of the log with this text. What was logged before it is there, too.
fn logged(kitchen: &Kitchen<'_>, text: &str) -> String {
    let mut home = kitchen.restaurant.home();
    let what = format!("`{text}`");
    home.process()
        .wait_line(Stream::Stderr, 0, &what, |line| line.contains(text))
        .1
}

pub(super) fn log(kitchen: &Kitchen<'_>) {
    // The node shows levels from info on.
    for (level, word) in [
        ("debug", None),
        ("info", Some("INFO")),
        ("warn", Some("WARN")),
        ("error", Some("ERROR")),
    ] {
        let text = format!("{level}-häß-of-{}", kitchen.name);
        kitchen.cast("Log", &args![level, &text]);
        let Some(word) = word else { continue };
        let line = logged(kitchen, &text);
        assert!(line.contains(word), "{word} in {line}");
    }
    let debug = format!("debug-häß-of-{}", kitchen.name);
    let mut home = kitchen.restaurant.home();
    let lines = home.process().lines(Stream::Stderr);
    assert!(!lines.iter().any(|line| line.contains(&debug)));
}

pub(super) fn stdout(kitchen: &Kitchen<'_>) {
    let text = format!("printed by {}", kitchen.name);
    kitchen.cast("Print", &args![&text]);
    logged(kitchen, &text);
}

pub(super) fn clock(kitchen: &Kitchen<'_>) {
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        u64::try_from(since.as_millis()).expect("a time")
    };
    let before = now();
    let between = kitchen.number("Now", &[]);
    assert!((before..=now()).contains(&between), "{before}, and then {between}");
}

pub(super) fn random(kitchen: &Kitchen<'_>) {
    let peer = kitchen.other("peer");
    let drawn = [kitchen, kitchen, &peer, &peer].map(|kitchen| kitchen.number("Random", &[]));
    for (at, number) in drawn.iter().enumerate() {
        assert!(!drawn[..at].contains(number), "{drawn:?}");
    }
}

pub(super) fn large(kitchen: &Kitchen<'_>) {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(LARGE).collect();
    let back = kitchen.ask("EchoBytes", &args![&*bytes]);
    assert!(back == bytes, "{} bytes came back", back.len());
}

pub(super) fn large_call(kitchen: &Kitchen<'_>) {
    assert_eq!(kitchen.number("Big", &args![LARGE as u64]), LARGE as u64);
}
