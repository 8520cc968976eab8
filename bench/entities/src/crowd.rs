//! Very many keys, of which few are active at a time.

use std::time::{Duration, Instant};

use anyhow::ensure;
use bench_load::proportional_kib;
use ractor_host::entities::active_actors;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::ballast::BallastMsg;
use crate::callers::{PATIENCE, entity};
use crate::settings::types;

/// The calls that are under way at a time.
const AT_ONCE: u64 = 256;
/// The number of entities that the node keeps active by its default, and a few more.
const ACTIVE: usize = 10_500;
/// The part of the keys, as a divisor, after which memory is first looked at: by then every table and cache has its size.
const WARM: u64 = 5;

/// Calls the entities of this many keys, one after the other. Gives what the node's memory grew by for each, from when a fifth of them had
/// been called.
///
/// # Errors
/// One doesn't answer.
pub(crate) async fn touch(keys: u64) -> anyhow::Result<Value> {
    let begun = Instant::now();
    call(0, keys / WARM).await?;
    let before = settled().await?;
    call(keys / WARM, keys).await?;
    let after = settled().await?;
    let kib = before.zip(after).map(|(before, after)| after.saturating_sub(before));
    Ok(
        json!({ "count": keys - keys / WARM, "kib": kib, "active": active_actors().len(), "seconds": begun.elapsed().as_secs_f64() }),
    )
}

async fn call(first: u64, last: u64) -> anyhow::Result<()> {
    let mut callers = JoinSet::new();
    for caller in 0..AT_ONCE {
        callers.spawn(async move {
            for number in (first..last).filter(|number| number % AT_ONCE == caller) {
                let entity = entity(types::DURABLE, number)?;
                entity.call(BallastMsg::Poke, Some(PATIENCE)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    Ok(())
}

/// The memory of the process, once no more are active than are to be.
async fn settled() -> anyhow::Result<Option<u64>> {
    let begun = Instant::now();
    while active_actors().len() > ACTIVE {
        ensure!(
            begun.elapsed() < PATIENCE,
            "{} entities stay active",
            active_actors().len()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What was freed goes back to the system.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(proportional_kib())
}
