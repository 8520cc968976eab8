//! The corpora of the fuzzer and mutations of them, through the very functions that it calls, with the stable compiler.
//!
//! `RACTOR_FUZZ_SECONDS` says for how long mutations of each corpus are tried, `RACTOR_FUZZ_SEED` where their choices begin;
//! `cargo xtask fuzz` sets them. Without them each is tried a few thousand times, always with the same.

mod mutations;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutations::Mutator;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz");

/// The number of mutations of the files of a corpus that a run of all tests tries.
const MUTATIONS: u64 = 5_000;

/// The same where each writes files.
const MUTATIONS_OF_FILES: u64 = 50;

/// The longest input that mutations make, in bytes.
const LONGEST: usize = 64 << 10;

/// Says which bytes it was, if a target panics on them, and keeps them.
struct Reported<'a> {
    target: &'a str,
    execution: u64,
    bytes: &'a [u8],
}

impl Drop for Reported<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let folder = Path::new(FOLDER).join("artifacts").join(self.target);
        let file = folder.join(format!("{}-{}", seed(), self.execution));
        match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, self.bytes)) {
            Ok(()) => println!("the input is in {}", file.display()),
            Err(error) => println!("the input can't be kept: {error}"),
        }
        let shown = self.bytes.get(..1024).unwrap_or(self.bytes);
        println!("the input is {} bytes long and begins {:02x?}", self.bytes.len(), shown);
    }
}

fn seed() -> u64 {
    let seed = std::env::var("RACTOR_FUZZ_SEED").ok();
    seed.map_or(7, |seed| seed.parse().expect("RACTOR_FUZZ_SEED is a number"))
}

/// How long a corpus is mutated.
#[derive(Clone, Copy)]
enum Effort {
    Executions(u64),
    Until(Instant),
}

impl Effort {
    fn of_this_run(executions: u64) -> Self {
        match std::env::var("RACTOR_FUZZ_SECONDS") {
            Ok(seconds) => {
                let seconds = seconds.parse().expect("RACTOR_FUZZ_SECONDS is a number");
                Self::Until(Instant::now() + Duration::from_secs(seconds))
            }
            Err(_) => Self::Executions(executions),
        }
    }

    fn goes_on(self, done: u64) -> bool {
        match self {
            Self::Executions(executions) => done < executions,
            Self::Until(end) => Instant::now() < end,
        }
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(FOLDER).join("corpus").join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the corpora are in fuzz/corpus")
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no file", folder.display());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn check_often(name: &str, target: fn(&[u8]), executions: u64) {
    let corpus = corpus(name);
    let run = |execution, bytes: &[u8]| {
        let reported = Reported {
            target: name,
            execution,
            bytes,
        };
        target(reported.bytes);
    };
    corpus.iter().for_each(|bytes| run(0, bytes));
    let mut mutator = Mutator::new(seed());
    let effort = Effort::of_this_run(executions);
    let started = Instant::now();
    let mut done = 0;
    while effort.goes_on(done) {
        done += 1;
        let mut bytes = mutator.mutation_of(&corpus);
        bytes.truncate(LONGEST);
        run(done, &bytes);
    }
    println!("{name}: {done} mutations in {:?}, seed {}", started.elapsed(), seed());
}

fn check(name: &str, target: fn(&[u8])) {
    check_often(name, target, MUTATIONS);
}

#[test]
fn bytes_of_a_connection() {
    check("frame", super::frame);
}

#[test]
fn what_strangers_say() {
    check("handshake", super::handshake);
}

#[test]
fn what_peers_say() {
    check("control", super::control);
}

#[test]
fn messages_of_a_derived_enum() {
    check("derive", super::derive);
}

#[test]
fn what_a_node_toml_says() {
    check("configuration", super::configuration);
}

#[test]
fn what_the_control_actor_is_asked() {
    check("requests", super::requests);
}

#[test]
fn what_guests_ask_of_the_machine() {
    check("imports", super::imports);
}

#[test]
fn what_is_read_back_from_the_disk() {
    check("records", super::records);
}

#[test]
fn a_checkpoint_database_with_damage() {
    check_often("database", super::database, MUTATIONS_OF_FILES);
}
