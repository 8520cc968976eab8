//! The modules of a node: which version of each is current, those before it, and the guests that run them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::RwLock;
use tokio::sync::{Notify, OwnedMutexGuard};

use super::child_events::ChildObserver;
use super::guest_cell::{GuestCell, GuestRef};
use super::resident::Looks;
use crate::component::error::LoadError;
use crate::component::source::{Digest, ModuleSource};
use crate::instance::module::Module;

/// The number of versions of a module that are kept besides the current one.
const KEPT: usize = 3;

/// The modules of a node by name. Clones are the same set.
#[derive(Debug, Clone, Default)]
pub struct Modules(Arc<ModuleSet>);

#[derive(Debug, Default)]
struct ModuleSet {
    entries: RwLock<HashMap<String, ModuleEntry>>,
    /// Some module has become something else.
    changed: Notify,
    /// Hears what becomes of the children of guests.
    children: OnceLock<Box<dyn ChildObserver>>,
    /// At the memory of guests.
    looks: Looks,
}

#[derive(Debug, Default)]
struct ModuleEntry {
    current: Option<Module>,
    /// Those before it, the youngest first.
    previous: VecDeque<Module>,
    /// By pid, which is the order of their start.
    guests: BTreeMap<u64, Weak<GuestCell>>,
    reloading: Arc<tokio::sync::Mutex<()>>,
}

/// Which version of a module was current at some time, and which were kept besides.
#[derive(Debug, Clone)]
pub struct Versions {
    current: Module,
    previous: VecDeque<Module>,
}

impl Versions {
    /// The one that was current.
    pub fn current(&self) -> &Module {
        &self.current
    }
}

