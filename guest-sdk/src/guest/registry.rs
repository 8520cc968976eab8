//! Actors by name.

use crate::guest::ActorCell;
use crate::guest::bindings::ractor::actor::registry as host;

/// The actor of this name on this node, native or guest.
pub fn where_is<K>(name: K) -> Option<ActorCell>
where
    K: AsRef<str>,
{
    let name = name.as_ref();
    host::where_is(name).map(|pid| ActorCell::named(pid, name))
}
