//! Counters in every language, each sent very many messages: a runtime that collects what is no longer needed, or that counts what it was
//! given, may fail after a hundred thousand of them and not before.
//!
//! `RACTOR_TEST_MESSAGES` says how many each gets. `cargo xtask test --long` sends millions.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use counter::CounterMsg;
use ractor::{Actor, ActorProcessingErr, ActorRef, call_t};
use ractor_host::guest::{Allocation, Engine, EngineConfig, Grants, GuestOptions, ModuleSource, Profile, spawn};
use ractor_host_tests::languages::component;

/// The messages that each counter gets, unless the environment names another number. Go's collector has run many times by then.
const MESSAGES: u64 = 300_000;
/// The messages between two waits for all of them to be handled.
const WINDOW: u64 = 5_000;
/// The longest wait, in milliseconds.
const PATIENCE_MS: u64 = 120_000;

struct Idle;

impl Actor for Idle {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

fn messages() -> u64 {
    std::env::var("RACTOR_TEST_MESSAGES").map_or(MESSAGES, |number| number.parse().unwrap())
}

#[test]
fn a_counter_in_c_counts_every_one_of_very_many_messages() {
    counts_all_of_them("c_counter");
}

#[test]
fn a_counter_in_go_counts_every_one_of_very_many_messages() {
    counts_all_of_them("go_counter");
}

#[test]
fn a_counter_in_javascript_counts_every_one_of_very_many_messages() {
    counts_all_of_them("js_counter");
}

#[test]
fn a_counter_in_python_counts_every_one_of_very_many_messages() {
    counts_all_of_them("py_counter");
}

/// Nothing where the tools of the language are missing, which was said.
#[track_caller]
fn counts_all_of_them(name: &'static str) {
    if let Some(component) = component(name) {
        count_in(&component, messages());
    }
}

#[track_caller]
fn count_in(component: &Path, messages: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let path = component.to_owned();
    let counted = runtime.block_on(async move { tokio::spawn(count(path, messages)).await.unwrap() });
    assert_eq!(counted, messages);
}

/// Sends that many messages, casts and now and then a call, and gives what the actor counted.
async fn count(path: PathBuf, messages: u64) -> u64 {
    let engine = Engine::new(EngineConfig {
        allocation: Allocation::Pool { guests: 8 },
        ..EngineConfig::default()
    })
    .unwrap();
    let source = ModuleSource {
        name: "counter".to_owned(),
        path,
        source: None,
        digest: None,
    };
    let module = engine.load(&source).await.unwrap();
    let (supervisor, _) = Actor::spawn(None, Idle, ()).await.unwrap();
    let options = GuestOptions {
        arguments: 0_u64.to_be_bytes().to_vec(),
        profile: Arc::new(Profile {
            grants: Arc::new(Grants::of_actors()),
            ..Profile::default()
        }),
        ..GuestOptions::default()
    };
    let guest = spawn(&module, options, supervisor.get_cell()).await.unwrap();
    let counter: ActorRef<CounterMsg> = guest.cell.into();
    let (mut sent, mut counted) = (0, 0);
    while sent < messages {
        let window = WINDOW.min(messages - sent);
        for _ in 0..window {
            counter.cast(CounterMsg::Add(1)).unwrap();
        }
        sent += window;
        counted = call_t!(counter, CounterMsg::Get, PATIENCE_MS).unwrap();
    }
    counted
}
