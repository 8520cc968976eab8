//! The kept states of actors, as operators see them and go back to them.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::service::NodeService;
use super::show::since_1970;
use crate::control::{CheckpointRow, WentBack};
use crate::guest::KeptState;

/// The time for which the list of an actor's states is taken for what it is, where somebody looks again and again: making it reads them all.
const FRESH: Duration = Duration::from_secs(10);

/// The most actors whose lists are remembered.
const REMEMBERED: usize = 100;

/// Lists of kept states that were made lately, by the names of their actors.
#[derive(Default)]
pub(super) struct ListedStates(Mutex<HashMap<String, (Instant, Vec<CheckpointRow>)>>);

impl NodeService {
    /// The states of an actor that are kept, perhaps as they were some seconds ago. Empty if they can't be read.
    pub(super) async fn states_lately(&self, actor: &str) -> Vec<CheckpointRow> {
        let Some(writer) = &self.writer else {
            return Vec::new();
        };
        if let Some((at, rows)) = self.listed.0.lock().get(actor)
            && at.elapsed() < FRESH
        {
            return rows.clone();
        }
        let kept = writer.list(actor).await.unwrap_or_default();
        let rows: Vec<CheckpointRow> = kept.iter().map(row).collect();
        let mut listed = self.listed.0.lock();
        if listed.len() >= REMEMBERED {
            listed.clear();
        }
        listed.insert(actor.to_owned(), (Instant::now(), rows.clone()));
        rows
    }

    /// The states of an actor that are kept, the newest first.
    ///
    /// # Errors
    /// There is no such actor, or the store can't be read.
    pub(super) async fn kept_states(&self, target: &str) -> Result<Vec<CheckpointRow>, String> {
        let Some(writer) = &self.writer else {
            return Err(format!(
                "{} keeps no states: none of its actors has `checkpoint` in node.toml",
                self.node
            ));
        };
        // Of an actor that is down, there may be states, too.
        let name = match self.actor(target) {
            Ok((cell, _)) => cell
                .get_name()
                .ok_or_else(|| "an actor without a name has no checkpoints".to_owned())?,
            Err(_) if self.steering.find(target).is_some() => target.to_owned(),
            Err(unknown) => return Err(unknown),
        };
        let kept = writer.list(&name).await.map_err(|error| error.to_string())?;
        Ok(kept.iter().map(row).collect())
    }

    /// Has an actor go back.
    ///
    /// # Errors
    /// It does not, and goes on as it is.
    pub(super) async fn return_to(&self, target: &str, number: Option<u64>) -> Result<WentBack, String> {
        let (_, guest) = self.actor(target)?;
        let guest = guest.ok_or_else(|| format!("{target} is native, and has no checkpoints"))?;
        let actor = guest.name().unwrap_or_else(|| target.to_owned());
        let went_back = guest
            .go_back(number)
            .await
            .map_err(|error| format!("{target} does not go back: {error}"))?;
        // Whoever looks next sees what it knew until now among its states.
        self.listed.0.lock().remove(&*actor);
        Ok(WentBack {
            actor,
            to: row(&went_back.to),
            kept: went_back.kept,
        })
    }
}

fn row(kept: &KeptState) -> CheckpointRow {
    CheckpointRow {
        number: kept.number,
        taken_ms: since_1970(kept.taken),
        bytes: kept.bytes as u64,
        state_version: kept.state_version,
        module: kept.module.clone(),
        digest: kept.digest.to_string(),
    }
}
