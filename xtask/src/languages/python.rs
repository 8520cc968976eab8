//! Python, by componentize-py: the component holds CPython with the program already imported.

use super::{Build, Guest};
use crate::process::Run;

pub(super) const GUEST: Guest = Guest {
    name: "py-counter",
    pins: "tests/guests/py-counter",
    recipe: include_str!("python.rs"),
    inputs: &[],
    install: |tools| tools.pypi(),
    compile,
};

fn compile(build: &Build<'_>) -> anyhow::Result<()> {
    Run::new(build.tools.join("componentize-py"))
        .args(["--wit-path".as_ref(), build.wit.as_path()])
        .args(["--world", "reloadable-actor", "componentize", "app", "--output"])
        .args([&build.component])
        .within(build.sources)
        .capture()
        .map(drop)
}
