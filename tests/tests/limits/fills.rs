//! Guests that fill what they can: what stays is within the stated bounds, and free again when they end.

use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::wait;

use crate::victims::{Victims, actor_with};

const MIB: u64 = 1 << 20;

/// What a node may grow by beside what a test fills: what allocators keep, what 40 children are without anything, and what is
/// done once.
const SLACK: u64 = 32 * MIB;

/// What a family of [`hoarder`] may take, and what one of them. Without limits on families, 40 of them would take 40 times the
/// second.
const FAMILY: &str = r#"
family_memory_bytes = "96MiB"
memory_bytes = "32MiB"
family_mailbox_bytes = "32MiB"
mailbox_bytes = "16MiB"
timers = 100000
family_groups = 600
groups = 200
send_wait = "0s"
"#;

/// What is filled, what it is charged to, and how much that is, in bytes.
const FILLED: [(&str, &str, u64); 5] = [
    ("m", "family_memory_bytes", 96 * MIB),
    ("a", "family_memory_bytes", 96 * MIB),
    ("t", "family_mailbox_bytes", 32 * MIB),
    ("b", "family_mailbox_bytes", 32 * MIB),
    // 600 groups with names of 255 bytes.
    ("g", "family_groups", MIB),
];

#[test]
fn a_family_that_hoards_is_bounded_as_one_and_gives_everything_back() {
    let actor = actor_with("hoarder", "messages = [\"*\"], spawn = [\"hoarder\"]");
    let mut victims = Victims::start(
        "endless-sleep",
        &["hoarder"],
        &format!("{actor}[actors.limits]{FAMILY}"),
    );
    let before = victims.memory_in_use();
    for (what, key, bytes) in FILLED {
        let children = victims.ask("hoarder", what).unwrap();
        let most = before + bytes + SLACK;
        let now = victims.memory_in_use();
        assert!(now <= most, "{what}: {now} bytes in use, at most {most} by {key}");
        if what == "g" {
            // A guest that joins one group too many traps, and its parent alone hears why it didn't start.
            assert_eq!(children, "G", "six of them are in a hundred groups each");
        } else {
            victims.logs(&format!("({key})"));
        }
        victims.are_unharmed();
        victims.cast("hoarder", "end them");
        let free = format!("the node to use at most {} bytes after {what}", before + SLACK);
        wait::until(&free, || victims.memory_in_use(), |now| *now <= before + SLACK);
    }
    victims.are_as_before();
}

#[test]
fn a_family_that_hoards_sockets_is_bounded_as_one_and_gives_everything_back() {
    const EACH: usize = 200;
    const FAMILY: usize = 1200;
    let actor = actor_with("resource-hoarder", "tcp = [\"*:*\"], spawn = [\"resource-hoarder\"]");
    let limits = format!("[actors.limits]\nhandles = 300\nfamily_handles = {FAMILY}\n");
    let mut victims = Victims::start("endless-sleep", &["resource-hoarder"], &format!("{actor}{limits}"));
    let before = open_files(&mut victims);
    for _ in 0..2 {
        let started = victims.ask("resource-hoarder", "s").unwrap();
        assert_eq!(started, "F", "five times {EACH} of {FAMILY}");
        let more = open_files(&mut victims) - before;
        assert!((5 * EACH..=FAMILY).contains(&more), "{more} more open files");
        victims.are_unharmed();
        victims.cast("resource-hoarder", "end them");
        wait::until(
            "the sockets to be closed",
            || open_files(&mut victims),
            |now| *now < before + EACH,
        );
    }
    victims.are_as_before();
}

/// How many files and sockets the node has open.
fn open_files(victims: &mut Victims) -> usize {
    let folder = format!("/proc/{}/fd", victims.node.process().id());
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn lists_of_directories_that_nobody_reads_are_memory_of_the_family() {
    const FILES: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    for number in 0..FILES {
        // A name as long as they come, so that a list takes two and a half mebibytes.
        std::fs::write(folder.path().join(format!("{number:0240}")), "").unwrap();
    }
    let grants = format!("directories = [{{ host = {:?}, guest = \"/data\" }}]", folder.path());
    let limits = "[actors.limits]\nfamily_memory_bytes = \"128MiB\"\nmemory_bytes = \"1MiB\"\n";
    let actor = format!("{}{limits}", actor_with("resource-hoarder", &grants));
    let mut victims = Victims::start("endless-sleep", &["resource-hoarder"], &actor);
    let before = victims.memory_in_use();
    let fifties = victims.ask("resource-hoarder", "d").unwrap();
    let more = victims.memory_in_use().saturating_sub(before);
    assert!(more <= 128 * MIB + SLACK, "{more} bytes more in use");
    assert_eq!(fifties, "A", "some forty of the five hundred lists");
    victims.logs("(family_memory_bytes)");
    victims.are_unharmed();
}

#[test]
fn looking_for_actors_of_other_nodes_leaves_nothing_behind() {
    const LOOKED_FOR: u64 = 50_000;
    const MONITORED: u64 = 5_000;
    /// What each may cost: a stand-in for it takes some ten thousand.
    const EACH: u64 = 100;
    let mut crowded = Peer::start(Kind::DropIn, "crowded", &["--actor", "known:known"]);
    crowded.run(&format!("crowd {LOOKED_FOR}"));
    let mut victims = Victims::start("endless-sleep", &["onlooker"], &crate::victims::actor("onlooker"));
    crowded.run(&format!("connect {}", victims.node.address()));
    crowded.wait_session("alpha@localhost");
    wait::until("`known` to be known", || victims.ask("onlooker", "l1"), Result::is_ok).unwrap();
    let before = victims.memory_in_use();

    let count = |answer: Result<String, String>| answer.unwrap().parse::<u64>().unwrap();
    assert!(count(victims.ask("onlooker", &format!("l{LOOKED_FOR}"))) > LOOKED_FOR * 9 / 10);
    assert!(count(victims.ask("onlooker", &format!("m{MONITORED}"))) > MONITORED * 9 / 10);
    let kept = victims.memory_in_use().saturating_sub(before);
    assert!(kept < (LOOKED_FOR + MONITORED) * EACH, "{kept} bytes are kept");
    victims.are_unharmed();
}
