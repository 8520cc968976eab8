//! Casts that wait for a guest, and are handled in one call of it.

use ractor::message::SerializedMessage;
use ractor::pg;
use ractor_host::directory::PutRefused;
use ractor_host::guest::{
    Allocation, Engine, EngineConfig, GuestOptions, LoadError, LoadFault, Module, RestartIntensity, RestartPolicy,
    RestartType,
};

use crate::metrics::recorded;
use crate::support::{ENGINE, Native, Running, SCRIPT, component, engine_config, load, options, start_module};

const BATCH: &str = include_str!("fixtures/batch.wat");

/// This many casts are handled before the first is held.
const FIRST: usize = 7;

/// How the guest behaves. The numbers are those of the fixture.
#[derive(Debug, Clone, Copy)]
enum Mode {
    Well = 0,
    NeverAsks = 1,
    HandlesNothing = 2,
    AsksForEver = 3,
}

fn batching(mode: Mode) -> Vec<u8> {
    let core = SCRIPT
        .replacen(
            "(import",
            "(import \"ractor:actor/messaging@0.1.0\" \"next-cast\" (func $next_cast (result i32)))\n(import",
            1,
        )
        .replacen("  (func $handle_call ", &format!("{BATCH}  (func $handle_call "), 1)
        .replace("{MODE}", &(mode as u32).to_string());
    component(&core, "", "export ractor:actor/batch@0.1.0;")
}

/// The clock of this engine never ticks during a test, so that no batch ends early.
async fn module(mode: Mode) -> Module {
    let engine = Engine::new(EngineConfig {
        epoch_tick: std::time::Duration::from_secs(600),
        allocation: Allocation::Pool { guests: 4 },
        ..engine_config()
    });
    load(&engine.unwrap(), &batching(mode)).await.unwrap()
}

async fn begin(mode: Mode, options: GuestOptions) -> Running {
    start_module(&module(mode).await, options).await.unwrap()
}

fn restarted() -> GuestOptions {
    GuestOptions {
        restarting: RestartPolicy::new(RestartType::Transient, RestartIntensity::default()),
        ..options()
    }
}

/// Casts that change nothing, until one is held.
fn warm_up(guest: &Running) {
    (0..FIRST).for_each(|_| guest.cast("nothing", b""));
}

/// A native actor that is in the groups `{prefix}0` and so on, so that it hears which one a guest sent to.
async fn witness(prefix: &str, groups: usize) -> Native {
    let native = Native::start(None).await;
    for group in 0..groups {
        pg::join(format!("{prefix}{group}"), vec![native.cell.clone()]);
    }
    native
}

async fn heard(native: &mut Native, casts: usize) -> Vec<String> {
    let mut heard = Vec::new();
    for _ in 0..casts {
        heard.push(native.next().await.trim_start_matches("echo:").to_owned());
    }
    heard
}

#[tokio::test]
async fn casts_that_wait_are_handled_together_and_in_order() {
    let mut native = witness("together", 64).await;
    let guest = begin(Mode::Well, options()).await;
    guest.call("echo", b"").await.unwrap();
    let before = guest.live().turns();
    let wanted: Vec<_> = (0..64).map(|at| format!("together{at}")).collect();
    // The guest's actor has no turn before this test waits for it.
    wanted.iter().for_each(|group| guest.cast("cast", group.as_bytes()));
    assert_eq!(heard(&mut native, 64).await, wanted);
    guest.call("echo", b"").await.unwrap();
    let turns = guest.live().turns() - before;
    assert_eq!(turns, FIRST as u64 + 2 + 1, "two batches of at most 32, and the call");
}

#[tokio::test]
async fn what_is_no_cast_keeps_its_place() {
    let guest = begin(Mode::Well, options()).await;
    warm_up(&guest);
    let mut answers = Vec::new();
    for text in ["1", "2", "3"] {
        answers.push(guest.ask("defer", b""));
        guest.cast("answer", text.as_bytes());
        guest.cast("nothing", b"");
    }
    for (answer, text) in answers.into_iter().zip(["1", "2", "3"]) {
        assert_eq!(answer.await, Ok(text.as_bytes().to_vec()));
    }
}

