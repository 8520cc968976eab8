//! A runtime and its source: an actor that changes while it runs, without a build.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ractor_host_tests::cli::message;
use ractor_host_tests::process::Stream;
use ractor_host_tests::wait;

use crate::projects::Workshop;

const NODE: &str = r#"
[node]
name = "alpha"
listen = "127.0.0.1:0"
cookie_file = "cookie"

[modules.scoring]
path = "build/python-runtime.wasm"
source = "scoring.py"
build = "ractor-host build --runtime python"

[[actors]]
name = "scoring"
module = "scoring"
arguments = "u64:5"
"#;

/// Uses the standard library as well.
const SOURCE: &str = r#""""Points, and how many there are."""

import statistics

from ractor import Actor, call, cast, export, u64


@export
class Scoring(Actor):
    points: list[u64] = []

    def pre_start(self, first: u64) -> None:
        self.points.append(first)

    @cast
    def add(self, points: u64) -> None:
        self.points.append(points)

    @call
    def score(self) -> u64:
        return sum(self.points)

    @call
    async def fail(self) -> u64:
        return int(statistics.mean([]))
"#;

#[test]
fn an_edited_source_in_python_is_reloaded_and_nothing_is_built_or_compiled() {
    let workshop = Workshop::empty();
    let project = workshop.project();
    let write = |name: &str, text: &str| fs::write(project.join(name), text).expect("a file");
    write("node.toml", NODE);
    write("scoring.py", SOURCE);
    write("cookie", &"ab".repeat(32));
    fs::set_permissions(project.join("cookie"), fs::Permissions::from_mode(0o600)).expect("a mode");
    if !workshop.first_build("Python", &["build", "--runtime", "python"], "python-runtime") {
        return;
    }
    // The code is compiled before, because the node of a test has to start soon.
    workshop.succeed(&["check", "node.toml"]);
    let (mut node, address) = workshop.dev();
    let cookie = project.join("cookie");
    let call = |tag: &str| message("call", &address, &cookie, &["scoring", tag]);
    let score = |expected: &str| wait::until("the score", || call("Score").stdout, |seen| seen == expected);
    drop(
        message("cast", &address, &cookie, &["scoring", "Add", "2"])
            .answer()
            .to_owned(),
    );
    score("7");
    let failed = call("Fail").stderr;
    assert!(failed.contains("StatisticsError: "), "{failed}");
    node.wait_line(Stream::Stderr, 0, "the place of the error", |line| {
        line.contains("scoring.py") && line.contains("line 25, in fail")
    });

    let before = node.lines(Stream::Stderr).len();
    write("scoring.py", &SOURCE.replace("sum(", "max("));
    let reloaded = |line: &str| line.starts_with("reloaded scoring: 1 actors");
    let (at, _) = node.wait_line(Stream::Stdout, 0, "the reload", reloaded);
    score("5");
    let after = node.lines(Stream::Stderr);
    let work: Vec<_> = after
        .iter()
        .skip(before)
        .filter(|line| line.contains("compiling a large component"))
        .collect();
    assert!(work.is_empty(), "{work:?}");
    let builds = node
        .lines(Stream::Stdout)
        .into_iter()
        .filter(|line| line.starts_with("built scoring"));
    assert_eq!(builds.count(), 1, "that of the start");

    // A mistake is shown with its place, and what runs goes on.
    write("scoring.py", &SOURCE.replace("sum(self.points)", "sum(self.points"));
    let (_, refused) = node.wait_line(Stream::Stdout, at, "the mistake", |line| {
        line.starts_with("scoring is not reloaded: ")
    });
    assert!(
        refused.contains("scoring.py, line 21: SyntaxError: '(' was never closed"),
        "{refused}"
    );
    score("5");
    write("scoring.py", SOURCE);
    node.wait_line(Stream::Stdout, at + 1, "the reload", reloaded);
    score("7");
}
