//! What an actor was given: by node.toml, or by the actor that spawned it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use super::grants::Grants;
use super::limits::Limits;
use super::module::Module;

/// What an actor may do and may take. Shared by all actors of one entry of node.toml, and by their children.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The full name of the node, `name@hostname`.
    pub node_name: Arc<str>,
    /// What the actor may take of the host.
    pub limits: Arc<Limits>,
    /// What the actor may reach.
    pub grants: Arc<Grants>,
    /// What node.toml says to the actor.
    pub config: Arc<BTreeMap<String, String>>,
    /// The modules that it may start children of, as far as its grants allow.
    pub modules: Modules,
}

/// The modules of a node by name. Clones are the same set.
#[derive(Debug, Clone, Default)]
pub struct Modules(Arc<RwLock<HashMap<String, Module>>>);

impl Modules {
    /// Adds a module under its name. Returns the one that it takes the place of.
    pub fn insert(&self, module: Module) -> Option<Module> {
        let mut modules = self.0.write().unwrap_or_else(PoisonError::into_inner);
        modules.insert(module.name().to_owned(), module)
    }

    /// The module of this name.
    pub fn find(&self, name: &str) -> Option<Module> {
        let modules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        modules.get(name).cloned()
    }
}
