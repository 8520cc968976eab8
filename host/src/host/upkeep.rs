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

    /// Asks these actors for their states from now on, and no others. Those that are asked already are asked when they would have been.
    pub(super) fn ask(&self, modules: &Modules, scheduled: Vec<Scheduled>) {
        let mut state = self.0.lock();
        if state.is_over {
            return;
        }
        state.schedule = match state.schedule.take() {
            _ if scheduled.is_empty() => None,
            Some(same) if same.asks(&scheduled) => Some(same),
            Some(before) => Some(Arc::new(before.renewed(scheduled))),
            None => Some(Arc::new(Schedule::start(modules, scheduled))),
        };
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::checkpoint::Database;
    use crate::guest::{CheckpointWriter, Checkpoints};

    #[tokio::test]
    async fn a_file_that_is_applied_again_and_again_puts_no_checkpoint_off() {
        let folder = tempfile::tempdir().unwrap();
        let writer = CheckpointWriter::new(Arc::new(Database::open(folder.path().join("states")).unwrap()));
        let actor = |name: &str, hours: u64| Scheduled {
            module: "module".to_owned(),
            names: BTreeSet::from([name.to_owned()]),
            checkpoints: Checkpoints {
                every: Duration::from_secs(hours * 3600),
                keep: 1,
                writer: writer.clone(),
            },
        };
        let (upkeep, modules) = (Upkeep::default(), Modules::default());
        let ask = |scheduled| {
            upkeep.ask(&modules, scheduled);
            upkeep.schedule().unwrap()
        };
        let first = ask(vec![actor("a", 1)]);
        assert!(Arc::ptr_eq(&first, &ask(vec![actor("a", 1)])));
        let more = ask(vec![actor("b", 1), actor("a", 1)]);
        assert_eq!(more.since("a"), first.since("a"));
        assert!(more.since("b") > first.since("a"));
        let slower = ask(vec![actor("b", 1), actor("a", 2)]);
        assert!(slower.since("a") > more.since("a"));
        assert_eq!(slower.since("b"), more.since("b"));
        upkeep.ask(&modules, Vec::new());
        assert!(upkeep.schedule().is_none());
    }
}
