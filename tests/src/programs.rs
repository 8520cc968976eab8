//! Where the programs and the guests under test are.
//!
//! `cargo xtask test` builds them all first and says where. Under a plain `cargo test` they are built when the first test
//! asks for them, into the target folder that the test itself was built into.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the native programs.
const PROGRAMS_VARIABLE: &str = "RACTOR_TEST_BIN_DIR";
/// The folder of the compiled guests.
const GUESTS_VARIABLE: &str = "RACTOR_TEST_GUESTS";
/// The cargo profile of the guests, which names their folder.
const GUEST_PROFILE: &str = "guest";
/// The target of the guests.
const GUEST_TARGET: &str = "wasm32-wasip2";

/// The `ractor-host` program.
pub fn ractor_host() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| program("ractor-host")).clone()
}

/// The test peer on the published `ractor_cluster`.
pub fn stock_peer() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| program("stock-peer")).clone()
}

/// The same peer on this project's cluster layer.
pub fn host_peer() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| program("host-peer")).clone()
}

/// A compiled guest, by the name of its file without `.wasm`.
///
/// # Panics
/// There is no such guest, or the guests can't be built.
#[track_caller]
pub fn guest(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| match env::var_os(GUESTS_VARIABLE) {
        Some(folder) => folder.into(),
        None => {
            cargo(&["run", "--quiet", "--package", "xtask", "--", "build-guests"]);
            target_folder().join(GUEST_TARGET).join(GUEST_PROFILE)
        }
    });
    existing(folder.join(name).with_extension("wasm"))
}

/// Each program is a package of its own name. They are built one by one: together they would share features, and the
/// product would be tested with what the stock crate switches on.
#[track_caller]
fn program(name: &str) -> PathBuf {
    let folder = match env::var_os(PROGRAMS_VARIABLE) {
        Some(folder) => folder.into(),
        None => {
            cargo(&["build", "--quiet", "--package", name]);
            target_folder().join("debug")
        }
    };
    existing(folder.join(name).with_extension(env::consts::EXE_EXTENSION))
}

#[track_caller]
fn existing(path: PathBuf) -> PathBuf {
    assert!(
        path.is_file(),
        "{} isn't there; `cargo xtask test` builds everything",
        path.display()
    );
    path
}

/// The folder into which cargo built this test: the test is at `TARGET/debug/deps/TEST`.
fn target_folder() -> PathBuf {
    match env::current_exe()
        .ok()
        .as_deref()
        .and_then(|test| test.ancestors().nth(3))
    {
        Some(folder) => folder.to_owned(),
        None => panic!("this test wasn't built by cargo; set {PROGRAMS_VARIABLE} and {GUESTS_VARIABLE}"),
    }
}

#[track_caller]
fn cargo(arguments: &[&str]) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(env!("CARGO"));
    command
        .args(arguments)
        .current_dir(workspace)
        .env("CARGO_TARGET_DIR", target_folder());
    // What cargo tells this test about its own package would look like a change to build scripts.
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    match command.status() {
        Ok(status) => assert!(status.success(), "cargo {}: {status}", arguments.join(" ")),
        Err(error) => panic!("cargo {}: {error}", arguments.join(" ")),
    }
}
