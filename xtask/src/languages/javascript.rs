//! JavaScript, by QuickJS: the component holds the interpreter and the source, already read.

use super::{Build, Guest};
use crate::process::Run;

pub(super) const GUEST: Guest = Guest {
    name: "js-counter",
    recipe: include_str!("javascript.rs"),
    inputs: &[],
    install: |tools| tools.npm(),
    compile,
};

fn compile(build: &Build<'_>) -> anyhow::Result<()> {
    Run::new(build.tools.join("componentize-qjs"))
        .args(["--wit".as_ref(), build.wit.as_path()])
        .args(["--world", "guest-actor", "--js", "counter.js", "--sync", "--output"])
        .args([&build.component])
        .within(build.sources)
        .capture()
        .map(drop)
}
