//! The run of all tests of the workspace.

use std::path::Path;

use anyhow::{Result, bail};
use serde::Deserialize;

use crate::process::Run;
use crate::programs;
use crate::report;
use crate::workspace::Workspace;

/// Where the tests find the components.
pub(crate) const GUESTS_VARIABLE: &str = "RACTOR_TEST_GUESTS";
/// Where the tests find `ractor-host` and the programs it is tested against.
pub(crate) const PROGRAMS_VARIABLE: &str = "RACTOR_TEST_BIN_DIR";

/// Runs them all.
///
/// # Errors
/// One of them fails, or doesn't compile.
pub(crate) fn run(workspace: &Workspace, guests: &Path, programs: &Path) -> Result<()> {
    report::step("tests: the workspace, with real guests, nodes and stock peers");
    workspace
        .cargo(["test", "--workspace", "--no-fail-fast"])
        .env(GUESTS_VARIABLE, guests)
        .env(PROGRAMS_VARIABLE, programs)
        .show()
}

/// The programs and the tests have the same wasmtime: nothing takes longer to compile.
///
/// # Errors
/// They have two, or cargo can't say.
pub(crate) fn one_wasmtime(workspace: &Workspace) -> Result<()> {
    report::step("wasmtime is compiled once, for programs and tests");
    let built = |command: Run| -> Result<Vec<String>> {
        let messages = command.args(["--quiet", "--message-format", "json"]).capture()?;
        Ok(libraries_of("wasmtime", &messages))
    };
    let of_programs = built(workspace.cargo(programs::nodes_with_guests()))?;
    let of_tests = built(workspace.cargo(["test", "--workspace", "--no-run"]))?;
    if of_programs != of_tests {
        bail!(
            "it is compiled twice, as {} and as {}; tests/one-build/src/lib.rs says why, and what to do",
            of_programs.join(", "),
            of_tests.join(", ")
        );
    }
    Ok(())
}

/// The files that cargo says it built of the library with this name.
fn libraries_of(name: &str, messages: &str) -> Vec<String> {
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let files = artifacts.filter(|artifact| artifact.target.name == name);
    files
        .flat_map(|artifact| artifact.filenames)
        .filter(|file| file.ends_with(".rlib"))
        .collect()
}

/// What cargo says about something that it built or found built.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    filenames: Vec<String>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_built_is_read_from_its_messages() {
        let messages = r#"
{"reason":"compiler-message","target":{"name":"wasmtime"},"message":{}}
{"reason":"compiler-artifact","target":{"name":"wasmtime"},"filenames":["/t/libwasmtime-1.rlib","/t/libwasmtime-1.rmeta"]}
{"reason":"compiler-artifact","target":{"name":"wasmtime_wasi"},"filenames":["/t/libwasmtime_wasi-2.rlib"]}
not json
"#;
        assert_eq!(libraries_of("wasmtime", messages), ["/t/libwasmtime-1.rlib"]);
        assert!(libraries_of("serde", messages).is_empty());
    }
}
