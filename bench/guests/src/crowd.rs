//! Many guests of one module: how long they take to start, what they hold while they wait, and how long they pause for
//! other code.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench_guests::Supervisor;
use bench_guests::ballast::{Ballast, percentile};
use bench_load::proportional_kib;
use ractor::{Actor, ActorCell};
use ractor_host::guest::{
    Allocation, Engine, EngineConfig, Grants, GuestOptions, Limits, Module, ModuleSource, Profile, spawn,
};
use serde_json::{Value, json};
use tokio::time::sleep;

/// The most guests that this process may have.
const GUESTS: u32 = 5_000;
/// The longest time for the memory of started guests to settle.
const SETTLE: Duration = Duration::from_millis(500);

/// Reloads `guests`, each with a state of this many bytes, this many times, and this many at once: how long each of them handled
/// nothing, and how long it took for all of them.
pub(crate) async fn reloads(guests: u32, bytes: u32, times: u32, at_once: usize) -> anyhow::Result<Value> {
    let mut guests = Ballast::start(guests, bytes).await?;
    let mut pauses = Vec::new();
    let mut all = Vec::new();
    for _ in 0..times {
        let begun = Instant::now();
        pauses.extend(guests.reload(Some(at_once)).await?);
        all.push(begun.elapsed());
    }
    guests.stop().await?;
    let [p50, p99] = [50, 99].map(|percent| percentile(&mut pauses, percent).as_secs_f64() * 1e6);
    let seconds = percentile(&mut all, 50).as_secs_f64();
    Ok(json!({ "p50_us": p50, "p99_us": p99, "seconds": seconds }))
}

/// The engine of the counters.
///
/// # Errors
/// It can't have as many guests on this machine.
pub(crate) fn engine() -> anyhow::Result<Engine> {
    Ok(Engine::new(EngineConfig {
        allocation: Allocation::Pool { guests: GUESTS },
        ..EngineConfig::default()
    })?)
}

/// An actor as a module, and who hears of its guests.
pub(crate) struct Guests {
    module: Module,
    supervisor: ActorCell,
    arguments: Vec<u8>,
    profile: Arc<Profile>,
}

impl Guests {
    /// Compiles the component of a counter, which starts at 0.
    pub(crate) async fn counters(engine: &Engine, component: PathBuf) -> anyhow::Result<Self> {
        let limits = Limits::default();
        Self::load(engine, component, 0_u64.to_be_bytes().to_vec(), limits).await
    }

    /// Compiles a component whose guests have these start arguments and limits.
    pub(crate) async fn load(
        engine: &Engine,
        component: PathBuf,
        arguments: Vec<u8>,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        let source = ModuleSource {
            name: "guest".to_owned(),
            path: component,
            digest: None,
        };
        let (supervisor, _) = Actor::spawn(None, Supervisor, ()).await?;
        Ok(Self {
            module: engine.load(&source).await?,
            supervisor: supervisor.get_cell(),
            arguments,
            profile: Arc::new(Profile {
                // Those that relay send to others.
                grants: Arc::new(Grants::of_actors()),
                limits: Arc::new(limits),
                ..Profile::default()
            }),
        })
    }

    /// Starts one.
    pub(crate) async fn start(&self) -> anyhow::Result<ActorCell> {
        let options = GuestOptions {
            arguments: self.arguments.clone(),
            profile: self.profile.clone(),
            ..GuestOptions::default()
        };
        Ok(spawn(&self.module, options, self.supervisor.clone()).await?.cell)
    }

    /// Starts many, one after the other, and stops them again.
    pub(crate) async fn crowd(&self, guests: u32) -> anyhow::Result<Value> {
        // What the first of a module brings along is not the others'.
        let mut all = vec![self.start().await?];
        sleep(SETTLE).await;
        let before = proportional_kib();
        let started = Instant::now();
        for _ in 0..guests {
            all.push(self.start().await?);
        }
        let seconds = started.elapsed().as_secs_f64();
        sleep(SETTLE).await;
        let after = proportional_kib();
        for guest in &all {
            guest.stop(None);
        }
        for guest in all {
            guest.wait(None).await?;
        }
        Ok(json!({
            "count": guests,
            "seconds": seconds,
            "kib": before.zip(after).map(|(before, after)| after.saturating_sub(before)),
        }))
    }
}
