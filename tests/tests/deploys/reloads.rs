//! `reload`, `rollback` and `status` against one node.

use ractor_host_tests::cli::end;
use ractor_host_tests::host::{HostNode, guest_counter, node_toml, run};
use ractor_host_tests::process::{Process, Stream};

use crate::lab::{Lab, names};
use crate::versions::{Fail, component, failing, starting_with_a_u64, version};

/// What a command prints before the number of a request whose answer it did not get.
const ASK_AGAIN: &str = "--request ";

#[test]
fn a_node_is_reloaded_and_rolled_back_by_command() {
    let lab = Lab::new();
    let node = lab.node("alpha", &version(1));
    lab.add(&node, 5);
    lab.wait_for(&node, "get", 5);
    let new = lab.write("new.wasm", &version(2));
    let new = new.to_str().expect("a path");

    let tried = lab.control("reload", &[node.address()], &["counter", "--file", new, "--dry-run"]);
    assert!(tried.answer().contains("could be done"), "{}", tried.stdout);
    assert_eq!(lab.ask(&node, "version"), 1, "a dry run changes nothing");

    let reloaded = lab.control(
        "reload",
        &[node.address()],
        &["counter", "--file", new, "--output", "json"],
    );
    let json = reloaded.answer();
    for expected in [
        "\"rollout\": \"done\"",
        "\"verdict\": \"reloaded\"",
        "\"state_bytes\": 4",
        "\"waiting\": 0",
    ] {
        assert!(json.contains(expected), "{expected} in {json}");
    }
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (2, 5));

    let status = lab.control("status", &[node.address()], &[]);
    assert!(status.answer().contains("version 2.0.0, 1 actors"), "{}", status.stdout);
    assert!(status.answer().contains("before: sha256:"), "{}", status.stdout);

    let back = lab.control("rollback", &[node.address()], &["counter"]);
    assert!(back.answer().contains("done, 1 actors"), "{}", back.stdout);
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (1, 5));
}

#[test]
fn a_reload_without_a_file_takes_what_the_nodes_file_has_now() {
    let lab = Lab::new();
    let node = lab.node("alpha", &version(1));
    lab.write("alpha.wasm", &version(2));
    lab.control("reload", &[node.address()], &["counter"]).answer();
    assert_eq!(lab.ask(&node, "version"), 2);
}

#[test]
fn a_bad_version_leaves_the_old_one_and_the_reason_is_told() {
    let lab = Lab::new();
    let node = lab.node("alpha", &component(1, 2, Fail::Nowhere));
    lab.add(&node, 7);
    lab.wait_for(&node, "get", 7);
    for (bytes, expected) in [
        (failing(2, Fail::Restore), "has version 1 of the state, what runs has 2"),
        (component(2, 2, Fail::Restore), "failed at restore"),
        (b"not wasm".to_vec(), "it does not begin like one"),
    ] {
        let file = lab.write("bad.wasm", &bytes);
        let file = file.to_str().expect("a path");
        let refused = lab.control("reload", &[node.address()], &["counter", "--file", file]);
        assert_eq!(refused.code, Some(1), "{}", refused.stdout);
        assert!(refused.stdout.contains(expected), "{expected} in {}", refused.stdout);
        assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (1, 7));
    }
    let unknown = lab.control("reload", &[node.address()], &["clock"]);
    assert!(
        unknown.stdout.contains("there is no module `clock`"),
        "{}",
        unknown.stdout
    );
}

/// The state is handed over, so nothing is wrong today. It would be at the next start of the node.
#[test]
fn code_that_the_nodes_next_start_would_refuse_is_refused_when_it_is_deployed() {
    let lab = Lab::new();
    lab.write("alpha.wasm", &version(1));
    let node = HostNode::start("alpha", &lab.toml("alpha", &[], "", "arguments = \"u8:5\""));
    lab.add(&node, 7);
    lab.wait_for(&node, "get", 7);
    let new = lab.write("new.wasm", &starting_with_a_u64(2));
    let new = new.to_str().expect("a path");
    for dry_run in [&["--dry-run"][..], &[]] {
        let rest = [&["counter", "--file", new][..], dry_run].concat();
        let refused = lab.control("reload", &[node.address()], &rest);
        assert_eq!(refused.code, Some(1), "{}", refused.stdout);
        let why = "the new code is started with `u64`, and `arguments` in the entry of actor `counter` is no such value (there are 1 bytes, u64 takes 8)";
        assert!(refused.stdout.contains(why), "{}", refused.stdout);
    }
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (1, 7));

    let forced = lab.control("reload", &[node.address()], &["counter", "--file", new, "--force"]);
    forced.answer();
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (2, 7));

    // An entry that fits is nothing to force.
    lab.write("beta.wasm", &version(1));
    let fits = HostNode::start("beta", &lab.toml("beta", &[], "", "arguments = \"u64:5\""));
    lab.control("reload", &[fits.address()], &["counter", "--file", new])
        .answer();
    assert_eq!(lab.ask(&fits, "version"), 2);
}

