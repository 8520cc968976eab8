//! `config`: what node.toml says to the calling actor.

use crate::component::bindings::config;
use crate::store::state::State;

impl config::Host for State {
    fn value(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.myself()?.config.get(&key).cloned())
    }

    fn entries(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        let entries = self.myself()?.config.iter();
        Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
