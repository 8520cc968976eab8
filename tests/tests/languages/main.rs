//! The conformance suite of the languages: one actor, the kitchen, written in each of them with its SDK, and the same cases asked of
//! each. Who may call it is a guest on its node, a native on another node, or a stock program.
//!
//! A test is a language: its nodes serve every case. `RACTOR_CASE=groups` runs the cases whose names have that in them.
//! `docs/languages.md` has the matrix; `RACTOR_BLESS=1` writes it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails should panic"
)]

mod cannot;
mod cases;
mod crowd;
#[path = "../nodes/here.rs"]
#[allow(dead_code, reason = "another target uses the rest")]
mod here;
mod kitchen;
mod language;
mod matrix;
mod restaurant;
mod states;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::cannot::Ability;
use crate::cases::CASES;
use crate::kitchen::Kitchen;
use crate::language::Language;
use crate::restaurant::Restaurant;

#[test]
fn rust_does_what_every_language_does() {
    conforms(Language::Rust);
}

#[test]
fn python_does_what_every_language_does() {
    conforms(Language::Python);
}

#[test]
fn typescript_does_what_every_language_does() {
    conforms(Language::TypeScript);
}

#[test]
fn c_does_what_every_language_does() {
    conforms(Language::C);
}

#[test]
fn go_does_what_every_language_does() {
    conforms(Language::Go);
}

/// Runs every case, in every language that has its tools, and says which ones failed.
#[track_caller]
fn conforms(language: Language) {
    let Some(component) = language.kitchen() else { return };
    let wanted = std::env::var("RACTOR_CASE").unwrap_or_default();
    let restaurant = Restaurant::open(language, &component);
    let mut failed = Vec::new();
    for case in CASES.iter().filter(|case| case.name.contains(&wanted)) {
        for caller in case.callers {
            let kitchen = Kitchen::new(&restaurant, case, *caller);
            let run = || match cannot::ability(language, case.name) {
                Ability::Can => (case.run)(&kitchen),
                Ability::Cannot { pin, .. } => pin.holds(&kitchen),
            };
            // What went wrong is on stderr already.
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                failed.push(format!("{} ({caller:?})", case.name));
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{language:?} fails at: {failed:#?}{}",
        restaurant.log()
    );
}
