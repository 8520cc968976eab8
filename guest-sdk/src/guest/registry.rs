//! Actors by name.

use crate::guest::ActorCell;
use crate::guest::bindings::ractor::actor::registry as host;

/// Never seen by a guest; here so that a `match` written for ractor compiles.
#[derive(Clone, Debug)]
pub enum PidLifecycleEvent {
    /// An actor came to life.
    Spawn(ActorCell),
    /// An actor ended.
    Terminate(ActorCell),
}

/// The actor of this name, native or guest: on this node or, if there is none, on a connected one.
/// `actor@name@hostname` asks that node alone.
pub fn where_is<K>(name: K) -> Option<ActorCell>
where
    K: AsRef<str>,
{
    let name = name.as_ref();
    host::where_is(name).map(|pid| ActorCell::named(pid, name))
}
