//! Disks that are full for a while, below real nodes.

use std::fs;
use std::path::Path;

use ractor_host::checkpoint::Database;
use ractor_host::guest::CheckpointStore as _;
use ractor_host_tests::disk::Disk;
use ractor_host_tests::host::{HostNode, node_toml, run};
use ractor_host_tests::process::{Process, Signal, Stream};
use ractor_host_tests::wait;

use crate::lab::{Lab, STATE_FILES, names};
use crate::versions::{padded, version};

const OFTEN: &str = "checkpoint = { every = \"100ms\", keep = 3 }";

/// A node whose `state_dir` is on a small disk, with a counter whose states are kept there.
struct Small {
    // Before the disk and the lab: the process ends first, and the disk is gone before the folder that it is in.
    node: HostNode,
    disk: Disk,
    lab: Lab,
}

impl Small {
    /// None where there can be no such disk.
    #[track_caller]
    fn start() -> Option<Self> {
        let lab = Lab::new();
        // Room for an empty database, and a little more.
        let disk = Disk::mount(lab.path("disk"), 1800 << 10)?;
        lab.write("alpha.wasm", &version(1));
        let node = HostNode::start("alpha", &Self::toml(&lab, &disk));
        Some(Self { node, disk, lab })
    }

    fn toml(lab: &Lab, disk: &Disk) -> String {
        let usual = lab.path("state-alpha");
        let small = disk.path("state");
        lab.toml("alpha", &[], "", OFTEN)
            .replace(&format!("{usual:?}"), &format!("{small:?}"))
    }

    #[track_caller]
    fn waits_for(&mut self, from: usize, what: &str) -> usize {
        let found = self
            .node
            .process()
            .wait_line(Stream::Stderr, from, what, |line| line.contains(what));
        found.0
    }

    /// Fills the disk, and waits until the node says what it notices of it.
    #[track_caller]
    fn fill(&mut self) -> usize {
        self.disk.fill();
        self.lab.add(&self.node, 1);
        self.waits_for(0, "states of actors can't be written")
    }

    /// Waits until the last state of the counter that is kept is this. A copy of the file is read, which may be one of a moment at
    /// which it was being written.
    #[track_caller]
    fn keeps(&self, count: u8) {
        let kept = || {
            let folder = tempfile::tempdir().expect("a folder");
            let copy = folder.path().join("checkpoints.redb");
            fs::copy(self.disk.path("state").join("checkpoints.redb"), &copy).expect("there is one");
            let kept = Database::open(copy).ok()?.latest("counter", None).ok()??;
            Some(kept.checkpoint.state)
        };
        wait::until("the state to be kept", kept, |state| {
            state.as_ref().is_some_and(|state| state.iter().sum::<u8>() == count)
        });
    }

    #[track_caller]
    fn restart(&mut self) {
        let toml = Self::toml(&self.lab, &self.disk);
        self.node.crash_and_restart(&toml);
    }

    fn lines_with(&mut self, what: &str) -> usize {
        let lines = self.node.process().lines(Stream::Stderr);
        lines.iter().filter(|line| line.contains(what)).count()
    }
}

/// All that the counter did while the disk was full is there after a crash, once there was room for a moment.
#[test]
fn a_node_whose_disk_was_full_for_a_while_keeps_states_again() {
    let Some(mut small) = Small::start() else { return };
    small.lab.add(&small.node, 4);
    let failed = small.fill();
    for _ in 0..3 {
        small.lab.add(&small.node, 1);
    }
    small.lab.wait_for(&small.node, "get", 8);
    small.disk.make_room();
    small.waits_for(failed, "states of actors are written again");
    assert_eq!(
        small.lines_with("states of actors can't be written"),
        1,
        "it is said once"
    );
    small.keeps(8);
    small.restart();
    assert_eq!(small.lab.ask(&small.node, "get"), 8);
    assert_eq!(names(&small.disk.path("state")), STATE_FILES, "nothing was put aside");
}

