//! Components that nobody wrote: what the loader makes of them, and what those that it takes do to the host.
//!
//! Random components were drawn by `fuzz/components`; `RACTOR_FUZZ_COMPONENTS` names a folder with more. Damage is drawn here:
//! each round has a seed, which a failure names. `RACTOR_FUZZ_ROUNDS` sets how many there are, and `RACTOR_FUZZ_SEED` the
//! first seed; with a seed alone it is one round.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ractor::ActorStatus;
use ractor::message::SerializedMessage;
use ractor_host::guest::{
    Allocation, Engine, EngineConfig, Fault, Grants, GuestOptions, Limits, LoadError, LoadFault, Module, Modules,
    Profile, SpawnError,
};
use rand::rngs::SmallRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::support::{Running, SCRIPT, component, component_around, engine_config, load, options, start_module};

/// Rounds of each test where nothing else is said: a few seconds on a slow machine.
const ROUNDS: u64 = 24;

/// Nothing that a round does may take longer, on a machine that does much else besides.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest wait for the replies of a guest: some say that a call is answered later, and never answer it.
const REPLY_PATIENCE: Duration = Duration::from_millis(500);

fn variable(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

fn seeds() -> Range<u64> {
    let first = variable("RACTOR_FUZZ_SEED");
    let rounds = variable("RACTOR_FUZZ_ROUNDS").unwrap_or(if first.is_some() { 1 } else { ROUNDS });
    let first = first.unwrap_or_default();
    first..first + rounds
}

/// What came of the rounds of a test.
#[derive(Debug, Default)]
struct Outcomes {
    refused: u64,
    loaded: u64,
    /// Guests that described themselves, that lived, and that did not.
    described: u64,
    started: u64,
    failed: u64,
    /// Calls that a guest handled to their end and answered.
    replies: u64,
    /// Guests that answered at least one.
    replied: u64,
    /// Guests that ended by a trap, by an error that they returned, and by their own wish.
    trapped: u64,
    erred: u64,
    stopped: u64,
    slowest_load: Duration,
}

/// The number of guests that there is room for: places that don't become free again are missed soon.
const PLACES: u32 = 4;

fn engine() -> Engine {
    Engine::new(EngineConfig {
        allocation: Allocation::Pool { guests: PLACES },
        ..engine_config()
    })
    .unwrap()
}

fn limits() -> Limits {
    Limits {
        memory_bytes: 4 << 20,
        cpu_per_message: Duration::from_millis(20),
        lifecycle_time: Duration::from_secs(2),
        message_time: Duration::from_secs(2),
        call_wait: Duration::from_secs(1),
        message_bytes: 64 << 10,
        children: 2,
        ..Limits::default()
    }
}

async fn round(engine: &Engine, outcomes: &mut Outcomes, bytes: &[u8], random: &mut SmallRng) {
    let began = Instant::now();
    let loaded = load(engine, bytes).await;
    outcomes.slowest_load = outcomes.slowest_load.max(began.elapsed());
    match loaded {
        Ok(module) => {
            outcomes.loaded += 1;
            run(outcomes, &module, random).await;
        }
        // The compiler has panicked.
        Err(LoadError {
            fault: LoadFault::Interrupted(reason),
            ..
        }) => panic!("{reason}"),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            outcomes.refused += 1;
        }
    }
}

/// Starts a guest that may start children of its own kind, sends it whatever, and ends it.
async fn run(outcomes: &mut Outcomes, module: &Module, random: &mut SmallRng) {
    outcomes.described += u64::from(module.describe().await.is_ok());
    let modules = Modules::default();
    modules.insert(module.clone());
    let options = GuestOptions {
        arguments: bytes(random, 64),
        profile: Arc::new(Profile {
            limits: Arc::new(limits()),
            grants: Arc::new(Grants::of_actors()),
            ..Profile::default()
        }),
        modules: modules.clone(),
        ..GuestOptions::default()
    };
    match start_module(module, options).await {
        Ok(mut guest) => {
            outcomes.started += 1;
            converse(outcomes, &guest, random).await;
            guest.cell.kill();
            // Killed at once, its start may never be told.
            let mut end = guest.supervisor.next().await;
            if end == "started" {
                end = guest.supervisor.next().await;
            }
            outcomes.note_end(&end);
            guest.guest.ended.await.unwrap();
        }
        Err(SpawnError::Guest(error)) => {
            if let Fault::NoInstance { reason, .. } = &error.fault {
                assert!(!reason.contains("concurrent"), "no place became free: {error}");
            }
            outcomes.failed += 1;
        }
        Err(error) => panic!("{error}"),
    }
    // Its children end after it.
    while !modules.guests(module.name()).is_empty() {
        sleep(Duration::from_millis(1)).await;
    }
}

