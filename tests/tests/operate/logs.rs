//! What a node logs: seeing its last lines and those to come, and changing what is logged while it runs.

use ractor_host_tests::cli::message;
use ractor_host_tests::host::{HostNode, another_counter, guest_counter};
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::{COOKIE, wait};
use serde_json::Value;

use crate::operator::{at, command, json, node};

/// Two counters in one group, each of which says at its start that it is counting.
fn two() -> HostNode {
    let (first, second) = (
        guest_counter("first", "counters", 0),
        another_counter("second", "counters", 0),
    );
    HostNode::start("alpha", &format!("[runtime]\nstate_dir = \"state\"\n{first}{second}"))
}

#[test]
fn the_last_lines_are_those_of_the_actor_and_the_level_that_are_asked_for() {
    let alpha = two();
    let all = at(&alpha, &["logs"]);
    assert!(all.answer().contains("node is up"), "{}", all.stdout);
    let first = at(&alpha, &["logs", "first"]);
    assert!(
        first.answer().contains("counting") && !first.stdout.contains("second"),
        "{}",
        first.stdout
    );
    assert!(
        first.stdout.contains("actor started"),
        "what its supervisor says of it is about it: {}",
        first.stdout
    );
    let group = at(&alpha, &["logs", "group:counters"]);
    assert!(
        group.answer().contains("first") && group.stdout.contains("second"),
        "{}",
        group.stdout
    );
    let warnings = at(&alpha, &["logs", "--level", "warn"]);
    assert!(!warnings.answer().contains("INFO"), "{}", warnings.stdout);
    let one = at(&alpha, &["logs", "--lines", "1", "first", "--output", "json"]);
    let line: serde_json::Value = serde_json::from_str(one.answer()).expect("one line of JSON");
    assert_eq!(
        (&line["node"], &line["actor"]),
        (&"alpha@localhost".into(), &"first".into())
    );
    let unknown = at(&alpha, &["logs", "fisrt"]);
    assert!(unknown.stderr.contains("did you mean `first`?"), "{}", unknown.stderr);
}

#[test]
fn whoever_follows_a_log_sees_the_lines_to_come_until_the_node_ends() {
    let mut alpha = two();
    let mut follow = command(&alpha.file(""), &["logs", "--follow", "first", "--retry-for", "0s"]);
    let mut follow = Process::start("ractor-host logs --follow", &mut follow);
    follow.wait_line(Stream::Stdout, 0, "the first lines", |line| {
        line.contains("actor started")
    });
    assert_eq!(at(&alpha, &["restart", "second"]).code, Some(0));
    assert_eq!(at(&alpha, &["restart", "first"]).code, Some(0));
    follow.wait_line(Stream::Stdout, 0, "the line about the restart", |line| {
        line.contains("restarted by an operator")
    });
    assert!(follow.lines(Stream::Stdout).iter().all(|line| !line.contains("second")));
    alpha.process().kill();
    assert_eq!(follow.wait_exit().code(), Some(1));
}

#[test]
fn what_is_logged_can_be_changed_and_goes_back() {
    let alpha = node("alpha", "");
    let levels = json(&alpha, &["loglevel"]);
    let at_start = levels[0]["directive"].as_str().expect("a directive").to_owned();
    let count = || json(&alpha, &["loglevel"])[0]["directive"].as_str().map(str::to_owned);
    let changed = at(&alpha, &["loglevel", "trace"]);
    assert!(
        changed
            .answer()
            .starts_with("alpha@localhost logs trace, as an operator has said with `loglevel`; otherwise "),
        "{}",
        changed.stdout
    );
    let traces = || {
        at(&alpha, &["logs", "--level", "trace", "--output", "json"])
            .stdout
            .contains("\"level\":\"trace\"")
    };
    wait::until(
        "a line that only `trace` shows",
        || (ping(&alpha), traces()),
        |(_, traces)| *traces,
    );

    assert_eq!(at(&alpha, &["loglevel", "warn", "--for", "1s"]).code, Some(0));
    wait::until("what was said for good to be back", count, |now| {
        now.as_deref() == Some("trace")
    });
    assert_eq!(at(&alpha, &["loglevel", "--reset"]).code, Some(0));
    assert_eq!(count(), Some(at_start.clone()));
    let wrong = at(&alpha, &["loglevel", "ractor_host=loud"]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("expected for example `debug`"),
        "{}",
        wrong.stderr
    );
    let near = at(&alpha, &["loglevel", "dbug"]);
    assert_eq!(near.code, Some(2));
    assert!(near.stderr.contains("did you mean `debug`?"), "{}", near.stderr);
    assert_eq!(count(), Some(at_start));
    let narrow = at(&alpha, &["loglevel", "ractor_host::host=debug", "--for", "1s"]);
    assert!(
        narrow.stderr.contains("`info,ractor_host::host=debug` keeps that"),
        "{}",
        narrow.stderr
    );
}

