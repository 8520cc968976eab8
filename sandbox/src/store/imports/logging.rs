//! `logging`: a guest's log events become events of the host's own log.
//!
//! A `tracing` target is fixed when the host is compiled, so every event has the target `guest` and the guest's own
//! target as the field `origin`.

use std::borrow::Cow;

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use crate::component::bindings::logging::{self, Level};
use crate::component::imports::Import;
use crate::directory::trace;
use crate::policy::text::tidy;
use crate::store::data::StoreData;
use crate::store::interface;

/// Emits one event at a level that is known only at run time.
macro_rules! at {
    ($level:ident, $event:expr) => {
        tracing::event!(
            target: "guest",
            tracing::Level::$level,
            actor = &*$event.actor,
            pid = $event.pid,
            origin = $event.origin,
            fields = $event.fields,
            "{}",
            $event.message
        )
    };
}

struct Event<'a> {
    actor: &'a str,
    pid: u64,
    origin: &'a str,
    /// None if there are none, so that the field is left out.
    fields: Option<&'a str>,
    message: &'a str,
}

/// The interface `logging`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/logging", RELEASE)] }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        logging::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl logging::Host for StoreData {
    fn log(
        &mut self,
        level: Level,
        target: String,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        self.context()?;
        // The level first: what nobody writes takes nothing of the rate.
        if !enabled(level) || !self.label.log.allows() {
            return Ok(());
        }
        let fields = join(&fields, self.limits.log_bytes);
        let event = Event {
            actor: &self.label.name,
            pid: self.label.pid,
            origin: &tidy(&target, self.limits.name_bytes),
            fields: fields.as_deref(),
            message: &tidy(&message, self.limits.log_bytes),
        };
        let emit = || match level {
            Level::Trace => at!(TRACE, event),
            Level::Debug => at!(DEBUG, event),
            Level::Info => at!(INFO, event),
            Level::Warn => at!(WARN, event),
            Level::Error => at!(ERROR, event),
        };
        match &self.span {
            None => emit(),
            Some(span) => trace::carrying(span.context().clone(), emit),
        }
        Ok(())
    }
}

fn enabled(level: Level) -> bool {
    match level {
        Level::Trace => tracing::enabled!(target: "guest", tracing::Level::TRACE),
        Level::Debug => tracing::enabled!(target: "guest", tracing::Level::DEBUG),
        Level::Info => tracing::enabled!(target: "guest", tracing::Level::INFO),
        Level::Warn => tracing::enabled!(target: "guest", tracing::Level::WARN),
        Level::Error => tracing::enabled!(target: "guest", tracing::Level::ERROR),
    }
}

/// `key=value key=value`, or none if there are no fields.
fn join(fields: &[(String, String)], limit: usize) -> Option<String> {
    if fields.is_empty() {
        return None;
    }
    let mut joined = String::new();
    for (key, value) in fields {
        // What comes behind the limit is cut off below, and isn't worth joining.
        if joined.len() > limit {
            break;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(key);
        joined.push('=');
        joined.push_str(value);
    }
    match tidy(&joined, limit) {
        Cow::Borrowed(_) => Some(joined),
        Cow::Owned(tidied) => Some(tidied),
    }
}
