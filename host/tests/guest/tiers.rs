//! Guests that begin with baseline code, and go over to optimized code.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use ractor_host::guest::{
    Allocation, Compilation, Engine, EngineConfig, GuestRef, Mode, Module, Modules, Origin, Swap, Tier,
};
use tempfile::TempDir;

use crate::reload_support::{Fail, Node, Version, get, version};
use crate::support::{engine_config, file, load, source, start_module};

/// The longest wait for something that is bound to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of the key that all engines of these tests have.
static KEY: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fn config(guests: u32) -> EngineConfig {
    EngineConfig {
        allocation: Allocation::Pool { guests },
        compilation: Compilation::Tiered { smallest: 0 },
        ..engine_config()
    }
}

/// A node whose module begins with baseline code.
async fn node(engine: &Engine, version: Version) -> Node {
    let node = Node::with(version).await;
    let first = load(engine, &version.bytes()).await.unwrap();
    assert_eq!(first.tier(), Tier::Baseline);
    node.modules.insert(first.clone());
    Node { first, ..node }
}

/// Runs until it is dropped.
struct TierUp(tokio::task::JoinHandle<()>);

impl TierUp {
    fn start(modules: &Modules) -> Self {
        let modules = modules.clone();
        Self(tokio::spawn(async move { modules.tier_up().await }))
    }
}

impl Drop for TierUp {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let polling = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, polling).await.is_ok(), "{what}");
}

fn is_optimized(guest: &GuestRef) -> bool {
    guest.module().tier() == Tier::Optimized
}

fn current(node: &Node) -> Module {
    node.modules.find("test-module").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_goes_over_while_messages_flow_and_none_is_lost() {
    let engine = Engine::new(config(8)).unwrap();
    let node = node(&engine, version(1)).await;
    let guest = node.start().await;
    guest.cast("add", &[1]);
    assert_eq!(get(&guest.cell).await.unwrap().from, None);
    let _tier_up = TierUp::start(&node.modules);
    let mut sent = 1;
    // Messages are under way at any moment that it goes over.
    until("the guest goes over", || {
        guest.cast("add", &[1]);
        sent += 1;
        is_optimized(guest.live())
    })
    .await;
    guest.cast("add", &[1]);
    let says = get(&guest.cell).await.unwrap();
    assert_eq!((says.count, says.from), (sent + 1, Some(1)), "with its state");
    assert_eq!(guest.live().module().digest(), node.first.digest());
    assert_eq!(current(&node).tier(), Tier::Optimized);
    assert!(
        node.modules.previous("test-module").is_empty(),
        "the version is the same"
    );
    let another = node.start().await;
    assert!(is_optimized(another.live()), "what starts later has it from the start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_cant_take_its_state_along_goes_over_at_its_next_start() {
    let engine = Engine::new(config(8)).unwrap();
    let node = node(&engine, version(1).plain()).await;
    let guest = node.start().await;
    guest.cast("add", &[3]);
    let _tier_up = TierUp::start(&node.modules);
    until("the optimized code is ready", || {
        current(&node).tier() == Tier::Optimized
    })
    .await;
    assert_eq!(get(&guest.cell).await.unwrap().count, 3, "it goes on as it was");
    assert!(!is_optimized(guest.live()));
    guest.restart("the test wants it");
    until("it starts again", || is_optimized(guest.live())).await;
    assert_eq!(get(&guest.cell).await.unwrap().count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_on_trial_is_not_replaced_by_optimized_code() {
    let engine = Engine::new(config(8)).unwrap();
    let node = node(&engine, version(1)).await;
    let guest = node.start().await;
    guest.cast("add", &[5]);
    let bad = version(2).failing(Fail::Message);
    let bad = load(&engine, &bad.bytes()).await.unwrap();
    let swap = Swap {
        module: bad.clone(),
        mode: Mode::Snapshot,
        probation: 1,
    };
    let mut swapped = guest.live().reload(swap).await.unwrap();
    node.modules.insert(bad);
    let _tier_up = TierUp::start(&node.modules);
    until("the optimized code is ready", || {
        current(&node).tier() == Tier::Optimized
    })
    .await;
    // The message at which it fails is given to the code before, which could not come back if the trial were over.
    guest.cast("add", &[1]);
    assert!(swapped.proof.proven().await.is_err());
    let says = get(&guest.cell).await.unwrap();
    assert_eq!((says.count, says.version), (6, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_of_both_tiers_share_the_places_of_one_pool() {
    let engine = Engine::new(config(2)).unwrap();
    let node = node(&engine, version(1).plain()).await;
    let baseline = node.start().await;
    node.modules.insert(node.first.optimized().await.unwrap());
    let optimized = node.start().await;
    assert!(!is_optimized(baseline.live()) && is_optimized(optimized.live()));
    let refused = start_module(&node.first, node.options.clone())
        .await
        .map(drop)
        .unwrap_err();
    assert!(
        refused.to_string().contains("2 guests live") && refused.to_string().contains("max_guests"),
        "{refused}"
    );
    baseline.cell.kill();
    baseline.guest.ended.await.unwrap();
    // The place comes back with the instance, which goes a moment after the news.
    let starting = async {
        while start_module(&node.first, node.options.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, starting).await.is_ok());
}

#[tokio::test]
async fn what_the_baseline_compiler_does_not_know_is_optimized_at_once() {
    let engine = Engine::new(config(8)).unwrap();
    let core = version(1).core().replace(
        "(func $ok (result i32)",
        "(func $tail (result i32) (return_call $ok)) (func $ok (result i32)",
    );
    let bytes = crate::support::component(&core, "", "export ractor:actor/reload@0.1.0;");
    assert_eq!(load(&engine, &bytes).await.unwrap().tier(), Tier::Optimized);
}

#[tokio::test]
async fn what_was_optimized_once_starts_so_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let engine = |cache: &Path| {
        Engine::new(EngineConfig {
            cache_dir: Some(cache.to_owned()),
            cache_key: Some(KEY.path().join("cache.key")),
            ..config(8)
        })
        .unwrap()
    };
    let file = file(&version(1).bytes());
    let load = async || engine(folder.path()).load(&source(&file.path)).await.unwrap();
    let first = load().await;
    assert_eq!((first.tier(), first.origin()), (Tier::Baseline, Origin::Compiled));
    assert_eq!(load().await.tier(), Tier::Baseline, "baseline code is not kept");
    let optimized = first.optimized().await.unwrap();
    assert_eq!(
        (optimized.tier(), optimized.digest()),
        (Tier::Optimized, first.digest())
    );
    let again = load().await;
    assert_eq!((again.tier(), again.origin()), (Tier::Optimized, Origin::Cache));
}