/// There is room again in the time that a stop takes.
#[test]
fn a_stop_keeps_what_a_full_disk_refused_if_there_is_room_in_time() {
    let Some(mut small) = Small::start() else { return };
    small.lab.add(&small.node, 4);
    let failed = small.fill();
    small.node.process().signal(Signal::TERM);
    small.waits_for(failed, "stopping; a second signal");
    small.disk.make_room();
    assert_eq!(small.node.process().wait_exit().code(), Some(0));
    small.restart();
    assert_eq!(small.lab.ask(&small.node, "get"), 5);
}

#[test]
fn a_stop_with_a_full_disk_names_the_actors_whose_states_are_not_kept() {
    let Some(mut small) = Small::start() else { return };
    small.lab.add(&small.node, 4);
    let failed = small.fill();
    small.node.process().signal(Signal::TERM);
    let said = small.waits_for(failed, "could not be kept");
    assert_eq!(small.node.process().wait_exit().code(), Some(1));
    let lines = small.node.process().lines(Stream::Stderr);
    assert!(lines[said].contains("counter"), "{}", lines[said]);
    // What was confirmed before is there, and the file is sound.
    small.disk.make_room();
    small.restart();
    assert!((0..=4).contains(&small.lab.ask(&small.node, "get")));
    assert_eq!(names(&small.disk.path("state")), STATE_FILES);
}

/// Nothing is touched by a deployment for which there is no room, and it succeeds when there is.
#[test]
fn a_deployment_for_which_there_is_no_room_changes_nothing() {
    let Some(mut small) = Small::start() else { return };
    let file = small.lab.write("next.wasm", &padded(&version(2), 300_000, 7));
    let deploy = |small: &Small| {
        let rest = ["counter", "--file", path(&file)];
        small.lab.control("reload", &[small.node.address()], &rest)
    };
    small.fill();
    let refused = deploy(&small);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("No space left"), "{said}");
    assert_eq!(small.lab.ask(&small.node, "version"), 1);
    small.disk.make_room();
    deploy(&small).answer();
    small.restart();
    assert_eq!(small.lab.ask(&small.node, "version"), 2);
}

/// Compiled code that can't be kept costs time, and no actor.
#[test]
fn a_node_starts_without_room_for_compiled_code() {
    let lab = Lab::new();
    let Some(disk) = Disk::mount(lab.path("disk"), 16 << 10) else {
        return;
    };
    lab.write("alpha.wasm", &version(1));
    for is_full in [false, true] {
        if is_full {
            disk.fill();
        }
        let toml = lab.toml("alpha", &[], "", "").replace(
            "[runtime]\n",
            &format!("[runtime]\ncache_dir = {:?}\n", disk.path("cache")),
        );
        let mut node = HostNode::start("alpha", &toml);
        assert_eq!(lab.ask(&node, "version"), 1);
        let lines = node.process().lines(Stream::Stderr);
        let warnings: Vec<_> = lines.iter().filter(|line| line.contains("compiled code")).collect();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        node.process().kill();
    }
}

/// The folder of states is on a disk that is full when the node starts for the first time.
#[test]
fn a_node_that_cant_keep_states_says_so_at_its_start_and_leaves_nothing_half_made() {
    let lab = Lab::new();
    let Some(disk) = Disk::mount(lab.path("disk"), 256 << 10) else {
        return;
    };
    lab.write("alpha.wasm", &version(1));
    disk.fill();
    let toml = node_toml("alpha", &Small::toml(&lab, &disk));
    lab.write("node.toml", toml.as_bytes());
    let mut process = Process::start("alpha, with a full disk", &mut run(&lab.path("node.toml")));
    assert_eq!(process.wait_exit().code(), Some(1));
    let said = process.lines(Stream::Stderr).join("\n");
    assert!(
        said.contains("checkpoints can't be kept in") && said.contains("No space left"),
        "{said}"
    );
    assert!(names(&disk.path("state")).is_empty());
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path")
}
