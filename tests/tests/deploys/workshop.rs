//! A machine on which projects are made: with the program, the caches of all tests, and without this checkout.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The longest time for a build and the compilation of what it made, on a machine that does much else besides.
pub(super) const COMPILATION: Duration = Duration::from_secs(300);

/// Tells a command where toolchains are installed once, and dependencies compiled once, for all tests and all their runs.
pub(super) fn share_caches(command: &mut Command) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // `cargo xtask` installs there, too.
    command.env("RACTOR_HOST_CACHE", target.with_file_name("tools"));
    command.env("CARGO_TARGET_DIR", target.join("project-in-rust"));
}

/// Whether a command failed because what the language needs can't be had here, which is said loudly.
///
/// # Panics
/// That is so in continuous integration, where nothing may be left out.
#[track_caller]
pub(super) fn lacks_tools(what: &str, said: &str) -> bool {
    let is_missing = [
        " is needed to ",
        "can't be reached",
        "or later is needed",
        "python3-venv",
    ];
    let is_missing = is_missing.iter().any(|text| said.contains(text));
    if is_missing {
        assert!(!is_complete(), "{what}: {said}");
        drop(writeln!(std::io::stderr(), "NOT TESTED: {what}: {said}"));
    }
    is_missing
}

/// Whether nothing may be left out, as in continuous integration.
pub(super) fn is_complete() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// Nothing in a folder leads to this checkout: it could be moved away.
///
/// # Panics
/// A file has its path.
#[track_caller]
pub(super) fn assert_no_checkout(folder: &Path) {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let checkout = checkout.canonicalize().expect("a checkout");
    let sources = checkout.join("guest-sdk");
    let sources = sources.to_str().expect("a path in UTF-8");
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        // Links lead to tools.
        let metadata = fs::symlink_metadata(&path).expect("metadata");
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if metadata.is_file() {
            let content = fs::read(&path).expect("a file");
            let content = String::from_utf8_lossy(&content);
            let is_component = path.extension().is_some_and(|extension| extension == "wasm");
            assert!(
                is_component || !content.contains(sources),
                "{} names {sources}",
                path.display()
            );
        }
    }
}
