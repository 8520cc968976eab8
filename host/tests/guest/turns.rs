//! Guests that never rest, and what others notice of them: counted in turns of guests, not in time.

use std::future::Future;
use std::time::Duration;

use ractor_host::guest::{Engine, EngineConfig, Module};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};

use crate::support::{Native, Running, SCRIPT, ask, component, engine_config, load, options, start_module};

/// Families that never rest.
const SPINNERS: usize = 30;

/// The number of times that the turns that pass are counted. The scheduler of the system may stop a thread of the runtime at any moment, so it is
/// the median that counts.
const ROUNDS: usize = 21;

fn two_threads() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn one_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn the_calling_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Many families that never rest.
struct Swarm {
    engine: Engine,
    module: Module,
    spinners: Vec<Running>,
}

impl Swarm {
    async fn start() -> Self {
        let config = EngineConfig {
            epoch_tick: Duration::from_millis(5),
            ..engine_config()
        };
        let engine = Engine::new(config).unwrap();
        let module = load(&engine, &component(SCRIPT, "", "")).await.unwrap();
        let mut spinners = Vec::new();
        for _ in 0..SPINNERS {
            spinners.push(start_module(&module, options()).await.unwrap());
        }
        Self {
            engine,
            module,
            spinners,
        }
    }

    /// Returns when every spinner has had turns.
    async fn spin(&self) {
        for spinner in &self.spinners {
            spinner.cast("work", b"");
        }
        while self.engine.turns().cut < 3 * SPINNERS as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Turns of guests that pass while this is done again and again: a quarter of the rounds have no more. What else runs on the machine
    /// takes time from turns and so makes more of them, but not in every round.
    async fn turns_during<F: Future<Output = ()>>(&self, what: impl Fn() -> F) -> u64 {
        let mut passed = Vec::new();
        for _ in 0..ROUNDS {
            let before = self.engine.turns().given;
            what().await;
            passed.push(self.engine.turns().given - before);
        }
        passed.sort_unstable();
        passed[ROUNDS / 4]
    }

    /// The swarm ends, so that the runtime can.
    fn end(self) {
        for spinner in &self.spinners {
            spinner.cell.kill();
        }
    }
}

/// Runs a test as a task of the runtime, as everything of a node is.
fn on(runtime: &Runtime, test: impl Future<Output = ()> + Send + 'static) {
    runtime.block_on(async { tokio::spawn(test).await.unwrap() });
}

/// A guest, a native actor and somebody behind a socket are asked, each while many guests spin.
async fn nobody_waits_long() {
    let swarm = Swarm::start().await;
    let guest = start_module(&swarm.module, options()).await.unwrap();
    let native = Native::start(None).await;
    let (here, mut there) = UnixStream::pair().unwrap();
    let echo = tokio::spawn(async move {
        let mut byte = [0];
        while there.read_exact(&mut byte).await.is_ok() {
            there.write_all(&byte).await.unwrap();
        }
    });
    let here = tokio::sync::Mutex::new(here);
    swarm.spin().await;
    let of_guest = swarm
        .turns_during(|| async { assert_eq!(guest.call("echo", b"x").await.as_deref(), Some(&b"x"[..])) })
        .await;
    let of_native = swarm
        .turns_during(|| async { assert!(ask(&native.cell, "", b"x", None).await.is_ok()) })
        .await;
    let of_socket = swarm
        .turns_during(|| async {
            let mut here = here.lock().await;
            here.write_all(b"x").await.unwrap();
            here.read_exact(&mut [0]).await.unwrap();
        })
        .await;
    echo.abort();
    swarm.end();
    let waited = (of_guest, of_native, of_socket);
    // The guest's own turn is counted, and the one that begins when that ends. A byte on a socket is seen twice, at either end.
    assert!(of_guest <= 3 && of_native <= 2 && of_socket <= 3, "{waited:?}");
}

#[test]
fn on_two_threads_nobody_waits_for_more_than_a_turn_of_guests_that_spin() {
    on(&two_threads(), nobody_waits_long());
}

#[test]
fn on_one_thread_nobody_waits_for_more_than_a_turn_of_guests_that_spin() {
    on(&one_thread(), nobody_waits_long());
}

#[test]
fn on_the_calling_thread_nobody_waits_for_more_than_a_turn_of_guests_that_spin() {
    on(&the_calling_thread(), nobody_waits_long());
}

#[test]
fn guests_that_are_killed_while_they_wait_for_a_turn_leave_none_behind() {
    on(&two_threads(), async {
        let swarm = Swarm::start().await;
        let guest = start_module(&swarm.module, options()).await.unwrap();
        swarm.spin().await;
        let Swarm { engine, spinners, .. } = swarm;
        for spinner in spinners {
            spinner.cell.kill();
            spinner.guest.ended.await.unwrap();
        }
        assert!(guest.call("echo", b"x").await.is_some());
        // Nobody needs a turn any more: the node is calm, and stays it.
        loop {
            let before = engine.turns();
            for _ in 0..10 {
                assert!(guest.call("echo", b"x").await.is_some());
            }
            if engine.turns() == before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}