/// The right to change what a module is. One at a time has it.
#[derive(Debug)]
pub struct Reloading(#[expect(dead_code, reason = "held")] OwnedMutexGuard<()>);

impl Modules {
    /// Has somebody hear what becomes of the children that guests with these modules spawn. The first one to ask stays.
    pub fn observe_children(&self, observer: impl ChildObserver) {
        // The second one hears nothing: a node has one history.
        drop(self.0.children.set(Box::new(observer)));
    }

    pub(super) fn child_observer(&self) -> Option<&dyn ChildObserver> {
        self.0.children.get().map(Box::as_ref)
    }

    /// Makes a module current under its name: actors that start from now on are of this version. Returns the one that it
    /// takes the place of, which is kept with some before it.
    pub fn insert(&self, module: Module) -> Option<Module> {
        let mut modules = self.0.entries.write();
        let entry = modules.entry(module.name().to_owned()).or_default();
        let digest = module.digest();
        let replaced = entry.current.replace(module);
        // A version that becomes current again is no longer one to go back to.
        entry.previous.retain(|version| version.digest() != digest);
        if let Some(replaced) = replaced.as_ref().filter(|replaced| replaced.digest() != digest) {
            entry.previous.push_front(replaced.clone());
            entry.previous.truncate(KEPT);
        }
        self.0.changed.notify_one();
        replaced
    }

    /// Puts optimized code in the place of baseline code, wherever this version is kept. True if it is the current one's.
    pub(super) fn improve(&self, optimized: &Module) -> bool {
        let mut modules = self.0.entries.write();
        let Some(entry) = modules.get_mut(optimized.name()) else {
            return false;
        };
        let kept = entry.previous.iter_mut();
        for version in kept.filter(|version| version.is_improved_by(optimized)) {
            *version = optimized.clone();
        }
        // Asked of what is current now: a reload may have changed it while this was compiled.
        let current = entry
            .current
            .as_mut()
            .filter(|current| current.is_improved_by(optimized));
        current.map(|current| *current = optimized.clone()).is_some()
    }

    /// The optimized code of a version, if there is some by now and it is current.
    pub(super) fn better(&self, module: &Module) -> Option<Module> {
        self.find(module.name())
            .filter(|current| module.is_improved_by(current))
    }

    /// Looks at the memory of guests.
    pub(super) fn looks(&self) -> &Looks {
        &self.0.looks
    }

    /// Returns when a module has become something else since this was last awaited.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Takes back that a version became current: what is current again, and what was kept besides, is what `before` says. Actors
    /// that start from now on are of that version; gives those that run another one, which is everybody who started meanwhile.
    pub fn take_back(&self, before: Versions) -> Vec<GuestRef> {
        let Versions { current, previous } = before;
        let mut modules = self.0.entries.write();
        let entry = modules.entry(current.name().to_owned()).or_default();
        let digest = current.digest();
        entry.current = Some(current);
        entry.previous = previous;
        // Under the same lock: who starts after this has the version before, and who started until now is found.
        self.0.changed.notify_one();
        let others = entry.guests.values().filter_map(|life| Some(GuestRef(life.upgrade()?)));
        others.filter(|guest| guest.module().digest() != digest).collect()
    }

    /// The versions of a module, to be gone back to. None if there is no module of that name.
    pub fn versions(&self, name: &str) -> Option<Versions> {
        let modules = self.0.entries.read();
        let entry = modules.get(name)?;
        Some(Versions {
            current: entry.current.clone()?,
            previous: entry.previous.clone(),
        })
    }

    /// The current version of the module with this name.
    pub fn find(&self, name: &str) -> Option<Module> {
        self.0.entries.read().get(name)?.current.clone()
    }

    /// Forgets a module and its versions: nothing starts with it any more, and guests that run it go on. Gives the version that was
    /// current.
    pub fn remove(&self, name: &str) -> Option<Module> {
        let mut modules = self.0.entries.write();
        let entry = modules.get_mut(name)?;
        entry.previous.clear();
        entry.current.take()
    }

    /// The names of all modules, in order.
    pub fn names(&self) -> Vec<String> {
        let modules = self.0.entries.read();
        let known = modules.iter().filter(|(_, entry)| entry.current.is_some());
        let mut names: Vec<_> = known.map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// The versions of a module that are kept besides the current one, the youngest first.
    pub fn previous(&self, name: &str) -> Vec<Module> {
        let modules = self.0.entries.read();
        let entry = modules.get(name);
        entry
            .map(|entry| entry.previous.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// The kept version of a module with this digest, be it current or not.
    pub fn version(&self, name: &str, digest: Digest) -> Option<Module> {
        let modules = self.0.entries.read();
        let entry = modules.get(name)?;
        let mut versions = entry.current.iter().chain(&entry.previous);
        versions.find(|version| version.digest() == digest).cloned()
    }

    /// The guests that run any version of a module, in the order of their start.
    pub fn guests(&self, name: &str) -> Vec<GuestRef> {
        let modules = self.0.entries.read();
        let guests = modules.get(name).map(|entry| entry.guests.values());
        guests
            .into_iter()
            .flatten()
            .filter_map(|life| Some(GuestRef(life.upgrade()?)))
            .collect()
    }

    /// The guests of all modules, module by module.
    pub fn all_guests(&self) -> Vec<GuestRef> {
        let modules = self.0.entries.read();
        let guests = modules.values().flat_map(|entry| entry.guests.values());
        guests.filter_map(|life| Some(GuestRef(life.upgrade()?))).collect()
    }

    /// Reads, checks and compiles what may become a version of a module that is there, as
    /// [`Engine::load`](crate::Engine::load) does. None if there is no module of that name.
    ///
    /// # Errors
    /// See [`LoadFault`](crate::LoadFault).
    pub async fn load(&self, source: &ModuleSource) -> Option<Result<Module, LoadError>> {
        let current = self.find(&source.name)?;
        Some(current.engine().load(source).await)
    }

    /// The same for a module that need not be there yet, in the engine of those that are. None if there is no module at all.
    ///
    /// # Errors
    /// See [`LoadFault`](crate::LoadFault).
    pub async fn load_another(&self, source: &ModuleSource) -> Option<Result<Module, LoadError>> {
        let any = self.names().iter().find_map(|name| self.find(name))?;
        Some(any.engine().load(source).await)
    }

    /// The right to reload a module; none if somebody else has it.
    pub fn reloading(&self, name: &str) -> Option<Reloading> {
        let lock = self
            .0
            .entries
            .write()
            .entry(name.to_owned())
            .or_default()
            .reloading
            .clone();
        lock.try_lock_owned().ok().map(Reloading)
    }

    /// A guest begins to live, with the current version of its module: whoever starts it may have known an older one.
    pub(super) fn enter(&self, module: &Module, live: impl FnOnce(Module) -> GuestCell) -> Arc<GuestCell> {
        let mut modules = self.0.entries.write();
        let entry = modules.entry(module.name().to_owned()).or_default();
        // A module that was never entered here, as in a program that spawns by itself, is what it was started with.
        let current = entry.current.as_ref().unwrap_or(module).clone();
        let life = Arc::new(live(current));
        entry.guests.insert(life.cell().get_id().pid(), Arc::downgrade(&life));
        life
    }

    /// A guest has ended.
    pub(super) fn leave(&self, life: &GuestCell) {
        let module = life.module();
        if let Some(entry) = self.0.entries.write().get_mut(module.name()) {
            entry.guests.remove(&life.cell().get_id().pid());
        }
    }
}
