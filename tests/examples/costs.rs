//! What a guest costs beside a native actor of the same source, in one process: `cargo run --release -p ractor-host-tests
//! --example costs`, after `cargo xtask build-guests`.
//!
//! Both are sent to from one thread, by turns, and each figure is the median of its rounds. A cast is measured by sending
//! many and waiting for the last, a call by one after the other. The path of a guest's own sends, and of a peer's, is the
//! guest's mailbox; a native actor's is ractor's.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for a terminal")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bench_guests::Supervisor;
use counter::{Counter, CounterMsg};
use ractor::message::SerializedMessage;
use ractor::{Actor, ActorRef, call, cast};
use ractor_host::directory::{self, Inbox};
use ractor_host::guest::{Engine, EngineConfig, GuestOptions, Limits, ModuleSource, Profile};

const ROUNDS: usize = 11;
const CASTS: u32 = 50_000;
const CALLS: u32 = 10_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(measure()).await.unwrap() });
}

async fn measure() {
    let (native, _) = Actor::spawn(None, Counter, 0).await.unwrap();
    let guest = guest().await;
    let inbox = directory::inbox(guest.get_id()).unwrap();
    let mut figures: [Vec<Duration>; 5] = Default::default();
    for _ in 0..ROUNDS {
        let [native_cast, guest_cast, mailbox_cast, native_call, guest_call] = &mut figures;
        native_cast.push(casts(&native).await);
        guest_cast.push(casts(&guest).await);
        mailbox_cast.push(mailbox_casts(&*inbox, &guest).await);
        native_call.push(calls(&native).await);
        guest_call.push(calls(&guest).await);
    }
    let names = [
        "cast, native to native",
        "cast, native to guest",
        "cast, to guest through its mailbox",
        "call, native to native",
        "call, native to guest",
    ];
    println!("{:36} {:>10} {:>22}", "", "median", "range");
    for (name, mut rounds) in names.into_iter().zip(figures) {
        rounds.sort();
        let micros = |at: usize| rounds.get(at).map_or(0.0, |round| round.as_secs_f64() * 1e6);
        let range = format!("{:.2} .. {:.2}", micros(0), micros(ROUNDS - 1));
        println!("{name:36} {:7.2} µs {range:>19} µs", micros(ROUNDS / 2));
    }
}

async fn guest() -> ActorRef<CounterMsg> {
    let engine = Engine::new(EngineConfig::default()).unwrap();
    let folder =
        std::env::var_os("RACTOR_TEST_GUESTS").map_or_else(|| "target/wasm32-wasip2/guest".into(), PathBuf::from);
    let source = ModuleSource {
        name: "counter".to_owned(),
        path: folder.join("counter.wasm"),
        digest: None,
        source: None,
    };
    let module = engine.load(&source).await.unwrap();
    let (supervisor, _) = Actor::spawn(None, Supervisor, ()).await.unwrap();
    let options = GuestOptions {
        arguments: 0_u64.to_be_bytes().to_vec(),
        profile: std::sync::Arc::new(Profile {
            limits: std::sync::Arc::new(Limits {
                mailbox_messages: CASTS as usize + 1,
                ..Limits::default()
            }),
            ..Profile::default()
        }),
        ..GuestOptions::default()
    };
    let guest = ractor_host::guest::spawn(&module, options, supervisor.get_cell());
    guest.await.unwrap().cell.into()
}

async fn casts(actor: &ActorRef<CounterMsg>) -> Duration {
    let start = Instant::now();
    for _ in 0..CASTS {
        cast!(actor, CounterMsg::Add(1)).unwrap();
    }
    call!(actor, CounterMsg::Get).unwrap();
    start.elapsed() / CASTS
}

async fn mailbox_casts(inbox: &dyn Inbox, actor: &ActorRef<CounterMsg>) -> Duration {
    let start = Instant::now();
    for _ in 0..CASTS {
        let mut args = 8_u64.to_be_bytes().to_vec();
        args.extend(1_u64.to_be_bytes());
        inbox
            .put(SerializedMessage::Cast {
                variant: "Add".to_owned(),
                args,
                metadata: None,
            })
            .unwrap();
    }
    call!(actor, CounterMsg::Get).unwrap();
    start.elapsed() / CASTS
}

async fn calls(actor: &ActorRef<CounterMsg>) -> Duration {
    let start = Instant::now();
    for _ in 0..CALLS {
        call!(actor, CounterMsg::Get).unwrap();
    }
    start.elapsed() / CALLS
}
