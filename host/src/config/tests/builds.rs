//! `[control]`, `checkpoint`, and what is done about modules while the node runs.

use std::time::Duration;

use super::*;
use crate::config::CheckpointSection;

const ACTOR: &str = "[modules.m]\npath = \"m.wasm\"\n[[actors]]\nname = \"a\"\nmodule = \"m\"\n";

#[test]
fn what_is_kept_watched_and_built_is_read() {
    let folder = folder();
    let key = folder.path().join("deploy.key");
    std::fs::write(&key, " 0123456789abcdef\n").unwrap();
    restrict(&key, 0o600);
    let text = r#"
        node = { name = "alpha", cookie_file = "cookie" }
        control = { key_file = "deploy.key" }
        runtime = { state_dir = "state" }
        [modules.m]
        path = "m.wasm"
        watch = true
        build = "make"
        sources = ["src"]
        [[actors]]
        name = "a"
        module = "m"
        checkpoint = { every = "10s" }
    "#;
    let config = parse(text, folder.path()).unwrap();
    let key = crate::control::ControlKey::new(b"0123456789abcdef".to_vec()).unwrap();
    let keys = config.control.unwrap().keys;
    assert!(keys.len() == 1 && keys[0].key == key && keys[0].role == crate::control::Role::Deploy);
    assert_eq!(config.runtime.state_dir.unwrap(), folder.path().join("state"));
    let build = &config.builds[0];
    assert!(build.watch);
    assert_eq!(build.build.as_deref(), Some("make"));
    assert_eq!(build.sources, [folder.path().join("src")]);
    let every = Duration::from_secs(10);
    assert_eq!(config.actors[0].checkpoint, Some(CheckpointSection { every, keep: 3 }));
}

/// The last line of a file that is good but for it. `expected` is the first line of what is said.
#[track_caller]
fn check_last(lines: &str, expected: &str) {
    let folder = folder();
    let text = format!("[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n{lines}");
    let error = parse(&text, folder.path()).unwrap_err().to_string();
    let error = error.replace(&folder.path().display().to_string(), "DIR");
    assert!(
        error.contains(expected),
        "{lines}\nshould say: {expected}\nbut says: {error}"
    );
}

#[test]
fn mistakes_are_explained() {
    check_last(&format!("{ACTOR}checkpoint = {{ keep = 3 }}"), "does not say how often");
    check_last(
        &format!("{ACTOR}checkpoint = {{ every = \"1ms\" }}"),
        "`every` is too short",
    );
    check_last(
        &format!("{ACTOR}checkpoint = {{ every = \"10s\", keep = 0 }}"),
        "`keep` is out of range",
    );
    check_last(&format!("{ACTOR}checkpoint = \"10s\""), "`checkpoint` is a string");
    check_last(
        "[[actors]]\nname = \"a\"\nnative = \"counter\"\ncheckpoint = { every = \"10s\" }",
        "a native actor has no checkpoints",
    );
    check_last("[control]", "[control] does not say where the deploy key is");
    check_last("[control]\nkey = \"x\"", "the key itself can't be written here");
    check_last(
        "[control]\nkey_file = \"short\"",
        "the control key DIR/short has 6 bytes; expected at least 16",
    );
    check_last(
        "[control]\nkey_file = \"open\"",
        "the control key DIR/open can be read by every user of this machine (mode 0644)",
    );
    check_last(
        "[control]\nkey_file = \"none\"",
        "the control key DIR/none cannot be read",
    );
    let module = "[modules.m]\npath = \"m.wasm\"\n";
    check_last(&format!("{module}sources = [\"src\"]"), "`sources` without a `build`");
    check_last(&format!("{module}build = \" \""), "`build` is empty");
    check_last(
        "[runtime]\ncache_dir = \"c\"\ncache_key_file = \"c/key\"",
        "`cache_key_file` is in `cache_dir`",
    );
    let digest = format!("digest = \"sha256:{}\"", "0".repeat(64));
    check_last(&format!("{module}watch = true\n{digest}"), "there is nothing to watch");
}

#[test]
fn a_module_that_is_not_the_one_of_its_digest_is_reported_there() {
    let folder = folder();
    let digest = format!("digest = \"sha256:{}\"", "0".repeat(64));
    for (line, place) in [
        (digest.as_str(), "node.toml:6:10: it differs\n"),
        ("", "node.toml:5:8: it differs\n"),
    ] {
        let text = format!("[node]\nname = \"a\"\ncookie_file = \"cookie\"\n[modules.m]\npath = \"m.wasm\"\n{line}");
        let config = parse(&text, folder.path()).unwrap();
        let mut problems = config.late_problems();
        problems.of_digest("m", "it differs".to_owned(), "replace it");
        let error = problems.into_result().unwrap_err().to_string();
        assert!(error.starts_with(place), "{error}");
    }
}
