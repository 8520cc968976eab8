//! The values that a guest gets from its table `[actors.config]` in node.toml. Natively there is one table for the process, which
//! `main` fills, and one for each `TestHost` of a test, which comes first.

use crate::native::context;

/// The value under a key.
pub fn value<K>(key: K) -> Option<String>
where
    K: AsRef<str>,
{
    context::look_up(|context| context.config().get(key.as_ref()).cloned())
}

/// Every key with its value, by key.
pub fn entries() -> Vec<(String, String)> {
    let mut entries = context::process().config().clone();
    if let Some(context) = context::current() {
        entries.extend(context.config().clone());
    }
    entries.into_iter().collect()
}

/// Puts a value under a key, for every actor of this process. Only natively: a guest reads what node.toml says.
pub fn set(key: impl Into<String>, value: impl Into<String>) {
    context::process().set_config(key.into(), value.into());
}