fn ping(alpha: &HostNode) {
    message("call", alpha.address(), &alpha.cookie_file(), &["counter", "Get"]).answer();
}

#[test]
fn one_actor_can_be_quiet_or_loud_beside_the_others() {
    let alpha = two();
    let lines = |actor: &str| {
        at(&alpha, &["logs", actor, "--lines", "10000"])
            .answer()
            .lines()
            .count()
    };
    assert!(
        at(&alpha, &["loglevel", "off", "--actor", "first"])
            .answer()
            .contains("of the actor first off")
    );
    let before = (lines("first"), lines("second"));
    for actor in ["first", "second"] {
        assert_eq!(at(&alpha, &["restart", actor]).code, Some(0));
    }
    wait::until("the other one to be heard", || lines("second"), |now| *now > before.1);
    assert_eq!(lines("first"), before.0);
    assert_eq!(at(&alpha, &["loglevel", "--reset", "--actor", "first"]).code, Some(0));
    assert_eq!(at(&alpha, &["restart", "first"]).code, Some(0));
    wait::until("it to be heard again", || lines("first"), |now| *now > before.0);
    let vague = at(&alpha, &["loglevel", "--actor", "first"]);
    assert_eq!(vague.code, Some(2), "{}", vague.stderr);
}

/// What the finding `log` of `doctor` says, with its level.
fn of_doctor(node: &HostNode) -> (String, String) {
    let found: Value = serde_json::from_str(&at(node, &["doctor", "--output", "json"]).stdout).expect("JSON");
    let findings = found["findings"].as_array().expect("a list");
    let mut of_log = findings.iter().filter(|finding| finding["check"] == "log");
    let finding = of_log.next().expect("a finding about the log");
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    (text("level"), text("what"))
}

#[test]
fn what_is_logged_is_seen_with_the_node_and_where_that_comes_from() {
    for (log, variable, expected, origin) in [
        ("", None, "info, which is the default", "default"),
        (
            "[log]\nlevel = \"warn\"\n",
            None,
            "warn, as `level` of [log] in node.toml says",
            "node-toml",
        ),
        (
            "[log]\nlevel = \"warn\"\n",
            Some("error"),
            "error, as RUST_LOG of its environment says",
            "environment",
        ),
    ] {
        let toml = format!("{log}[runtime]\nstate_dir = \"state\"\n");
        let alpha = HostNode::start_by("alpha", COOKIE, &toml, |mut command| {
            command
                .env_remove("RUST_LOG")
                .envs(variable.map(|level| ("RUST_LOG", level)));
            Process::start("alpha (ractor-host run)", &mut command)
        });
        let shown = || {
            let shown = at(&alpha, &["node"]);
            let line = shown.answer().lines().find_map(|line| line.strip_prefix("  log "));
            line.unwrap_or_else(|| panic!("{}", shown.stdout)).trim().to_owned()
        };
        assert_eq!(shown(), expected);
        assert_eq!(of_doctor(&alpha), ("ok".to_owned(), format!("it logs {expected}")));
        let said = format!(", as an operator has said with `loglevel`; otherwise {expected}");
        assert_eq!(at(&alpha, &["loglevel", "debug"]).code, Some(0));
        assert_eq!(shown(), format!("debug{said}"));
        assert_eq!(of_doctor(&alpha), ("warn".to_owned(), format!("it logs debug{said}")));
        let log = json(&alpha, &["node"])[0]["log"].clone();
        assert_eq!(
            (&log["origin"], &log["overridden"]),
            (&Value::from(origin), &Value::from(true))
        );
        // What passes by itself is nothing to be told of, but seen.
        assert_eq!(at(&alpha, &["loglevel", "--reset"]).code, Some(0));
        assert_eq!(shown(), expected);
        assert_eq!(at(&alpha, &["loglevel", "debug", "--for", "60m"]).code, Some(0));
        let (level, what) = of_doctor(&alpha);
        assert!(
            level == "ok" && what.starts_with("it logs debug, for ") && what.ends_with(&said),
            "{level} {what}"
        );
    }
}
