//! How files look, and what may not be left in them.

use std::collections::BTreeSet;

use crate::Finding;
use crate::files::SourceFile;

/// A file with more lines is a design question, answered in [`LONG_FILES`].
const LONG: usize = 500;

/// Files that are long, and why they should be.
const LONG_FILES: &[(&str, &str)] = &[];

/// Marks of unfinished work. In pieces, so that this file has none.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];

/// The beginnings of paths that exist on one person's machine only.
const MACHINES: &[&str] = &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")];

/// The copies of the world of a guest, in packages that can't contain files from outside their folder.
const WORLD_COPIES: &[&str] = &[
    "guest-sdk/js/wit/",
    "guest-sdk/python/src/ractor/wit/",
    "guest-sdk/wit/",
    "sandbox/wit/",
];

/// Rust files that don't open with `//!`.
pub(crate) fn headers(files: &[SourceFile]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_rust())
        .filter(|file| !file.text.lines().next().is_some_and(|line| line.starts_with("//! ")))
        .map(|file| Finding::new(file, 1, "a file opens with `//! ` and what it is for"))
        .collect()
}

/// Long Rust files without a reason, and reasons without a long file.
pub(crate) fn lengths(files: &[SourceFile]) -> Vec<Finding> {
    lengths_but(files, LONG_FILES)
}

/// Copies of the world of a guest in packages that differ from it, or lack a file, or have one more.
pub(crate) fn worlds(files: &[SourceFile]) -> Vec<Finding> {
    let of = |folder: &'static str| {
        files
            .iter()
            .filter_map(move |file| Some((file.path.strip_prefix(folder)?, file)))
    };
    let differing = of("wit/").flat_map(|(name, original)| {
        let missing = WORLD_COPIES.iter().copied().filter(move |folder| {
            let mut copy = of(folder).filter(|(copied, _)| *copied == name);
            !copy.any(|(_, copy)| copy.text == original.text)
        });
        missing.map(|folder| {
            Finding::new(
                original,
                1,
                format!("{folder} has no copy of this; `cp wit/* {folder}` makes it"),
            )
        })
    });
    let strays = WORLD_COPIES
        .iter()
        .copied()
        .flat_map(of)
        .filter(|(name, _)| of("wit/").all(|(original, _)| original != *name));
    let strays = strays.map(|(_, stray)| Finding::new(stray, 1, "this is a copy of nothing in wit/"));
    differing.chain(strays).collect()
}

fn lengths_but(files: &[SourceFile], excused: &[(&str, &str)]) -> Vec<Finding> {
    let long: Vec<&SourceFile> = files
        .iter()
        .filter(|file| file.is_rust() && file.text.lines().count() > LONG)
        .collect();
    let unexcused = long
        .iter()
        .filter(|file| !excused.iter().any(|(path, _)| *path == file.path))
        .map(|file| {
            let lines = file.text.lines().count();
            Finding::new(
                file,
                lines,
                format!("{lines} lines: split it, or say in LONG_FILES of the tidy test why not"),
            )
        });
    let outdated = excused
        .iter()
        .filter(|(path, _)| !long.iter().any(|file| file.path == *path))
        .map(|(path, _)| Finding {
            path: (*path).into(),
            line: 1,
            rule: "it is not long any more: take it out of LONG_FILES".into(),
        });
    unexcused.chain(outdated).collect()
}

/// Marks of unfinished work and paths of a machine, in any text file.
pub(crate) fn leftovers(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            let unfinished = UNFINISHED.iter().filter(|mark| has_word(line, mark));
            findings.extend(unfinished.map(|mark| {
                Finding::new(
                    file,
                    index + 1,
                    format!("`{mark}`: do it, or write down where it belongs"),
                )
            }));
            let machines = MACHINES.iter().filter(|path| line.contains(**path));
            findings.extend(
                machines.map(|path| Finding::new(file, index + 1, format!("`{path}` exists on one machine only"))),
            );
        }
    }
    findings
}

