//! Counters in several languages in one process, as `ractor-host new` makes them, and kitchens that give long lists back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ractor::{ActorCell, ActorRef, RpcReplyPort, call_t};
use ractor_host::RactorClusterMessage;
use ractor_host::guest::{Allocation, Engine, EngineConfig, Limits};
use serde_json::{Value, json};

use crate::crowd::Guests;

/// The memory of a guest that is given a long list: it has the list several times, once as objects of its language.
const MEMORY: usize = 512 << 20;
/// The longest wait for a list, in milliseconds.
const PATIENCE_MS: u64 = 60_000;

/// The counters, by the names of their languages.
#[derive(Default)]
pub(crate) struct Languages(BTreeMap<String, Language>);

struct Language {
    guests: Guests,
    counter: ActorCell,
}

impl Languages {
    /// Loads the counter of a language, and starts one.
    pub(crate) async fn start(&mut self, engine: &Engine, name: &str, component: &str) -> anyhow::Result<()> {
        let guests = Guests::counters(engine, PathBuf::from(component)).await?;
        let counter = guests.start().await?;
        self.0.insert(name.to_owned(), Language { guests, counter });
        Ok(())
    }

    /// The one that was started.
    pub(crate) fn counter(&self, name: &str) -> anyhow::Result<ActorCell> {
        Ok(self.language(name)?.counter.clone())
    }

    /// From which others are started.
    pub(crate) fn of(&self, name: &str) -> anyhow::Result<&Guests> {
        Ok(&self.language(name)?.guests)
    }

    fn language(&self, name: &str) -> anyhow::Result<&Language> {
        self.0
            .get(name)
            .with_context(|| format!("no counter in {name} was loaded"))
    }
}

/// What of a kitchen is used here.
#[derive(RactorClusterMessage)]
enum KitchenMsg {
    /// Gives the list back.
    #[rpc]
    EchoListU64(Vec<u64>, RpcReplyPort<Vec<u64>>),
}

/// Has a kitchen give a list of this many numbers back, several times: the least time that it took, with both conversions on this side.
pub(crate) async fn lists(elements: u64, times: u64, component: &str) -> anyhow::Result<Value> {
    let engine = Engine::new(EngineConfig {
        allocation: Allocation::Pool { guests: 2 },
        memory_reservation: MEMORY as u64,
        ..EngineConfig::default()
    })?;
    let limits = Limits {
        memory_bytes: MEMORY,
        ..Limits::default()
    };
    let kitchens = Guests::load(&engine, PathBuf::from(component), Vec::new(), limits).await?;
    let kitchen: ActorRef<KitchenMsg> = kitchens.start().await?.into();
    let list: Vec<u64> = (0..elements).collect();
    let mut least = Duration::MAX;
    for _ in 0..times {
        let sent = list.clone();
        let begun = Instant::now();
        let came = call_t!(kitchen, KitchenMsg::EchoListU64, PATIENCE_MS, sent)
            .context("a kitchen doesn't give a list back")?;
        least = least.min(begun.elapsed());
        ensure!(came == list, "a kitchen gives another list back");
    }
    kitchen.stop(None);
    kitchen.wait(None).await?;
    Ok(json!({ "seconds": least.as_secs_f64() }))
}
