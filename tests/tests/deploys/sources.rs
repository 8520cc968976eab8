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
        print("added", points)

    @call
    def score(self) -> u64:
        return sum(self.points)

    @call
    async def fail(self) -> u64:
        return int(statistics.mean([]))
"#;

const NODE_OF_JAVASCRIPT: &str = r#"
[node]
name = "alpha"
listen = "127.0.0.1:0"
cookie_file = "cookie"

[modules.scoring]
path = "build/js-runtime.wasm"
source = "build/scoring.js"
build = "ractor-host build --runtime js --source scoring.ts"
sources = ["scoring.ts", "points.ts"]

[[actors]]
name = "scoring"
module = "scoring"
arguments = "u64:5"
"#;

const TYPESCRIPT: &str = r#"import { call, cast, contract, implement, list, u64 } from "ractor-guest";
import { sum } from "./points.ts";

interface State { points: bigint[] }

export const Scoring = contract({ name: "Scoring", start: u64, messages: {
  Add: cast(u64),
  Score: call().returns(u64),
  Fail: call().returns(u64),
} });

export default implement(Scoring, { start: (first): State => ({ points: [first] }), state: { points: list(u64) } }, {
  Add(s, points) { s.points.push(points); },
  Score: async (s) => {
    await Promise.resolve();
    return sum(s.points);
  },
  Fail: (s) => {
    const best = s.points.find((points) => points > 1000n);
    if (best === undefined) throw new RangeError("nobody scored enough");
    return best;
  },
});
"#;

const POINTS: &str = r#"/** Of all points. */
export const sum = (points: bigint[]): bigint => points.reduce((one, other) => one + other, 0n);
"#;

#[test]
fn an_edited_source_in_typescript_is_reloaded_and_nothing_is_compiled() {
    let workshop = Workshop::empty();
    let project = workshop.project();
    let write = |name: &str, text: &str| fs::write(project.join(name), text).expect("a file");
    write("node.toml", NODE_OF_JAVASCRIPT);
    write("scoring.ts", TYPESCRIPT);
    write("points.ts", POINTS);
    write("cookie", &"ab".repeat(32));
    fs::set_permissions(project.join("cookie"), fs::Permissions::from_mode(0o600)).expect("a mode");
    let build = ["build", "--runtime", "js", "--source", "scoring.ts"];
    if !workshop.first_build("JavaScript", &build, "js-runtime") {
        return;
    }
    let again = workshop.succeed(&build);
    assert_eq!(again.matches(", up to date\n").count(), 2, "{again}");
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
    assert!(failed.contains("RangeError: nobody scored enough"), "{failed}");
    node.wait_line(Stream::Stderr, 0, "the place of the error", |line| {
        line.contains("Fail (scoring.ts:20)") || line.contains("scoring.ts:20")
    });

    // What the source imports is part of it.
    let before = node.lines(Stream::Stderr).len();
    write("points.ts", &POINTS.replace("one + other", "one > other ? one : other"));
    let reloaded = |line: &str| line.starts_with("reloaded scoring: 1 actors");
    let (at, _) = node.wait_line(Stream::Stdout, 0, "the reload", reloaded);
    score("5");
    let after = node.lines(Stream::Stderr);
    let work: Vec<_> = after
        .iter()
        .skip(before)
        .filter(|line| line.contains("compiling a large component") || line.contains("==> make the runtime"))
        .collect();
    assert!(work.is_empty(), "{work:?}");

    // A mistake is found by whoever finds such mistakes, and what runs goes on.
    for (from, to, said, place) in [
        ("(points);", "(points;", "scoring does not build", "scoring.ts"),
        (
            "(points);",
            "(String(points));",
            "scoring does not build",
            "scoring.ts(13,",
        ),
        (
            "export const",
            "throw new TypeError(\"no rules\");\nexport const",
            "scoring is not reloaded: ",
            "scoring.ts, line 6: TypeError: no rules",
        ),
    ] {
        let shown = node.lines(Stream::Stdout).len();
        let told = node.lines(Stream::Stderr).len();
        write("scoring.ts", &TYPESCRIPT.replacen(from, to, 1));
        let (_, line) = node.wait_line(Stream::Stdout, shown, said, |line| line.starts_with(said));
        if !line.contains(place) {
            node.wait_line(Stream::Stderr, told, place, |line| line.contains(place));
        }
        score("5");
    }
    write("scoring.ts", TYPESCRIPT);
    write("points.ts", POINTS);
    node.wait_line(Stream::Stdout, at + 1, "the reload", reloaded);
    score("7");
}

#[test]
fn a_source_that_the_runtime_of_javascript_cannot_read_says_what_to_do() {
    let workshop = Workshop::empty();
    let project = workshop.project();
    fs::write(project.join("scoring.js"), "export default 1;\n").expect("a file");
    if !workshop.first_build("JavaScript", &["build", "--runtime", "js"], "js-runtime") {
        return;
    }
    let inspect = |source: &str| {
        let inspected = workshop.run(&project, &["inspect", "build/js-runtime.wasm", "--source", source]);
        String::from_utf8_lossy(&[inspected.stdout, inspected.stderr].concat()).into_owned()
    };
    let refused = inspect("scoring.js");
    let todo = "scoring.js is a source as it was written; the runtime runs what `ractor-host build --runtime js --source scoring.js` makes of it";
    assert!(refused.contains(todo), "{refused}");
    workshop.succeed(&["build", "--runtime", "js", "--source", "scoring.js"]);
    let refused = inspect("build/scoring.js");
    assert!(refused.contains("the module exports no actor"), "{refused}");
    let python = workshop.run(&project, &["build", "--runtime", "python", "--source", "scoring.py"]);
    let said = String::from_utf8_lossy(&python.stderr).into_owned();
    assert!(
        said.contains("the runtime of Python runs sources as they are written"),
        "{said}"
    );
}

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
    node.wait_line(Stream::Stderr, 0, "what the source prints", |line| {
        line.contains("added 2") && line.contains("origin=\"scoring\"")
    });
    let failed = call("Fail").stderr;
    assert!(failed.contains("StatisticsError: "), "{failed}");
    node.wait_line(Stream::Stderr, 0, "the place of the error", |line| {
        line.contains("scoring.py") && line.contains("line 26, in fail")
    });

    // Python looks at the variables as each instance starts, which is nothing that the program tried.
    let own_look: Vec<_> = node
        .lines(Stream::Stderr)
        .into_iter()
        .filter(|line| line.contains("capability denied"))
        .collect();
    assert!(own_look.is_empty(), "{own_look:?}");

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
        refused.contains("scoring.py, line 22: SyntaxError: '(' was never closed"),
        "{refused}"
    );
    score("5");
    write("scoring.py", SOURCE);
    node.wait_line(Stream::Stdout, at + 1, "the reload", reloaded);
    score("7");
}
