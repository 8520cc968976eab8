//! What node.toml says to this actor, in its table `[actors.config]`.

use crate::guest::bindings::ractor::actor::config as host;

/// The value under a key, as text: numbers and truth values as they are written.
pub fn value<K>(key: K) -> Option<String>
where
    K: AsRef<str>,
{
    host::value(key.as_ref())
}

/// Every key with its value, by key.
pub fn entries() -> Vec<(String, String)> {
    host::entries()
}
