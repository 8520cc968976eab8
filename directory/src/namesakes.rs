//! Names of native actors that `ractor`'s registry is about to lose, or has lost.
//!
//! When an actor ends, `ractor` takes its name off the registry, even if another actor holds it there. A stand-in bears the name of
//! its remote actor without being registered, so its end can take away the name of a local actor that was started later. `ractor`
//! has no way to put an actor back (docs/proposals/ractor-unregister.md), so such actors are noted here as soon as they start, and
//! [`where_is`](super::where_is) finds them.

use std::collections::HashMap;
use std::sync::LazyLock;

use parking_lot::RwLock;
use ractor::registry::where_is as where_is_native;
use ractor::{ActorCell, ActorStatus};

static NAMESAKES: LazyLock<RwLock<HashMap<String, Namesake>>> = LazyLock::new(RwLock::default);

/// A native actor whose name is borne by something of this process that `ractor` doesn't register.
struct Namesake {
    cell: ActorCell,
    /// [`take_lost`] has given it.
    is_reported: bool,
}

/// Notes a native actor that the registry may lose. It is forgotten after it has ended.
pub fn note(cell: &ActorCell) {
    let Some(name) = cell.get_name() else { return };
    let mut namesakes = NAMESAKES.write();
    // The table has at most one entry for each living native actor of the process.
    namesakes.retain(|_, namesake| is_alive(&namesake.cell));
    // An actor that is noted keeps its mark, or its loss would be reported twice.
    if namesakes.get(&name).is_none_or(|noted| noted.cell != *cell) {
        let namesake = Namesake {
            cell: cell.clone(),
            is_reported: false,
        };
        namesakes.insert(name, namesake);
    }
}

/// Notes the native actor that has this name now, if there is one, because another actor of this name is about to end.
pub fn note_named(name: &str) {
    if let Some(cell) = where_is_native(name) {
        note(&cell);
    }
}

/// The native actor of this name if the registry has lost it. Each actor is given once, to be reported.
pub fn take_lost(name: &str) -> Option<ActorCell> {
    let mut namesakes = NAMESAKES.write();
    let namesake = namesakes.get_mut(name)?;
    if namesake.is_reported || !is_alive(&namesake.cell) || where_is_native(name).is_some() {
        return None;
    }
    namesake.is_reported = true;
    Some(namesake.cell.clone())
}

/// The living native actor of this name that the registry may have lost.
pub(super) fn find(name: &str) -> Option<ActorCell> {
    let namesakes = NAMESAKES.read();
    let namesake = namesakes.get(name)?;
    // The table is swept only when another actor is noted, so it may still have some that have ended.
    is_alive(&namesake.cell).then(|| namesake.cell.clone())
}

fn is_alive(cell: &ActorCell) -> bool {
    cell.get_status() < ActorStatus::Stopping
}