#[test]
fn who_has_not_the_deploy_key_deploys_nothing() {
    let lab = Lab::new();
    let node = lab.node("alpha", &version(1));
    lab.write_secret("deploy.key", "another-key-of-enough-bytes");
    let refused = lab.control("reload", &[node.address()], &["counter"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stdout.contains("the key is none of the node's"),
        "{}",
        refused.stdout
    );
    let status = lab.control("status", &[node.address()], &[]);
    assert!(
        status.stderr.contains("the key is none of the node's"),
        "{}",
        status.stderr
    );
    let file = lab.write("new.wasm", &version(2));
    let file = file.to_str().expect("a path");
    let upload = lab.control("reload", &[node.address()], &["counter", "--file", file]);
    assert!(
        upload.stderr.contains("the key is none of the node's"),
        "{}",
        upload.stderr
    );
    assert!(
        names(&lab.path("state-alpha").join("components")).is_empty(),
        "nothing was uploaded"
    );
    assert_eq!(lab.ask(&node, "version"), 1);
}

#[test]
fn a_node_without_control_offers_nothing() {
    let lab = Lab::new();
    let node = HostNode::start("alpha", &guest_counter("counter", "counters", 0));
    let refused = lab.control("status", &[node.address()], &[]);
    assert!(refused.stderr.contains("has no table [control]"), "{}", refused.stderr);
}

#[test]
fn what_was_deployed_stays_after_a_restart_until_the_file_changes() {
    let lab = Lab::new();
    let mut node = lab.node("alpha", &version(1));
    let new = lab.write("new.wasm", &version(2));
    lab.control(
        "reload",
        &[node.address()],
        &["counter", "--file", new.to_str().expect("a path")],
    )
    .answer();
    node.crash_and_restart(&lab.toml("alpha", &[], "", ""));
    assert_eq!(lab.ask(&node, "version"), 2);
    lab.write("alpha.wasm", &version(3));
    node.crash_and_restart(&lab.toml("alpha", &[], "", ""));
    assert_eq!(lab.ask(&node, "version"), 3);
}

/// Killed while the new code takes over, for good: the node comes back with the code that it had.
#[test]
fn a_second_node_with_the_same_state_dir_does_not_start_and_harms_nothing() {
    let lab = Lab::new();
    let first = lab.node("alpha", &version(1));
    let rest = lab.toml("alpha", &[], "", "");
    let toml = lab.write("second.toml", node_toml("beta", &rest).as_bytes());
    let ended = end("a second node", &mut run(&toml));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("another process keeps what was deployed"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("state_dir"), "{ended:?}");
    assert_eq!(lab.ask(&first, "get"), 0);
}

#[test]
fn a_node_that_is_killed_in_the_middle_of_a_reload_comes_back() {
    let lab = Lab::new();
    let checkpoint = "checkpoint = { every = \"20ms\" }";
    lab.write("alpha.wasm", &version(1));
    let mut node = HostNode::start("alpha", &lab.toml("alpha", &[], "", checkpoint));
    lab.add(&node, 9);
    lab.wait_for(&node, "get", 9);
    let database = lab.path("state-alpha").join("checkpoints.redb");
    ractor_host_tests::wait::until("a checkpoint", || lab.written(&database), |written| *written);
    let new = lab.write("new.wasm", &failing(2, Fail::RestoreNeverEnds));
    let rest = ["counter", "--file", new.to_str().expect("a path")];
    let _reload = Process::start("the reload", &mut lab.command("reload", &[node.address()], &rest));
    let components = lab.path("state-alpha").join("components");
    let look = || names(&components);
    ractor_host_tests::wait::until("the upload", look, |names| {
        names.iter().any(|name| name.ends_with(".wasm"))
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    node.crash_and_restart(&lab.toml("alpha", &[], "", checkpoint));
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (1, 9));
    let log = node.process().lines(Stream::Stderr).join("\n");
    assert!(log.contains("the actor goes on from its checkpoint"), "{log}");
}

#[test]
fn a_reload_without_an_answer_is_unknown_and_can_be_asked_about() {
    let lab = Lab::new();
    let node = lab.node("alpha", &version(1));
    let new = lab.write("new.wasm", &failing(2, Fail::RestoreNeverEnds));
    let new = new.to_str().expect("a path");
    // It runs into its limit of processor time, later than anybody waits here.
    let lost = lab.control(
        "reload",
        &[node.address()],
        &["counter", "--file", new, "--timeout", "9s"],
    );
    assert_eq!(lost.code, Some(1), "{lost:?}");
    assert!(
        lost.stdout.contains("it is not known whether this was done"),
        "{lost:?}"
    );
    let (_, number) = lost.stdout.split_once(ASK_AGAIN).expect("the number of the request");
    let number = number.get(..16).expect("sixteen digits");

    let asked = lab.control("reload", &[node.address()], &["counter", "--request", number]);
    assert_eq!(asked.code, Some(1), "{asked:?}");
    assert!(asked.stdout.contains("FAILED: it runs"), "{asked:?}");
    assert_eq!(lab.ask(&node, "version"), 1);
    let again = lab.control("reload", &[node.address()], &["counter", "--request", number]);
    assert_eq!(again.stdout, asked.stdout, "asking does nothing");

    let other = lab.control(
        "rollback",
        &[node.address()],
        &["counter", "--request", "00ff00ff00ff00ff"],
    );
    assert!(other.stdout.contains("it has no record of this request"), "{other:?}");
}

#[test]
fn a_reload_that_is_done_but_not_written_down_is_no_reload_that_did_not_happen() {
    let lab = Lab::new();
    let node = lab.node("alpha", &version(1));
    let new = lab.write("new.wasm", &version(2));
    // What the module's own file has now can't be known.
    std::fs::remove_file(lab.path("alpha.wasm")).expect("it was there");
    std::fs::create_dir(lab.path("alpha.wasm")).expect("a folder");
    let new = new.to_str().expect("a path");
    let reloaded = lab.control("reload", &[node.address()], &["counter", "--file", new]);
    assert_eq!(reloaded.code, Some(1), "{reloaded:?}");
    assert!(
        reloaded.stdout.contains("NOT WRITTEN DOWN: after a restart"),
        "{reloaded:?}"
    );
    assert!(!reloaded.stdout.contains("nothing was touched"), "{reloaded:?}");
    assert_eq!(lab.ask(&node, "version"), 2);
}
