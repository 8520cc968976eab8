//! A node whose actors are asked by the command line: the fixture of the tests that have kitchens, one in each language.

use ractor_host_tests::cli::{Ended, message};
use ractor_host_tests::host::{HostNode, counter_of};
use ractor_host_tests::languages::component;
use ractor_host_tests::process::Stream;
use ractor_host_tests::wait;

/// See the module.
pub(crate) struct AskedNode(pub(crate) HostNode);

impl AskedNode {
    /// A node with two actors of the same kitchen, by the name of its component's file. `entry` is what node.toml says of each, beside
    /// its name and its module. None where the tools of the language are missing, which was said.
    pub(crate) fn kitchens(file: &'static str, names: [&str; 2], entry: &str) -> Option<Self> {
        let path = component(file)?;
        let actors = names.map(|name| format!("[[actors]]\nname = \"{name}\"\nmodule = \"kitchen\"\n{entry}\n"));
        let rest = format!("[modules.kitchen]\npath = {path:?}\n{}", actors.concat());
        Some(Self(HostNode::start("node", &rest)))
    }

    pub(crate) fn send(&self, verb: &str, rest: &[&str]) -> Ended {
        message(verb, self.0.address(), &self.0.cookie_file(), rest)
    }

    #[track_caller]
    pub(crate) fn call(&self, rest: &[&str]) -> String {
        self.send("call", rest).answer().to_owned()
    }

    #[track_caller]
    pub(crate) fn answers(&self, rest: &[&str], expected: &str) {
        assert_eq!(self.call(rest), expected, "{rest:?}");
    }

    #[track_caller]
    pub(crate) fn fails(&self, rest: &[&str], expected: &str) {
        let ended = self.send("call", rest);
        assert_ne!(ended.code, Some(0), "{rest:?}: {}", ended.stdout);
        assert!(ended.stderr.contains(expected), "{rest:?}: {}", ended.stderr);
    }

    #[track_caller]
    pub(crate) fn cast(&self, rest: &[&str]) {
        self.send("cast", rest).answer();
    }

    /// Waits for a line of the node's log with all of these texts.
    #[track_caller]
    pub(crate) fn wait_logged(&mut self, what: &str, texts: &[&str]) -> String {
        let has_all = |line: &str| texts.iter().all(|text| line.contains(text));
        self.0.process().wait_line(Stream::Stderr, 0, what, has_all).1
    }
}

/// What a counter does in a language that isn't held to the whole list of behaviours.
pub(crate) fn counts(file: &'static str) {
    let Some(counter) = component(file) else { return };
    let node = AskedNode(HostNode::start(
        "node",
        &counter_of(&counter, "counter", "counters", 10),
    ));
    node.cast(&["counter", "Add", "5"]);
    node.answers(&["counter", "Get"], "15");
    node.answers(&["counter", "Name"], "counter");
    node.cast(&["counter", "Crash", "enough"]);
    wait::until(
        "its end",
        || node.send("call", &["counter", "Get"]).code,
        |code| *code != Some(0),
    );
}
