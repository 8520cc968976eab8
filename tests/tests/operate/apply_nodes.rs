//! A change of several nodes, applied with one command from elsewhere or with a signal to each of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use ractor_host_tests::cli::Ended;
use ractor_host_tests::host::{HostNode, another_counter, guest_counter, node_toml};
use ractor_host_tests::process::{Signal, Stream};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::operator::{at, in_folder};

/// Two nodes with one key, and somebody elsewhere who has it.
struct Pair {
    elsewhere: TempDir,
    alpha: HostNode,
    beta: HostNode,
}

impl Pair {
    fn start() -> Self {
        let elsewhere = tempfile::tempdir().expect("a folder");
        let key = elsewhere.path().join("deploy.key");
        fs::write(&key, "deploy 0f1e2d3c4b5a69788796a5b4c3d2e1f0").expect("a key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("permissions");
        let start = |name| HostNode::start(name, &rest(&elsewhere, "", ""));
        let (alpha, beta) = (start("alpha"), start("beta"));
        Self { elsewhere, alpha, beta }
    }

    /// The file of a node has these keys of `[node]` and these actors besides from now on.
    fn rewrite(&self, node: &HostNode, keys: &str, actors: &str) {
        let name = node.name().trim_end_matches("@localhost");
        let text = node_toml(name, &rest(&self.elsewhere, keys, actors));
        fs::write(node.file("node.toml"), text).expect("its file");
    }

    /// Applies what both files say, beginning with the first of these nodes.
    #[track_caller]
    fn apply(&self, nodes: [&HostNode; 2], more: &[&str]) -> Ended {
        let (cookie, key) = (self.alpha.cookie_file(), self.elsewhere.path().join("deploy.key"));
        let (cookie, key) = (cookie.display().to_string(), key.display().to_string());
        let mut words = vec!["apply", "--cookie-file", &cookie, "--key-file", &key];
        for node in nodes {
            words.extend(["--node", node.address()]);
        }
        in_folder(self.elsewhere.path(), &[&words[..], more].concat())
    }
}

fn rest(keys_in: &TempDir, keys: &str, actors: &str) -> String {
    let key = keys_in.path().join("deploy.key");
    let counter = guest_counter("counter", "counters", 0);
    format!("{keys}[control]\nkey_file = {key:?}\n[runtime]\nstate_dir = \"state\"\n{counter}{actors}")
}

fn runs(node: &HostNode, actor: &str) -> bool {
    at(node, &["ps"]).answer().contains(&format!(" {actor} "))
}

/// What each node has come to, by its name.
fn outcomes(ended: &Ended) -> Vec<(String, String)> {
    let all: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let word = |of: &Value, key: &str| of[key].as_str().expect("a word").to_owned();
    let all = all.as_array().expect("a list").iter();
    all.map(|of| (word(of, "node"), word(of, "outcome"))).collect()
}

fn expected(outcomes: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(node, outcome): &(&str, &str)| (format!("{node}@localhost"), (*outcome).to_owned());
    outcomes.iter().map(own).collect()
}

#[test]
fn one_command_plans_and_applies_the_files_of_several_nodes() {
    let pair = Pair::start();
    let (alpha, beta) = (&pair.alpha, &pair.beta);
    let late = another_counter("late", "counters", 5);
    pair.rewrite(alpha, "", &late);
    pair.rewrite(beta, "stock_peers = false\n", &late);
    let planned = pair.apply([alpha, beta], &["--dry-run"]);
    // A part of beta's waits for its next start, and that is the worst of the two.
    assert_eq!(planned.code, Some(5), "{}", planned.stderr);
    for says in [
        "alpha@localhost: would apply",
        "beta@localhost: would apply",
        "needs a restart: node.stock_peers",
    ] {
        assert!(planned.stdout.contains(says), "{says}: {}", planned.stdout);
    }
    assert!(!runs(alpha, "late") && !runs(beta, "late"));

    let applied = pair.apply([alpha, beta], &["--output", "json"]);
    assert_eq!(applied.code, Some(5), "{}", applied.stderr);
    assert_eq!(
        outcomes(&applied),
        expected(&[("alpha", "applied"), ("beta", "applied")])
    );
    assert!(runs(alpha, "late") && runs(beta, "late"));

    pair.rewrite(beta, "", &late);
    let again = pair.apply([alpha, beta], &["--output", "json"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(
        outcomes(&again),
        expected(&[("alpha", "unchanged"), ("beta", "unchanged")])
    );
}

#[test]
fn what_fails_at_one_node_is_not_tried_at_the_next() {
    let pair = Pair::start();
    let (alpha, beta) = (&pair.alpha, &pair.beta);
    let late = another_counter("late", "counters", 5);
    pair.rewrite(alpha, "", &late);
    let wrong = late.replace("u64:5", "str:many");
    pair.rewrite(beta, "", &wrong);
    let refused = pair.apply([beta, alpha], &["--output", "json"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert_eq!(outcomes(&refused), expected(&[("beta", "wrong-file")]));
    let note = "note: alpha@localhost was not asked, because beta@localhost did not apply its file";
    assert!(refused.stderr.contains(note), "{}", refused.stderr);
    assert!(!runs(alpha, "late"));

    let half = pair.apply([alpha, beta], &["--output", "json"]);
    assert_eq!(half.code, Some(2), "{}", half.stderr);
    assert_eq!(
        outcomes(&half),
        expected(&[("alpha", "applied"), ("beta", "wrong-file")])
    );
    assert!(runs(alpha, "late") && !runs(beta, "late"));
}

#[test]
fn a_node_that_is_not_there_keeps_the_others_as_they_are() {
    let mut pair = Pair::start();
    pair.rewrite(&pair.alpha, "", &another_counter("late", "counters", 5));
    pair.beta.process().kill();
    for order in [[&pair.alpha, &pair.beta], [&pair.beta, &pair.alpha]] {
        let failed = pair.apply(order, &[]);
        assert_eq!(failed.code, Some(1), "{}", failed.stdout);
        let says = format!("cannot connect to {}", pair.beta.address());
        assert!(failed.stderr.contains(&says), "{}", failed.stderr);
        assert_eq!(failed.stdout, "");
        assert!(!runs(&pair.alpha, "late"), "nothing was begun");
    }
}

#[test]
fn a_hangup_of_each_node_does_the_same_and_a_wrong_file_is_one_node_s_own() {
    let mut pair = Pair::start();
    let late = another_counter("late", "counters", 5);
    pair.rewrite(&pair.alpha, "", &late);
    pair.rewrite(&pair.beta, "lisen = 1\n", &late);
    for (node, says) in [
        (&mut pair.alpha, "node.toml is applied"),
        (&mut pair.beta, "the file is wrong"),
    ] {
        node.process().signal(Signal::HUP);
        node.process()
            .wait_line(Stream::Stderr, 0, says, |line| line.contains(says));
    }
    assert!(runs(&pair.alpha, "late"));
    let both = pair.apply([&pair.alpha, &pair.beta], &["--output", "json"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
    let all: Value = serde_json::from_str(&both.stdout).expect("JSON");
    assert_eq!(all[0]["outcome"], json!("unchanged"), "{all}");
}
