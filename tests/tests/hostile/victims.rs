//! A node under attack, with an innocent actor on it and a link to another node.

use std::process::Command;

use ractor_host_tests::host::HostNode;
use ractor_host_tests::peer::Peer;
use ractor_host_tests::process::Stream;
use ractor_host_tests::{COOKIE, wait};
use tempfile::TempDir;

use crate::guests::{component, hostile};

/// Memory that may differ from before an attack to after it: what allocators keep, and what is done once.
const SLACK: u64 = 48 << 20;

/// The guests that are on every node.
const COMMON: [(&str, &str); 3] = [
    ("parent", include_str!("common/parent.wat")),
    ("slow", include_str!("common/slow.wat")),
    ("witness", include_str!("common/witness.wat")),
];

/// The node `alpha`, which runs the attacker, `witness`, who does nothing but answer, and `parent`, who starts whom it is
/// told to; and `beta` with the native actor `native`, from which all is seen and done.
pub(crate) struct Victims {
    pub(crate) node: HostNode,
    pub(crate) peer: Peer,
    /// What the node had in use before the attack.
    memory: u64,
    /// How many lines of the node's log were looked at.
    logged: usize,
    _modules: TempDir,
}

impl Victims {
    /// The hostile guest is the module `attacker`, and an actor of the same name that is restarted after failures.
    #[track_caller]
    pub(crate) fn of(guest: &str) -> Self {
        Self::start(guest, &[], &actor("attacker"))
    }

    /// The hostile guest is the module `attacker`, and nobody has started it yet.
    #[track_caller]
    pub(crate) fn of_unborn(guest: &str) -> Self {
        Self::start(guest, &[], "")
    }

    /// As [`Self::of_unborn`], with further guests as modules under their own names, and further actors.
    #[track_caller]
    pub(crate) fn start(guest: &str, more: &[&str], actors: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut modules = String::new();
        let mut module = |name: &str, bytes: Vec<u8>| {
            let path = folder.path().join(format!("{name}.wasm"));
            std::fs::write(&path, bytes).unwrap();
            modules += &format!("[modules.{name}]\npath = {path:?}\n");
        };
        module("attacker", hostile(guest));
        for (name, text) in COMMON {
            module(name, component(text));
        }
        for name in more {
            module(name, hostile(name));
        }
        let actors = format!("{modules}{}{}{actors}", actor("witness"), actor("parent"));
        let node = HostNode::start("alpha", &actors);
        let mut command = Command::new(env!("CARGO_BIN_EXE_test-node"));
        command.args(["--name", "beta", "--cookie", COOKIE, "--actor", "native:natives"]);
        command.args(["--peer", node.address()]);
        let mut peer = Peer::start_program("beta (test-node)", &mut command);
        peer.wait_session("alpha@localhost");
        let mut this = Self {
            node,
            peer,
            memory: 0,
            logged: 0,
            _modules: folder,
        };
        this.are_unharmed();
        this.memory = this.memory_in_use();
        this
    }

    /// Casts to an actor of the node.
    #[track_caller]
    pub(crate) fn cast(&mut self, actor: &str, text: &str) {
        let command = format!("say {actor} {text}");
        assert_eq!(self.run_when_known(&command).as_deref(), Ok(""), "{command}");
    }

    /// Calls an actor of the node.
    #[track_caller]
    pub(crate) fn ask(&mut self, actor: &str, text: &str) -> Result<String, String> {
        self.run_when_known(&format!("ask {actor} {text}"))
    }

    /// That an actor was started may be known here before it is known there.
    #[track_caller]
    fn run_when_known(&mut self, command: &str) -> Result<String, String> {
        let unknown = |seen: &Result<_, String>| seen.as_ref().is_err_and(|error| error.ends_with(" is nobody"));
        wait::until(command, || self.peer.try_run(command), |seen| !unknown(seen))
    }

    /// Has `parent` start the attacker with these arguments, under the name `child`, which is `parent/child` to others. What came of it.
    #[track_caller]
    pub(crate) fn spawn(&mut self, module: &str, arguments: &str) -> String {
        self.peer.run(&format!("ask parent {module}:{arguments}"))
    }

    /// Has `parent` kill its children, and waits until there is none.
    #[track_caller]
    pub(crate) fn kill_children(&mut self) {
        self.cast("parent", "now");
        self.peer.wait("where parent/child", "nobody");
    }

    /// Waits for a line of the node's log with this text, after those of earlier waits.
    #[track_caller]
    pub(crate) fn logs(&mut self, text: &str) -> String {
        let what = format!("{text:?} in the log");
        let accept = |line: &str| line.contains(text);
        let (at, line) = self
            .node
            .process()
            .wait_line(Stream::Stderr, self.logged, &what, accept);
        self.logged = at + 1;
        line
    }

    /// The lines of the node's log that have this text.
    pub(crate) fn logged(&mut self, text: &str) -> Vec<String> {
        let lines = self.node.process().lines(Stream::Stderr);
        lines.into_iter().filter(|line| line.contains(text)).collect()
    }

    /// The node lives, its actors answer, and its link was never lost.
    #[track_caller]
    pub(crate) fn are_unharmed(&mut self) {
        assert_eq!(self.node.process().ended(), None, "the node has ended");
        assert_eq!(self.ask("witness", "fine?").as_deref(), Ok("fine?"));
        assert_eq!(self.ask("parent", "nothing:").as_deref(), Ok("\\x01"), "unknown-module");
        assert_eq!(self.peer.run("sessions"), "alpha@localhost=ready");
        let events = self.peer.events();
        let lost = events
            .iter()
            .any(|event| event.starts_with("disconnected") || event.starts_with("closed"));
        assert!(!lost, "the link was lost: {events:?}");
    }

    /// As [`Self::are_unharmed`], and the memory that the attack took is free again.
    #[track_caller]
    pub(crate) fn are_as_before(&mut self) {
        self.are_unharmed();
        let most = self.memory + SLACK;
        let what = format!("the node to use at most {most} bytes again");
        wait::until(&what, || self.memory_in_use(), |now| *now <= most);
    }

    /// The memory that the node has in use, in bytes.
    #[track_caller]
    pub(crate) fn memory_in_use(&mut self) -> u64 {
        self.node.process().memory()
    }
}

/// The part of node.toml with one actor of the module of its name. It may message and start whom it likes: what holds
/// against these guests are limits.
pub(crate) fn actor(name: &str) -> String {
    actor_with(name, "messages = [\"*\"], spawn = [\"*\"]")
}

/// As [`actor`], with these grants in place of those.
pub(crate) fn actor_with(name: &str, grants: &str) -> String {
    let actor = format!("name = \"{name}\"\nmodule = \"{name}\"\nrestart = \"transient\"\n");
    format!("\n[[actors]]\n{actor}capabilities = {{ {grants} }}\n")
}
