//! `reminders`: messages of an entity to itself that outlive its activation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::accounting::telemetry;
use crate::component::bindings::reminders::{self, Reminder, ReminderError, When};
use crate::component::imports::Import;
use crate::entities::{self, Seat};
use crate::policy::limits::Limit;
use crate::store::data::StoreData;
use crate::store::interface;

/// The interface `reminders`. It needs no grant: an entity sends to itself alone.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/reminders", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        reminders::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl reminders::Host for StoreData {
    fn set(
        &mut self,
        id: String,
        first: When,
        period_ms: Option<u64>,
        variant: String,
        args: Vec<u8>,
    ) -> wasmtime::Result<Result<(), ReminderError>> {
        self.side_effect()?;
        if !self.fits(&variant, &args) {
            return Ok(Err(ReminderError::TooLarge));
        }
        let Some(seat) = self.seat()? else {
            return Ok(Err(ReminderError::NotKept));
        };
        let first = match first {
            When::At(ms) => entities::When::At(time(ms)),
            When::After(ms) => entities::When::After(Duration::from_millis(ms)),
        };
        let set = seat.set_reminder(id, first, period_ms.map(Duration::from_millis), (variant, args));
        Ok(set.map_err(|error| match error {
            entities::ReminderError::BadId => ReminderError::BadId,
            entities::ReminderError::TooMany(limit) => {
                telemetry::limit(&self.label, Limit::Reminders(limit));
                ReminderError::TooMany
            }
            entities::ReminderError::TooLarge(limit) => {
                telemetry::limit(&self.label, Limit::ReminderBytes(limit));
                ReminderError::TooLarge
            }
            _ => ReminderError::NotKept,
        }))
    }

    fn cancel(&mut self, id: String) -> wasmtime::Result<bool> {
        self.side_effect()?;
        Ok(self.seat()?.is_some_and(|seat| seat.cancel_reminder(&id)))
    }

    fn list(&mut self) -> wasmtime::Result<Vec<Reminder>> {
        let all = self.seat()?.map(|seat| seat.reminders()).unwrap_or_default();
        let reminder = |one: entities::Reminder| Reminder {
            id: one.id,
            due_ms: one.due.map(since_1970),
            period_ms: one.period.map(whole_millis),
            variant: one.variant,
            given_up_ms: one.given_up.map(since_1970),
        };
        Ok(all.into_iter().map(reminder).collect())
    }
}

impl StoreData {
    fn seat(&self) -> wasmtime::Result<Option<&Seat>> {
        Ok(self.context()?.seat.as_ref())
    }
}

/// What is too far away for the clock is as far away as reminders go.
fn time(ms: u64) -> SystemTime {
    let far = Duration::from_secs(u64::from(u32::MAX) * 100);
    let since = Duration::from_millis(ms).min(far);
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

fn since_1970(time: SystemTime) -> u64 {
    whole_millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
