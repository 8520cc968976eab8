//! Whom loads go to, and callers that have an entity each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bench_load::{Report, Target};
use ractor::concurrency::OneshotReceiver;
use ractor::rpc::CallResult;
use ractor::{ActorRef, concurrency};
use ractor_host::entities::{EntityRef, Location, located};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::ballast::BallastMsg;

/// The longest wait for a reply: longer than any move should take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The one that loads go to.
#[derive(Clone)]
pub(crate) enum Poked {
    Actor(ActorRef<BallastMsg>),
    Entity(EntityRef<BallastMsg>),
}

impl Target for Poked {
    fn cast(&self, _: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Actor(actor) => actor.cast(BallastMsg::Add)?,
            Self::Entity(entity) => entity.cast(BallastMsg::Add)?,
        }
        Ok(())
    }

    fn count(&self) -> anyhow::Result<OneshotReceiver<u64>> {
        let (port, count) = concurrency::oneshot();
        let message = BallastMsg::Count(port.into());
        match self {
            Self::Actor(actor) => actor.cast(message)?,
            Self::Entity(entity) => entity.cast(message)?,
        }
        Ok(count)
    }

    async fn echo(&self, _: &[u8], timeout: Option<Duration>) -> anyhow::Result<()> {
        match self {
            Self::Actor(actor) => match actor.call(BallastMsg::Poke, timeout).await? {
                CallResult::Success(()) => Ok(()),
                CallResult::Timeout => bail!("a call got no answer in time"),
                CallResult::SenderError => bail!("a call got no answer"),
            },
            Self::Entity(entity) => Ok(entity.call(BallastMsg::Poke, timeout).await?),
        }
    }
}

/// The entity of a type with this number.
pub(crate) fn entity(of: &str, number: u64) -> anyhow::Result<EntityRef<BallastMsg>> {
    Ok(EntityRef::new(of, format!("k{number}"))?)
}

/// The first ones of a type, this many.
pub(crate) fn entities(of: &str, count: u64) -> anyhow::Result<Vec<EntityRef<BallastMsg>>> {
    (0..count).map(|number| entity(of, number)).collect()
}

/// This many entities of a type that another node has.
///
/// # Errors
/// Others have none, or not enough.
pub(crate) fn elsewhere(of: &str, count: usize) -> anyhow::Result<Vec<EntityRef<BallastMsg>>> {
    let all = entities(of, 100_000)?.into_iter();
    let there = all.filter(|entity| matches!(located(entity.entity()), Some(Location::Node(_))));
    let found: Vec<_> = there.take(count).collect();
    if found.len() < count {
        bail!("other nodes have {} entities of {count}", found.len());
    }
    Ok(found)
}

/// One caller for each of these, which calls again when it has its answer.
///
/// # Errors
/// A call fails.
pub(crate) async fn call_all(entities: Vec<EntityRef<BallastMsg>>, duration: Duration) -> anyhow::Result<Report> {
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for entity in entities {
        callers.spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < duration {
                let asked = Instant::now();
                entity.call(BallastMsg::Poke, Some(PATIENCE)).await?;
                latencies.push(asked.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(caller) = callers.join_next().await {
        latencies.append(&mut caller??);
    }
    let report = Report {
        count: latencies.len() as u64,
        seconds: begun.elapsed().as_secs_f64(),
        ..Report::default()
    };
    Ok(report.with_latencies(latencies))
}

/// Callers of entities that move meanwhile: each calls its own again and again, and notes the longest that a reply took.
pub(crate) struct Watch {
    is_over: Arc<AtomicBool>,
    callers: JoinSet<anyhow::Result<(String, Duration)>>,
}

impl Watch {
    /// Begins with these.
    pub(crate) fn begin(entities: Vec<EntityRef<BallastMsg>>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for entity in entities {
            let is_over = is_over.clone();
            callers.spawn(async move {
                let mut longest = Duration::ZERO;
                while !is_over.load(Ordering::Relaxed) {
                    let asked = Instant::now();
                    let called = entity.call(BallastMsg::Poke, Some(PATIENCE)).await;
                    called.with_context(|| format!("{} while it moved", entity.entity()))?;
                    longest = longest.max(asked.elapsed());
                    // As many as this machine has room for beside what moves.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                anyhow::Ok((entity.entity().to_string(), longest))
            });
        }
        Self { is_over, callers }
    }

    /// Ends them, each with the call that it waits for: of each the longest wait, as percentiles.
    ///
    /// # Errors
    /// A call failed.
    pub(crate) async fn end(mut self) -> anyhow::Result<Value> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut longest = BTreeMap::new();
        while let Some(caller) = self.callers.join_next().await {
            let (entity, wait) = caller??;
            longest.insert(entity, wait);
        }
        let report = Report {
            count: longest.len() as u64,
            ..Report::default()
        };
        Ok(json!(report.with_latencies(longest.into_values().collect())))
    }
}
