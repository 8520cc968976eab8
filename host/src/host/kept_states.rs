//! The kept states of actors, as operators see them and go back to them.

use super::service::NodeService;
use super::show::since_1970;
use crate::control::{CheckpointRow, WentBack};
use crate::guest::KeptState;

impl NodeService {
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
        let went_back = guest
            .go_back(number)
            .await
            .map_err(|error| format!("{target} does not go back: {error}"))?;
        Ok(WentBack {
            actor: guest.name().unwrap_or_else(|| target.to_owned()),
            to: row(&went_back.to),
            kept: went_back.kept,
        })
    }
}

pub(super) fn row(kept: &KeptState) -> CheckpointRow {
    CheckpointRow {
        number: kept.number,
        taken_ms: since_1970(kept.taken),
        bytes: kept.bytes as u64,
        state_version: kept.state_version,
        module: kept.module.clone(),
        digest: kept.digest.to_string(),
    }
}
