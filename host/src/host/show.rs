//! Everything of one actor.

use std::time::{SystemTime, UNIX_EPOCH};

use ractor::ActorCell;

use super::actors;
use super::lately::{microseconds, milliseconds};
use super::service::NodeService;
use super::steering::is_of;
use crate::config::did_you_mean;
use crate::control::{
    ActorDetail, ActorFigures, ActorKind, ActorRow, FailureDetail, LimitFigure, ReloadDetail, ReminderRow,
};
use crate::directory;
use crate::entities::{self, Entity, Location};
use crate::guest::{GuestRef, Limits};

impl NodeService {
    /// The actor of this name, or with the pid of `pid:N`.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn detail(&self, target: &str) -> Result<ActorDetail, String> {
        let entity = target.parse::<Entity>().ok();
        let reminders = match &entity {
            Some(entity) => self.entities.reminders(entity).await?,
            None => Vec::new(),
        };
        let (cell, guest) = match (self.actor(target), &entity) {
            (Ok(found), _) => found,
            (Err(_), Some(entity)) if entities::is_reached(&entity.entity_type) => {
                if let Some(Location::Node(node)) = entities::located(entity) {
                    return Err(is_of(entity, &node));
                }
                return Ok(not_active(entity, self.entities.kind(&entity.entity_type), reminders));
            }
            (Err(error), _) => return Err(error),
        };
        let modules = self.modules.clone();
        let looked = tokio::task::spawn_blocking(move || modules.look_at_memory()).await;
        looked.map_err(|error| error.to_string())?;
        let mut row = actors::one(&cell, guest.as_ref());
        if let Some(figures) = &mut row.figures {
            self.lately.of_guests(std::iter::once((row.pid, figures)));
        }
        let contract = match &guest {
            Some(guest) => guest.module().contract().await,
            None => None,
        };
        let mut below = cell.get_children();
        below.sort_by_key(|child| child.get_id().pid());
        let children: Vec<u64> = below.iter().map(|child| child.get_id().pid()).collect();
        let checkpoints = match (&row.name, &guest) {
            (Some(name), Some(_)) => self.states_lately(name).await,
            _ => Vec::new(),
        };
        let limits = guest.as_ref().zip(row.figures).map(|(guest, figures)| {
            let waiting = row.waiting.unwrap_or_default();
            limits(&guest.profile().limits, &figures, waiting, children.len())
        });
        let granted = guest.as_ref().map(|guest| guest.profile().grants.in_words());
        let granted = granted.unwrap_or_default().into_iter();
        Ok(ActorDetail {
            version: contract.map(|contract| contract.version.clone()),
            limits: limits.unwrap_or_default(),
            grants: granted
                .map(|granted| format!("{} {}", granted.verb, granted.objects.join(", ")))
                .collect(),
            last_failure: guest.as_ref().and_then(last_failure),
            reloads: guest.as_ref().map(reloads).unwrap_or_default(),
            child_names: below.iter().map(ActorCell::get_name).collect(),
            supervisor_name: cell.try_get_supervisor().and_then(|above| above.get_name()),
            checkpoints,
            children,
            reminders,
            row,
        })
    }

    pub(super) fn actor(&self, target: &str) -> Result<(ActorCell, Option<GuestRef>), String> {
        let mut guests = self.modules.all_guests().into_iter();
        if let Some(pid) = target.strip_prefix("pid:").and_then(|pid| pid.parse::<u64>().ok()) {
            if let Some(guest) = guests.find(|guest| guest.pid() == pid) {
                return Ok((guest.cell().clone(), Some(guest)));
            }
            let natives = ractor::registry::get_all_pids();
            let native = natives.into_iter().find(|cell| cell.get_id().pid() == pid);
            return native
                .map(|cell| (cell, None))
                .ok_or_else(|| format!("there is no actor with the pid {pid}; `ps` lists those that there are"));
        }
        let Some(cell) = directory::where_is(target) else {
            return Err(self.unknown(target));
        };
        let guest = guests.find(|guest| guest.pid() == cell.get_id().pid());
        Ok((cell, guest))
    }

    fn unknown(&self, target: &str) -> String {
        let known: Vec<String> = actors::all(&self.modules)
            .into_iter()
            .filter_map(|row| row.name)
            .collect();
        match did_you_mean(target, known.iter().map(String::as_str)) {
            Some(question) => format!("there is no actor {target:?}; {question}"),
            None => format!("there is no actor {target:?}; `ps` lists those that there are"),
        }
    }
}

/// All that there is of an entity that isn't active.
fn not_active(entity: &Entity, kind: ActorKind, reminders: Vec<ReminderRow>) -> ActorDetail {
    ActorDetail {
        row: ActorRow {
            pid: 0,
            name: Some(entity.to_string()),
            kind,
            module: None,
            groups: Vec::new(),
            waiting: None,
            supervisor: None,
            figures: None,
        },
        version: None,
        limits: Vec::new(),
        grants: Vec::new(),
        children: Vec::new(),
        last_failure: None,
        reloads: Vec::new(),
        child_names: Vec::new(),
        supervisor_name: None,
        checkpoints: Vec::new(),
        reminders,
    }
}

/// How full the limits on an actor are of whose use something is known.
fn limits(limits: &Limits, figures: &ActorFigures, waiting: usize, children: usize) -> Vec<LimitFigure> {
    let rows = [
        ("memory_bytes", figures.memory_bytes, limits.memory_bytes),
        ("mailbox_messages", waiting as u64, limits.mailbox_messages),
        ("mailbox_bytes", figures.waiting_bytes, limits.mailbox_bytes),
        ("timers", figures.timers, limits.timers),
        ("monitors", figures.monitors, limits.monitors),
        ("asks", figures.asks, limits.asks),
        ("deferred_replies", figures.open_calls, limits.deferred_replies),
        ("children", children as u64, limits.children),
    ];
    rows.into_iter()
        .map(|(key, used, limit)| LimitFigure {
            key: key.to_owned(),
            used,
            limit: limit as u64,
        })
        .collect()
}

fn last_failure(guest: &GuestRef) -> Option<FailureDetail> {
    let failure = guest.last_failure()?;
    Some(FailureDetail {
        at_ms: since_1970(failure.at),
        during: failure.during,
        reason: failure.reason,
        backtrace: failure.backtrace,
    })
}

fn reloads(guest: &GuestRef) -> Vec<ReloadDetail> {
    let reloads = guest.reloads().into_iter();
    reloads
        .map(|reload| ReloadDetail {
            at_ms: since_1970(reload.at),
            from: reload.from.to_string(),
            to: reload.to.to_string(),
            pause_us: microseconds(reload.pause),
            failed: reload.failed,
        })
        .collect()
}

/// In milliseconds.
pub(super) fn since_1970(at: SystemTime) -> u64 {
    milliseconds(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}
