//! What it takes until an entity that isn't active has answered, beside what that is made of: the start of a guest, and one read of the store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bench_guests::Supervisor;
use bench_load::Report;
use ractor::{Actor, ActorRef};
use ractor_host::entities::{EntityRef, active, passivate};
use ractor_host::guest::{Grants, GuestOptions, Module, Profile, spawn};
use serde_json::{Value, json};

use crate::ballast::BallastMsg;
use crate::bare::Bare;
use crate::callers::{PATIENCE, entities};
use crate::settings::{STATE, types};

/// Measures the three this many times, in turns, and gives the medians in microseconds.
///
/// # Errors
/// An entity doesn't answer, or a guest doesn't start.
pub(crate) async fn measure(count: u64, module: &Module, bare: &Bare) -> anyhow::Result<Value> {
    let entities = entities(types::GUEST, count)?;
    for (number, entity) in (0..).zip(&entities) {
        entity.call(BallastMsg::Poke, Some(PATIENCE)).await?;
        bare.write(number, 1).await?;
    }
    passivate_all(&entities).await?;
    let (supervisor, _) = Actor::spawn(None, Supervisor, ()).await?;
    let profile = Arc::new(Profile {
        grants: Arc::new(Grants::of_actors()),
        ..Profile::default()
    });
    let (mut activations, mut starts, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for (number, entity) in (0..).zip(&entities) {
        let begun = Instant::now();
        entity.call(BallastMsg::Poke, Some(PATIENCE)).await?;
        activations.push(begun.elapsed());
        let begun = Instant::now();
        bare.read(number).await?;
        reads.push(begun.elapsed());
        let options = GuestOptions {
            arguments: STATE.to_le_bytes().to_vec(),
            profile: profile.clone(),
            ..GuestOptions::default()
        };
        let begun = Instant::now();
        let guest = spawn(module, options, supervisor.get_cell()).await?.cell;
        let actor = ActorRef::<BallastMsg>::from(guest.clone());
        let called = actor.call(BallastMsg::Poke, None).await?;
        called.success_or(()).ok().context("a guest doesn't answer")?;
        starts.push(begun.elapsed());
        guest.stop_and_wait(None, None).await?;
    }
    passivate_all(&entities).await?;
    let [activation, start, read] =
        [activations, starts, reads].map(|took| Report::default().with_latencies(took).p50_us);
    Ok(json!({ "activation_us": activation, "start_us": start, "read_us": read }))
}

/// Ends them all, with their states written.
///
/// # Errors
/// One doesn't end.
pub(crate) async fn passivate_all(entities: &[EntityRef<BallastMsg>]) -> anyhow::Result<()> {
    for entity in entities {
        let begun = Instant::now();
        passivate(entity.entity());
        while active(entity.entity()).is_some() {
            anyhow::ensure!(begun.elapsed() < PATIENCE, "{} doesn't end", entity.entity());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    Ok(())
}