#[tokio::test]
async fn a_large_cast_keeps_its_place() {
    let mut native = witness("large", 4).await;
    let guest = begin(Mode::Well, options()).await;
    warm_up(&guest);
    for group in ["large0", "large1", "large2", "large3"] {
        guest.cast("cast", group.as_bytes());
        guest.cast("nothing", &[0; 5000]);
    }
    assert_eq!(heard(&mut native, 4).await, ["large0", "large1", "large2", "large3"]);
}

#[test]
fn only_the_cast_that_fails_is_lost() {
    for failing in ["trap", "fail"] {
        let counters = recorded(async move {
            let mut native = witness(failing, 3).await;
            let mut guest = begin(Mode::Well, restarted()).await;
            assert_eq!(guest.supervisor.next().await, "started");
            warm_up(&guest);
            guest.cast("cast", format!("{failing}0").as_bytes());
            guest.cast(failing, b"");
            guest.cast("cast", format!("{failing}1").as_bytes());
            guest.cast("cast", format!("{failing}2").as_bytes());
            let wanted = [0, 1, 2].map(|group| format!("{failing}{group}"));
            assert_eq!(heard(&mut native, 3).await, wanted);
            assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()));
            assert!(guest.supervisor.is_quiet());
        });
        let lost = "ractor_host_guest_dead_letters_total{reason=failed,actor=test-module}";
        assert_eq!(counters.value(lost), 1, "{failing}");
        let failures = "ractor_host_guest_failures_total{actor=test-module}";
        assert_eq!(counters.value(failures), 1, "{failing}");
    }
}

#[test]
fn an_error_names_the_cast_that_it_is_about() {
    recorded(async {
        let mut guest = begin(Mode::Well, options()).await;
        warm_up(&guest);
        guest.cast("nothing", b"");
        guest.cast("fail-3", b"no thanks");
        guest.cast("nothing", b"");
        let end = guest.supervisor.end().await;
        assert!(
            end.contains("handle-cast `fail-3`") && end.contains("no thanks"),
            "{end}"
        );
    });
}

#[test]
fn after_a_stop_nothing_is_handled_and_what_waits_is_given_up() {
    let counters = recorded(async {
        let mut native = witness("stop", 2).await;
        let mut guest = begin(Mode::Well, options()).await;
        warm_up(&guest);
        guest.cast("cast", b"stop0");
        guest.cast("stop", b"enough");
        guest.cast("cast", b"stop1");
        guest.cast("cast", b"stop1");
        assert_eq!(guest.supervisor.end().await, "ended: enough");
        crate::support::cast(&native.cell, "last", b"");
        assert_eq!(heard(&mut native, 2).await, ["stop0", "last:"]);
    });
    let lost = "ractor_host_guest_dead_letters_total{reason=ended,actor=test-module}";
    assert_eq!(counters.value(lost), 2);
}

