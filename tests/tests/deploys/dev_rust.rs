//! `ractor-host dev` with a crate of the Rust SDK: an edit is compiled by cargo and reloaded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ractor_host_tests::cli::message;
use ractor_host_tests::host::node_toml;
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::{programs, wait};

use crate::lab::Lab;

const SOURCE: &str = r#"//! A counter that a test edits.
use ractor::reload::Reload;
use ractor::{Actor, ActorProcessingErr, ActorRef, RactorClusterMessage, RpcReplyPort};

#[derive(Default)]
pub struct Scratch;

#[derive(RactorClusterMessage)]
pub enum ScratchMsg {
    Add(u64),
    #[rpc]
    Get(RpcReplyPort<u64>),
}

impl Actor for Scratch {
    type Msg = ScratchMsg;
    type State = u64;
    type Arguments = u64;

    async fn pre_start(&self, _: ActorRef<ScratchMsg>, count: u64) -> Result<u64, ActorProcessingErr> {
        Ok(count)
    }

    async fn handle(
        &self,
        _: ActorRef<ScratchMsg>,
        message: ScratchMsg,
        count: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ScratchMsg::Add(number) => *count += number * STEP,
            ScratchMsg::Get(reply) => reply.send(*count)?,
        }
        Ok(())
    }
}

impl Reload for Scratch {}

ractor::export!(Scratch, reload);
"#;

/// The crate's source, with what is written in the place of `STEP`.
fn source(step: &str) -> String {
    SOURCE.replace("STEP", step)
}

fn workspace() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    workspace.canonicalize().expect("a workspace")
}

/// A crate that builds without a network: with the dependencies' versions of this workspace.
fn scratch(lab: &Lab) {
    let workspace = workspace();
    let sdk = workspace.join("guest-sdk");
    let manifest = format!(
        "[package]\nname = \"scratch\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\
         [dependencies]\nractor = {{ package = \"ractor-guest\", path = {sdk:?}, features = [\"reload\"] }}\n\
         [profile.dev]\nopt-level = 1\ndebug = false\n[workspace]\n"
    );
    fs::create_dir_all(lab.path("scratch/src")).expect("a folder");
    lab.write("scratch/Cargo.toml", manifest.as_bytes());
    let lock = fs::read(workspace.join("Cargo.lock")).expect("a lock file");
    lab.write("scratch/Cargo.lock", &lock);
    lab.write("scratch/src/lib.rs", source("1").as_bytes());
    // What it depends on is compiled once, and not under a deadline.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dev-rust");
    fs::create_dir_all(&target).expect("a folder");
    std::os::unix::fs::symlink(target, lab.path("scratch/target")).expect("a link");
    let mut build = Command::new("cargo");
    build.args([
        "build",
        "--quiet",
        "--package",
        "scratch",
        "--target",
        "wasm32-wasip2",
        "--profile",
        "dev",
    ]);
    let built = build.current_dir(lab.path("scratch")).env_remove("CARGO_TARGET_DIR");
    let built = built.env("CARGO_NET_OFFLINE", "true").status();
    assert!(built.expect("cargo").success(), "the crate does not build");
}

#[test]
fn a_rust_guest_is_compiled_and_reloaded_after_an_edit() {
    let lab = Lab::new();
    scratch(&lab);
    let path = lab.path("scratch/target/wasm32-wasip2/debug/scratch.wasm");
    let (key, state) = (lab.path("deploy.key"), lab.path("state"));
    let toml = format!(
        "[control]\nkey_file = {key:?}\n[runtime]\nstate_dir = {state:?}\n[modules.scratch]\npath = {path:?}\n\
         [[actors]]\nname = \"scratch\"\nmodule = \"scratch\"\narguments = \"u64:0\"\n"
    );
    lab.write("node.toml", node_toml("alpha", &toml).as_bytes());
    let mut command = programs::ractor_host();
    command.arg("dev").arg(lab.path("node.toml"));
    command.env("CARGO_NET_OFFLINE", "true").env_remove("CARGO_TARGET_DIR");
    let mut node = Process::start("ractor-host dev", &mut command);
    let (_, ready) = node.wait_line(Stream::Stdout, 0, "the ready line", |line| line.starts_with("ready "));
    let address = ready.rsplit('=').next().unwrap_or_default().to_owned();
    let cookie = lab.path("cookie");
    let get = || message("call", &address, &cookie, &["scratch", "Get", "--reply", "u64"]).stdout;
    let add = |number: &str| {
        message("cast", &address, &cookie, &["scratch", "Add", number])
            .answer()
            .to_owned()
    };
    let wait_for = |expected: &str| {
        let what = format!("the count {expected}");
        assert_eq!(wait::until(&what, get, |seen| seen == expected), expected);
    };
    add("u64:5");
    wait_for("5");

    lab.write("scratch/src/lib.rs", source("10").as_bytes());
    node.wait_line(Stream::Stdout, 0, "the reload", |line| {
        line.starts_with("reloaded scratch: 1 actors")
    });
    add("u64:1");
    wait_for("15");

    lab.write("scratch/src/lib.rs", source("nothing_like_this").as_bytes());
    node.wait_line(Stream::Stdout, 0, "the failure", |line| {
        line.starts_with("scratch does not build")
    });
    node.wait_line(Stream::Stderr, 0, "the compiler's words", |line| {
        line.contains("nothing_like_this")
    });
    add("u64:1");
    wait_for("25");

    lab.write("scratch/src/lib.rs", source("100").as_bytes());
    let reloads = |node: &Process| {
        let lines = node.lines(Stream::Stdout);
        lines.iter().filter(|line| line.starts_with("reloaded scratch")).count()
    };
    wait::until("the second reload", || reloads(&node), |count| *count >= 2);
    add("u64:1");
    wait_for("125");
}
