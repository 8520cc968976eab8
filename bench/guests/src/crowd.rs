//! Many guests of one module: how long they take to start, and what they hold while they wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bench_load::resident_kib;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use ractor_host::guest::{Allocation, Engine, EngineConfig, GuestOptions, Module, ModuleSource, spawn};
use serde_json::{Value, json};
use tokio::time::sleep;

/// The most guests that this process may have.
const GUESTS: u32 = 5_000;
/// How long the memory of started guests may take to settle.
const SETTLE: Duration = Duration::from_millis(500);

/// Hears of the guests, and does nothing.
struct Supervisor;

impl Actor for Supervisor {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        _: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// The counter as a module, and who hears of its guests.
pub(crate) struct Guests {
    module: Module,
    supervisor: ActorCell,
}

impl Guests {
    /// Compiles the component.
    pub(crate) async fn load(component: std::path::PathBuf) -> anyhow::Result<Self> {
        let engine = Engine::new(EngineConfig {
            allocation: Allocation::Pool { guests: GUESTS },
            ..EngineConfig::default()
        })?;
        let source = ModuleSource {
            name: "counter".to_owned(),
            path: component,
            digest: None,
        };
        let (supervisor, _) = Actor::spawn(None, Supervisor, ()).await?;
        Ok(Self {
            module: engine.load(&source).await?,
            supervisor: supervisor.get_cell(),
        })
    }

    /// Starts one.
    pub(crate) async fn start(&self) -> anyhow::Result<ActorCell> {
        let options = GuestOptions {
            arguments: 0_u64.to_be_bytes().to_vec(),
            profile: Arc::default(),
            ..GuestOptions::default()
        };
        Ok(spawn(&self.module, options, self.supervisor.clone()).await?.cell)
    }

    /// Starts many, one after the other, and stops them again.
    pub(crate) async fn crowd(&self, guests: u32) -> anyhow::Result<Value> {
        // What the first of a module brings along is not the others'.
        let mut all = vec![self.start().await?];
        sleep(SETTLE).await;
        let before = resident_kib();
        let started = Instant::now();
        for _ in 0..guests {
            all.push(self.start().await?);
        }
        let seconds = started.elapsed().as_secs_f64();
        sleep(SETTLE).await;
        let after = resident_kib();
        for guest in &all {
            guest.stop(None);
        }
        for guest in all {
            guest.wait(None).await?;
        }
        Ok(json!({
            "count": guests,
            "seconds": seconds,
            "resident_kib": before.zip(after).map(|(before, after)| after.saturating_sub(before)),
        }))
    }
}