#[tokio::test]
async fn a_restart_that_is_asked_for_loses_nothing_that_waits() {
    let mut native = witness("renewed", 20).await;
    let guest = begin(Mode::Well, options()).await;
    let wanted: Vec<_> = (0..20).map(|at| format!("renewed{at}")).collect();
    for (at, group) in wanted.iter().enumerate() {
        guest.cast("cast", group.as_bytes());
        if at % 5 == 0 {
            guest.live().restart("a test");
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(heard(&mut native, 20).await, wanted);
}

fn cast(group: &str) -> SerializedMessage {
    SerializedMessage::Cast {
        variant: "cast".to_owned(),
        args: group.as_bytes().to_vec(),
        metadata: None,
    }
}

#[tokio::test]
async fn casts_through_the_bounded_mailbox_and_around_it_keep_their_order() {
    let mut native = witness("mixed", 40).await;
    let guest = begin(Mode::Well, options()).await;
    let inbox = ractor_host::directory::inbox(guest.cell.get_id()).unwrap();
    let wanted: Vec<_> = (0..40).map(|at| format!("mixed{at}")).collect();
    for (at, group) in wanted.iter().enumerate() {
        if at % 3 == 0 {
            guest.cast("cast", group.as_bytes());
        } else {
            inbox.put(cast(group)).unwrap();
        }
    }
    assert_eq!(heard(&mut native, 40).await, wanted);
}

#[tokio::test]
async fn draining_handles_what_is_held() {
    let mut native = witness("drained", 12).await;
    let guest = begin(Mode::Well, options()).await;
    let wanted: Vec<_> = (0..12).map(|at| format!("drained{at}")).collect();
    wanted.iter().for_each(|group| guest.cast("cast", group.as_bytes()));
    guest.cell.drain().unwrap();
    assert_eq!(heard(&mut native, 12).await, wanted);
    guest.guest.ended.await.unwrap();
}

#[tokio::test]
async fn what_comes_while_a_guest_drains_is_refused_and_what_waits_is_handled() {
    let mut native = witness("accepted", 40).await;
    let guest = begin(Mode::Well, options()).await;
    let inbox = ractor_host::directory::inbox(guest.cell.get_id()).unwrap();
    let wanted: Vec<_> = (0..40).map(|at| format!("accepted{at}")).collect();
    for group in &wanted {
        inbox.put(cast(group)).unwrap();
    }
    guest.cell.drain().unwrap();
    // It has not had a turn yet, so that all of them wait.
    let refused = inbox.put(cast("accepted0")).map_err(|not_put| not_put.reason);
    assert_eq!(refused, Err(PutRefused::Ended));
    assert_eq!(heard(&mut native, 40).await, wanted);
    guest.guest.ended.await.unwrap();
}

#[tokio::test]
async fn a_guest_that_misbehaves_harms_only_itself() {
    for mode in [Mode::NeverAsks, Mode::HandlesNothing, Mode::AsksForEver] {
        let guest = begin(mode, options()).await;
        (0..100).for_each(|_| guest.cast("nothing", b"args"));
        assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()), "{mode:?}");
        (0..100).for_each(|_| guest.cast("nothing", b"args"));
        assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()), "{mode:?}");
    }
}

/// Why a component is refused whose interface `batch` has this function instead, with the same parameters in memory.
async fn refused(function: &str, signature: &str) -> LoadFault {
    let export = format!("(export \"ractor:other/batch@0.1.0#{function}\")");
    let function_there = format!("(func {export} (param i32 i32) (result i32) (call $ok))");
    let core = SCRIPT.replacen(
        "  (func $handle_call ",
        &format!("{function_there}\n  (func $handle_call "),
        1,
    );
    let package = format!("package ractor:other@0.1.0 {{ interface batch {{ {function}: {signature}; }} }}");
    let bytes = component(&core, &package, "export ractor:other/batch@0.1.0;");
    // `wit` has the interface as it should be, so the other one gets its name only here.
    let renamed = replace(&bytes, b"ractor:other/batch@0.1.0", b"ractor:actor/batch@0.1.0");
    match load(&ENGINE, &renamed).await {
        Err(LoadError { fault, .. }) => fault,
        Ok(_) => panic!("it was loaded"),
    }
}

#[tokio::test]
async fn an_interface_of_another_type_is_refused_at_load() {
    let fault = refused("handle-casts", "func(bytes: list<u8>) -> result<_, string>").await;
    assert!(matches!(fault, LoadFault::Mismatch(_)), "{fault}");
    assert!(fault.to_string().contains("handle-casts"), "{fault}");
}

#[tokio::test]
async fn an_interface_without_its_function_is_refused_at_load() {
    let fault = refused("handle-all", "func(bytes: list<u8>) -> result<_, string>").await;
    let missing = LoadFault::MissingFunction {
        interface: "ractor:actor/batch@0.1.0",
        function: "handle-casts",
    };
    assert_eq!(fault.to_string(), missing.to_string());
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut replaced = bytes.to_vec();
    let places: Vec<_> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        replaced[at..at + to.len()].copy_from_slice(to);
    }
    replaced
}
