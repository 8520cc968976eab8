//! The matrix in docs/languages.md.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::cannot::{Ability, ability};
use crate::cases::CASES;
use crate::kitchen::Caller;
use crate::language::Language;

const BEGIN: &str = "<!-- matrix: begin -->\n";
const END: &str = "<!-- matrix: end -->\n";

#[test]
fn the_matrix_in_the_documentation_is_what_the_suite_asks() {
    let path = file();
    let text = std::fs::read_to_string(&path).expect("docs/languages.md");
    let (before, rest) = text.split_once(BEGIN).expect("the beginning of the matrix");
    let (written, after) = rest.split_once(END).expect("the end of the matrix");
    let matrix = matrix();
    if std::env::var_os("RACTOR_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{matrix}{END}{after}")).expect("docs/languages.md is written");
        return;
    }
    assert!(
        written == matrix,
        "the matrix in docs/languages.md isn't that of the suite; RACTOR_BLESS=1 writes it:\n{matrix}"
    );
}

#[test]
fn every_case_that_a_language_leaves_out_is_a_case() {
    for language in Language::ALL {
        for case in crate::cannot::cases(language) {
            assert!(CASES.iter().any(|each| each.name == case), "{language:?}: {case}");
        }
    }
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/languages.md")
}

/// A row for each case, and the reasons below.
fn matrix() -> String {
    let mut text = String::from("| | called by |");
    for language in Language::ALL {
        let _infallible = write!(text, " {} |", language.title());
    }
    text += "\n|---|---|";
    text += &"---|".repeat(Language::ALL.len());
    text.push('\n');
    let mut reasons: Vec<&str> = Vec::new();
    let mut group = "";
    for case in CASES {
        if group != case.group {
            group = case.group;
            let _infallible = writeln!(text, "| **{group}** | |{}", " |".repeat(Language::ALL.len()));
        }
        let _infallible = write!(text, "| {} | {} |", case.says, callers(case.callers));
        for language in Language::ALL {
            match ability(language, case.name) {
                Ability::Can => text += " yes |",
                Ability::Cannot { why, .. } => {
                    let at = reasons.iter().position(|reason| *reason == why).unwrap_or_else(|| {
                        reasons.push(why);
                        reasons.len() - 1
                    });
                    let _infallible = write!(text, " no ({}) |", at + 1);
                }
            }
        }
        text.push('\n');
    }
    text.push('\n');
    for (at, reason) in reasons.iter().enumerate() {
        let _infallible = writeln!(text, "{}. {reason}.", at + 1);
    }
    text
}

fn callers(callers: &[Caller]) -> String {
    let words = callers.iter().map(|caller| match caller {
        Caller::Here => "guest",
        Caller::OtherNode => "node",
        Caller::Stock => "stock",
    });
    words.collect::<Vec<_>>().join(", ")
}