/// Guests under tests/guests that no test names: packages anywhere, those of one file as the text that starts them.
pub(crate) fn guests(files: &[SourceFile]) -> Vec<Finding> {
    const GUESTS: &str = "tests/guests/";
    let guests = files.iter().filter_map(|file| file.path.strip_prefix(GUESTS));
    let single = |path: &str| path.ends_with(".wat");
    let packages: BTreeSet<&str> = guests
        .clone()
        .filter(|path| !single(path))
        .filter_map(|path| Some(path.split_once('/')?.0))
        .collect();
    let tests: Vec<&SourceFile> = files
        .iter()
        .filter(|file| file.is_rust() && is_test(&file.path))
        .collect();
    let names = |text: &str| tests.iter().any(|test| has_word(&test.text, text));
    let unnamed = packages
        .into_iter()
        .filter(|name| !names(name) && !names(&name.replace('-', "_")));
    let unstarted = guests.filter(|path| single(path)).filter(|path| {
        let file = path.rsplit('/').next().unwrap_or(path);
        let started = format!("\"{}\"", file.trim_end_matches(".wat"));
        !tests.iter().any(|test| test.text.contains(&started))
    });
    unnamed
        .chain(unstarted)
        .map(|name| Finding {
            path: format!("{GUESTS}{name}"),
            line: 1,
            rule: "no test names this guest".into(),
        })
        .collect()
}

/// A guest that is built apart has its tests beside it.
fn is_test(path: &str) -> bool {
    let folders = ["tests/tests/", "host/tests/"];
    folders.iter().any(|folder| path.starts_with(folder)) || path == "tests/guests/orders/tests/nodes.rs"
}

/// True if the text has these characters with no letter, digit or `_` right before or after.
fn has_word(text: &str, word: &str) -> bool {
    let continues = |neighbour: Option<char>| neighbour.is_some_and(|each| each.is_alphanumeric() || each == '_');
    text.match_indices(word)
        .any(|(at, _)| !continues(text[..at].chars().next_back()) && !continues(text[at + word.len()..].chars().next()))
}

#[cfg(test)]
fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.into(),
        text: text.into(),
    }
}

#[test]
fn finds_missing_headers() {
    let check = |path, text, findings| assert_eq!(headers(&[file(path, text)]).len(), findings, "{path}: {text}");
    check("host/src/a.rs", "//! What it is for.\n", 0);
    check("host/src/a.rs", "use std::fmt;\n//! Late.", 1);
    check("host/src/a.rs", "//!\n", 1);
    check("host/src/a.rs", "", 1);
    check("host/Cargo.toml", "", 0);
}

#[test]
fn finds_long_files_and_outdated_excuses() {
    let long = || file("host/src/a.rs", &"//! A.\n".repeat(LONG + 1));
    let short = || file("host/src/a.rs", &"//! A.\n".repeat(LONG));
    let excused = [("host/src/a.rs", "a table")];
    assert_eq!(lengths_but(&[long()], &[]).len(), 1);
    assert_eq!(lengths_but(&[short()], &[]), []);
    assert_eq!(lengths_but(&[long()], &excused), []);
    assert_eq!(lengths_but(&[short()], &excused).len(), 1);
}

#[test]
fn finds_leftovers() {
    let check = |text: &str, expected: &[usize]| {
        let lines: Vec<usize> = leftovers(&[file("README.md", text)])
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, expected, "{text}");
    };
    check("all is done\n", &[]);
    check(concat!("fine\n// TO", "DO later"), &[2]);
    check(concat!("fn f() { to", "do!() }"), &[1]);
    check(concat!("TO", "DOS and MATO", "DO are words"), &[]);
    check(concat!("see /ho", "me/me/notes"), &[1]);
}

#[test]
fn finds_guests_without_a_test() {
    let guest = || file("tests/guests/busy-loop/src/lib.rs", "//! Loops.");
    let check = |test: &str, findings| {
        assert_eq!(
            guests(&[guest(), file("tests/tests/guests.rs", test)]).len(),
            findings,
            "{test}"
        );
    };
    check("load(\"busy_loop.wasm\")", 0);
    check("load(\"busy-loop\")", 0);
    check("load(\"busy_loops\")", 1);
    check("", 1);

    let single = || file("tests/guests/hostile/memory-bomb.wat", ";; Takes all.");
    let findings = |test: &str| guests(&[single(), file("tests/tests/hostile/main.rs", test)]).len();
    assert_eq!(findings("Victims::of(\"memory-bomb\")"), 0);
    assert_eq!(findings("// of memory-bomb"), 1);
}

#[test]
fn finds_worlds_that_differ() {
    let file = |path: &str, text: &str| SourceFile {
        path: path.into(),
        text: text.into(),
    };
    let copies = WORLD_COPIES.iter().map(|folder| file(&format!("{folder}a.wit"), "1"));
    let mut files: Vec<SourceFile> = copies.collect();
    files.push(file("wit/a.wit", "1"));
    assert_eq!(worlds(&files), []);
    files[0].text = "2".into();
    assert_eq!(worlds(&files).len(), 1);
    files[0].path = format!("{}b.wit", WORLD_COPIES[0]);
    assert_eq!(worlds(&files).len(), 2);
}