async fn converse(outcomes: &mut Outcomes, guest: &Running, random: &mut SmallRng) {
    let mut replies = Vec::new();
    for _ in 0..8 {
        let (variant, args) = (text(random), bytes(random, 4096));
        if guest.cell.get_status() >= ActorStatus::Stopping {
            break;
        }
        // It may end between the look and this.
        let metadata = random.random::<bool>().then(|| bytes(random, 64));
        let message = if random.random() {
            let (sender, reply) = oneshot::channel();
            replies.push(reply);
            SerializedMessage::Call {
                variant,
                args,
                reply: sender.into(),
                metadata,
            }
        } else {
            SerializedMessage::Cast {
                variant,
                args,
                metadata,
            }
        };
        drop(guest.cell.send_serialized(message));
    }
    // Some are ended in the middle of whatever they do.
    if random.random_ratio(3, 4) {
        let (mut answered, deadline) = (0, Instant::now() + REPLY_PATIENCE);
        for reply in replies {
            answered += u64::from(matches!(timeout_at(deadline, reply).await, Ok(Ok(_))));
        }
        outcomes.replies += answered;
        outcomes.replied += u64::from(answered > 0);
    }
}

impl Outcomes {
    fn note_end(&mut self, end: &str) {
        match end.strip_prefix("failed: ") {
            Some(reason) if reason.contains("trapped") => self.trapped += 1,
            Some(_) => self.erred += 1,
            None if end != "ended: killed" => self.stopped += 1,
            None => {}
        }
    }
}

fn bytes(random: &mut SmallRng, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; random.random_range(0..=most)];
    random.fill_bytes(&mut bytes);
    bytes
}

/// Something between nothing and a short text of any characters.
fn text(random: &mut SmallRng) -> String {
    let length = random.random_range(0..24);
    (0..length).map(|_| random.random::<char>()).collect()
}

/// The files of a folder with random components and modules, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The random components that are kept, and those of the folder that the environment names.
fn drawn() -> Vec<PathBuf> {
    let mut drawn = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/component"));
    if let Some(more) = std::env::var_os("RACTOR_FUZZ_COMPONENTS") {
        drawn.extend(files(Path::new(&more)));
    }
    drawn
}

/// A component; around a module with the exports of an actor, the one that the world makes of it.
fn read(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if bytes.get(4) == Some(&1) {
        component_around(bytes, "", "")
    } else {
        bytes
    }
}

/// A component with some bytes that are others, behind the first eight.
fn damaged(whole: &[u8], random: &mut SmallRng) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..random.random_range(1..=3) {
        let at = random.random_range(8..bytes.len());
        bytes[at] = random.random();
    }
    if random.random_ratio(1, 8) {
        bytes.truncate(random.random_range(8..bytes.len()));
    }
    bytes
}

/// As many guests as there are places live at once, and answer.
async fn all_places_are_free(engine: &Engine) {
    let module = load(engine, &component(SCRIPT, "", "")).await.unwrap();
    let mut guests = Vec::new();
    for _ in 0..PLACES {
        guests.push(start_module(&module, options()).await.unwrap());
    }
    for guest in &guests {
        assert_eq!(guest.call("echo", b"alive").await.as_deref(), Some(&b"alive"[..]));
    }
}

#[tokio::test]
async fn random_components_harm_nothing() {
    let engine = engine();
    let mut outcomes = Outcomes::default();
    for (seed, path) in (0..).zip(drawn()) {
        let mut random = SmallRng::seed_from_u64(seed);
        let bytes = read(&path);
        let round = round(&engine, &mut outcomes, &bytes, &mut random);
        assert!(timeout(PATIENCE, round).await.is_ok(), "{}: it hangs", path.display());
    }
    println!("{outcomes:?}");
    assert!(outcomes.refused > 0 && outcomes.failed > 0, "{outcomes:?}");
    // About half of what the corpus gives: whose call the random end comes before differs.
    assert!(outcomes.replied >= 4 && outcomes.replies >= 12, "{outcomes:?}");
    assert!(outcomes.trapped >= 2, "{outcomes:?}");
    all_places_are_free(&engine).await;
}

#[tokio::test]
async fn damaged_components_harm_nothing() {
    let whole = component(SCRIPT, "", "");
    let engine = engine();
    let mut outcomes = Outcomes::default();
    for seed in seeds() {
        let mut random = SmallRng::seed_from_u64(seed);
        let bytes = damaged(&whole, &mut random);
        let round = round(&engine, &mut outcomes, &bytes, &mut random);
        let again = "run it alone with RACTOR_FUZZ_SEED";
        assert!(
            timeout(PATIENCE, round).await.is_ok(),
            "seed {seed} ({again}={seed}): it hangs"
        );
    }
    println!("{outcomes:?}");
    assert!(outcomes.refused > 0, "{outcomes:?}");
    all_places_are_free(&engine).await;
}
