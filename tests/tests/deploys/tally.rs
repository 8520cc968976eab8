//! A guest of the Rust SDK, from one version of its state to the next: what its code keeps, and what the host keeps for it.

use std::fs;

use ractor_host_tests::cli::message;
use ractor_host_tests::host::HostNode;
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::{programs, wait};

use crate::lab::Lab;

/// A node with two tallies of the first version: the one that is asked, and `other`.
struct Tallies {
    lab: Lab,
    node: HostNode,
}

impl Tallies {
    #[track_caller]
    fn start() -> Self {
        let lab = Lab::new();
        for version in ["tally", "tally_next"] {
            let component = fs::read(programs::guest(version)).expect("a guest");
            lab.write(&format!("{version}.wasm"), &component);
        }
        let (key, state, path) = (lab.path("deploy.key"), lab.path("state"), lab.path("tally.wasm"));
        let actor = |name: &str| {
            format!(
                "[[actors]]\nname = \"{name}\"\nmodule = \"tally\"\narguments = \"u64:0\"\nrestart = \"temporary\"\n\
                 capabilities = {{ spawn = [\"tally\"] }}\n"
            )
        };
        let toml = format!(
            "[control]\nkey_file = {key:?}\n[runtime]\nstate_dir = {state:?}\n[modules.tally]\npath = {path:?}\n{}{}",
            actor("tally"),
            actor("other")
        );
        let node = HostNode::start("alpha", &toml);
        Self { lab, node }
    }

    #[track_caller]
    fn cast(&self, actor: &str, rest: &[&str]) {
        let rest = [&[actor], rest].concat();
        let cast = message("cast", self.node.address(), &self.lab.path("cookie"), &rest);
        assert_eq!(cast.answer(), "");
    }

    #[track_caller]
    fn ask(&self, what: &str) -> u64 {
        let rest = ["tally", what, "--reply", "u64"];
        let called = message("call", self.node.address(), &self.lab.path("cookie"), &rest);
        called.answer().parse().expect("a number")
    }

    #[track_caller]
    fn wait_for(&self, what: &str, enough: u64) {
        wait::until(
            &format!("`{what}` to be {enough}"),
            || self.ask(what),
            |seen| *seen >= enough,
        );
    }

    #[track_caller]
    fn reload(&self, version: &str, more: &[&str]) -> ractor_host_tests::cli::Ended {
        let file = self.lab.path(&format!("{version}.wasm"));
        let rest = [&["tally", "--file", file.to_str().expect("a path")], more].concat();
        self.lab.control("reload", &[self.node.address()], &rest)
    }
}

#[test]
fn a_guest_goes_on_with_all_that_it_had_in_a_state_of_another_shape() {
    let tallies = Tallies::start();
    tallies.cast("tally", &["Add", "u64:5"]);
    tallies.cast("tally", &["Spawn", "child"]);
    tallies.cast("tally", &["Watch", "other"]);
    tallies.wait_for("Children", 1);
    let mut command = programs::ractor_host();
    command.args(["call", "--node", tallies.node.address(), "--cookie-file"]);
    command
        .arg(tallies.lab.path("cookie"))
        .args(["tally", "Later", "--reply", "u64", "--timeout", "60s"]);
    let mut later = Process::start("the call that is answered later", &mut command);
    tallies.wait_for("Waiting", 1);
    assert_eq!((tallies.ask("Version"), tallies.ask("Get")), (1, 5));

    tallies.reload("tally_next", &[]).answer();
    assert_eq!((tallies.ask("Version"), tallies.ask("Get")), (2, 5));
    assert_eq!((tallies.ask("Children"), tallies.ask("Waiting")), (1, 1));

    // The call that the first version put off is answered by the second.
    tallies.cast("tally", &["Add", "u64:7"]);
    tallies.cast("tally", &["Release"]);
    later.wait_line(Stream::Stdout, 0, "the answer", |line| line == "12");
    assert_eq!(tallies.ask("Waiting"), 0);
    // It still hears of the actor that it monitored, and of its child.
    assert_eq!(tallies.ask("Ends"), 0);
    tallies.cast("other", &["Stop"]);
    tallies.wait_for("Ends", 1);
    tallies.cast("tally/child", &["Stop"]);
    tallies.wait_for("Ends", 2);
    assert_eq!(tallies.ask("Children"), 0);
}

#[test]
fn timers_go_on_and_an_older_state_is_refused() {
    let tallies = Tallies::start();
    tallies.cast("tally", &["AddEvery", "u64:50"]);
    tallies.wait_for("Get", 1);
    tallies.reload("tally_next", &[]).answer();
    assert_eq!(tallies.ask("Version"), 2);
    let before = tallies.ask("Get");
    assert!(before > 0, "its state is gone");
    tallies.wait_for("Get", before + 2);

    let refused = tallies.reload("tally", &[]);
    assert_eq!(refused.code, Some(1));
    let reason = "has version 1 of the state, what runs has 2";
    assert!(refused.stdout.contains(reason), "{}", refused.stdout);
    // Forced, the old code is asked, and doesn't know the state either.
    let forced = tallies.reload("tally", &["--force"]);
    assert_eq!(forced.code, Some(1));
    assert!(forced.stdout.contains("does not know version 2"), "{}", forced.stdout);
    assert_eq!(tallies.ask("Version"), 2);
    tallies.wait_for("Get", before + 3);
}
