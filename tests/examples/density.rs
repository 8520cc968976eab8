//! What an idle guest costs, and how fast guests start: `cargo run --release -p ractor-host-tests --example density --
//! 10000`, after `cargo xtask build-guests`.
//!
//! Options after the number: `shared` for copy-on-write images, `on-demand` for instances without a pool, `one-by-one` for
//! starts without parallelism. All figures are of this process alone, from /proc.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for a terminal")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench_guests::Supervisor;
use counter::CounterMsg;
use ractor::{Actor, ActorCell, ActorRef, call};
use ractor_host::guest::{Allocation, Crowd, Engine, EngineConfig, GuestOptions, Machine, Module, ModuleSource, spawn};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(measure()).await.unwrap() });
}

async fn measure() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let guests: u32 = arguments.first().map_or(1000, |number| number.parse().unwrap());
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    let config = EngineConfig {
        allocation: if has("on-demand") {
            Allocation::OnDemand
        } else {
            Allocation::Pool { guests: guests + 1 }
        },
        copy_on_write: has("shared"),
        ..EngineConfig::default()
    };
    let room = Machine::this().room(&config, &Crowd::ONE);
    println!("room for {} guests: {}", room.guests, room.bound);
    let start = Instant::now();
    let engine = Engine::new(config).unwrap();
    println!("engine set up in {:.1?}", start.elapsed());
    let module = counter(&engine).await;
    let (supervisor, _) = Actor::spawn(None, Supervisor, ()).await.unwrap();
    let supervisor = supervisor.get_cell();
    // What the first one brings along is not the others'.
    let mut all = start_guests(&module, &supervisor, 1).await;
    let before = Usage::of_this_process();

    let start = Instant::now();
    if has("one-by-one") {
        all.extend(start_guests(&module, &supervisor, guests).await);
    } else {
        let tasks = std::thread::available_parallelism().map_or(1, usize::from) as u32;
        let task = |number: u32| {
            let (module, supervisor) = (module.clone(), supervisor.clone());
            let share = guests / tasks + u32::from(number < guests % tasks);
            tokio::spawn(async move { start_guests(&module, &supervisor, share).await })
        };
        for started in (0..tasks).map(task).collect::<Vec<_>>() {
            all.extend(started.await.unwrap());
        }
    }
    let took = start.elapsed();
    let each = took.as_secs_f64() / f64::from(guests);
    println!(
        "{guests} guests started in {took:.2?}: {:.1} µs each, {:.0} per second",
        each * 1e6,
        1.0 / each
    );

    tokio::time::sleep(Duration::from_secs(1)).await;
    Usage::of_this_process().since(before).each("idle", guests);
    for guest in &all {
        let guest: ActorRef<CounterMsg> = guest.clone().into();
        guest.cast(CounterMsg::Add(1)).unwrap();
        assert_eq!(call!(guest, CounterMsg::Get).unwrap(), 1);
    }
    Usage::of_this_process()
        .since(before)
        .each("idle, after a cast and a call", guests);
    let start = Instant::now();
    for guest in &all {
        guest.stop(None);
    }
    for guest in all {
        guest.wait(None).await.unwrap();
    }
    println!("stopped in {:.2?}", start.elapsed());
    tokio::time::sleep(Duration::from_secs(1)).await;
    Usage::of_this_process().since(before).each("after their end", guests);
}

async fn counter(engine: &Engine) -> Module {
    let folder =
        std::env::var_os("RACTOR_TEST_GUESTS").map_or_else(|| "target/wasm32-wasip2/guest".into(), PathBuf::from);
    let source = ModuleSource {
        name: "counter".to_owned(),
        path: folder.join("counter.wasm"),
        digest: None,
        source: None,
    };
    engine.load(&source).await.unwrap()
}

async fn start_guests(module: &Module, supervisor: &ActorCell, guests: u32) -> Vec<ActorCell> {
    let profile = Arc::default();
    let mut cells = Vec::new();
    for _ in 0..guests {
        let options = GuestOptions {
            arguments: 0_u64.to_be_bytes().to_vec(),
            profile: Arc::clone(&profile),
            ..GuestOptions::default()
        };
        cells.push(spawn(module, options, supervisor.clone()).await.unwrap().cell);
    }
    cells
}

/// What a process takes of the machine.
#[derive(Clone, Copy)]
struct Usage {
    pss: f64,
    rss: f64,
    mappings: f64,
}

impl Usage {
    fn of_this_process() -> Self {
        let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        let kib = |key: &str| {
            let line = rollup.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.trim_end_matches("kB").trim().parse::<f64>().unwrap()
        };
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        Self {
            pss: kib("Pss:"),
            rss: kib("Rss:"),
            mappings: maps.lines().count() as f64,
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            pss: self.pss - before.pss,
            rss: self.rss - before.rss,
            mappings: self.mappings - before.mappings,
        }
    }

    fn each(self, what: &str, guests: u32) {
        let guests = f64::from(guests);
        println!(
            "{what:30} {:6.1} KiB PSS, {:6.1} KiB RSS, {:4.2} mappings a guest",
            self.pss / guests,
            self.rss / guests,
            self.mappings / guests
        );
    }
}
