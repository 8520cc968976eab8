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

/// A folder of built files, or why it couldn't be built: the next test needn't try again.
type Built = OnceLock<Result<PathBuf, String>>;

/// The `ractor-host` program, told to log what it does and to keep compiled guests apart from the user's.
#[track_caller]
pub fn ractor_host() -> Command {
    static BUILT: Built = Built::new();
    let program = program("ractor-host", &BUILT);
    let cache = cache_beside(&program);
    let mut command = Command::new(program);
    command.env("RUST_LOG", "info");
    // Also the key of that cache. What nodes that are killed leave of their sockets isn't left where the user has such.
    command
        .env("XDG_STATE_HOME", cache.join("state"))
        .env("XDG_RUNTIME_DIR", cache.join("run"))
        .env("XDG_CACHE_HOME", cache);
    command
}

/// Where the nodes of the tests keep compiled guests.
#[track_caller]
pub fn compiled_guests() -> PathBuf {
    let program = ractor_host();
    cache_beside(Path::new(program.get_program())).join("ractor-host")
}

/// The key of those.
#[track_caller]
pub fn key_of_compiled_guests() -> PathBuf {
    let program = ractor_host();
    cache_beside(Path::new(program.get_program())).join("state/ractor-host/cache.key")
}

fn cache_beside(program: &Path) -> PathBuf {
    program.with_file_name("test-cache")
}

/// The test peer on the published `ractor_cluster`.
#[track_caller]
pub fn stock_peer() -> PathBuf {
    static BUILT: Built = Built::new();
    program("stock-peer", &BUILT)
}

/// The same peer on this project's cluster layer.
#[track_caller]
pub fn host_peer() -> PathBuf {
    static BUILT: Built = Built::new();
    program("host-peer", &BUILT)
}

/// An example of this package that is a node of its own. Cargo builds the examples with the tests, but not when it was asked
/// for one test alone.
///
/// # Panics
/// There is no such example, or it can't be built.
#[track_caller]
pub fn example(name: &'static str) -> PathBuf {
    static BUILT: Built = Built::new();
    let folder = BUILT.get_or_init(|| {
        if env::var_os(PROGRAMS_VARIABLE).is_none() {
            cargo(&["build", "--quiet", "--package", "ractor-host-tests", "--examples"])?;
        }
        Ok(target_folder()?.join("debug").join("examples"))
    });
    existing(folder, &format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// A compiled guest, by the name of its file without `.wasm`.
///
/// # Panics
/// There is no such guest, or the guests can't be built.
#[track_caller]
pub fn guest(name: &str) -> PathBuf {
    existing(guests(), &format!("{name}.wasm"))
}

/// The same of a guest that isn't built where its language's tools are missing.
///
/// # Panics
/// The guests can't be built.
#[track_caller]
pub fn guest_if_built(name: &str) -> Option<PathBuf> {
    match guests() {
        Ok(folder) => Some(folder.join(format!("{name}.wasm"))).filter(|path| path.is_file()),
        Err(reason) => panic!("{reason}"),
    }
}

fn guests() -> &'static Result<PathBuf, String> {
    static BUILT: Built = Built::new();
    BUILT.get_or_init(|| match env::var_os(GUESTS_VARIABLE) {
        Some(folder) => Ok(folder.into()),
        None => {
            cargo(&["run", "--quiet", "--package", "xtask", "--", "build-guests"])?;
            Ok(target_folder()?.join(GUEST_TARGET).join(GUEST_PROFILE))
        }
    })
}

/// Each program is a package of its own name. They are built one by one: together they would share features, and the
/// product would be tested with what the stock crate switches on.
#[track_caller]
fn program(name: &str, built: &Built) -> PathBuf {
    let folder = built.get_or_init(|| match env::var_os(PROGRAMS_VARIABLE) {
        Some(folder) => Ok(folder.into()),
        None => {
            cargo(&["build", "--quiet", "--package", name])?;
            Ok(target_folder()?.join("debug"))
        }
    });
    existing(folder, &format!("{name}{}", env::consts::EXE_SUFFIX))
}

#[track_caller]
fn existing(folder: &Result<PathBuf, String>, file: &str) -> PathBuf {
    let path = match folder {
        Ok(folder) => folder.join(file),
        Err(reason) => panic!("{reason}"),
    };
    assert!(
        path.is_file(),
        "{} isn't there; `cargo xtask test` builds everything",
        path.display()
    );
    path
}

/// The folder into which cargo built this test: the test is at `TARGET/debug/deps/TEST`.
fn target_folder() -> Result<PathBuf, String> {
    let test = env::current_exe().map_err(|error| format!("where this test is: {error}"))?;
    test.ancestors()
        .nth(3)
        .map(Path::to_owned)
        .ok_or_else(|| format!("this test wasn't built by cargo; set {PROGRAMS_VARIABLE} and {GUESTS_VARIABLE}"))
}

/// Runs cargo for this workspace. Its output goes where the test's goes.
fn cargo(arguments: &[&str]) -> Result<(), String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(env!("CARGO"));
    command
        .args(arguments)
        .current_dir(workspace)
        .env("CARGO_TARGET_DIR", target_folder()?);
    // What cargo tells this test about its own package would look like a change to build scripts.
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    let what = format!("cargo {}", arguments.join(" "));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what}: {status}")),
        Err(error) => Err(format!("{what}: {error}")),
    }
}
