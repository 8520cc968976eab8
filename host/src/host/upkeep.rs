//! What is done again and again while a node runs, and may have to be begun anew when its configuration changes: asking actors for their
//! states, and watching the files of modules.

use std::sync::Arc;

use parking_lot::Mutex;

use super::module_files::ModuleWatcher;
use crate::checkpoint::{Schedule, Scheduled};
use crate::guest::Modules;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Upkeep(Mutex<UpkeepState>);

#[derive(Debug, Default)]
struct UpkeepState {
    schedule: Option<Arc<Schedule>>,
    watcher: Option<ModuleWatcher>,
    /// The node is about to stop, so nothing is begun any more.
    is_over: bool,
}

impl Upkeep {
    /// Begins all of it. Must be called within a runtime.
    pub(super) fn begin(
        self: Arc<Self>,
        modules: &Modules,
        scheduled: Vec<Scheduled>,
        watcher: Option<ModuleWatcher>,
    ) -> Arc<Self> {
        self.ask(modules, scheduled);
        self.watch(watcher);
        self
    }

    /// Asks these actors for their states from now on, and no others.
    pub(super) fn ask(&self, modules: &Modules, scheduled: Vec<Scheduled>) {
        let mut state = self.0.lock();
        if !state.is_over {
            state.schedule = (!scheduled.is_empty()).then(|| Arc::new(Schedule::start(modules, scheduled)));
        }
    }

    /// Has files watched by this from now on, and by nobody else.
    pub(super) fn watch(&self, watcher: Option<ModuleWatcher>) {
        let mut state = self.0.lock();
        if !state.is_over {
            state.watcher = watcher;
        }
    }

    pub(super) fn schedule(&self) -> Option<Arc<Schedule>> {
        self.0.lock().schedule.clone()
    }

    /// Watches no files any more. States are still asked for.
    pub(super) fn quiesce(&self) {
        let mut state = self.0.lock();
        state.is_over = true;
        state.watcher = None;
    }

    /// True from when the node is about to stop.
    pub(super) fn is_over(&self) -> bool {
        self.0.lock().is_over
    }

    /// Asks nobody any more.
    pub(super) fn end(&self) {
        self.0.lock().schedule = None;
    }
}
