//! Modules with `watch = true`: when the file changes, the actors that run it get what it has now.
//!
//! The system reports that something changed in the file's folder; the file is then checked until it has stopped changing and is
//! complete. Since not every file system reports changes, files are also checked from time to time.

mod debounce;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use self::debounce::{Debounce, Stamp};
use super::reloader::Reloader;
use crate::config::NodeConfig;
use crate::files::{self, ReadError};
use crate::guest::{Digest, ModuleSource, is_whole};

/// The interval at which files that have just changed are checked.
const SOON: Duration = Duration::from_millis(50);

/// The interval at which files are checked that the system reports nothing about.
const LATER: Duration = Duration::from_secs(3);

/// The time that a file which is not complete has to become so.
const UNFINISHED: Duration = Duration::from_secs(10);

/// Watches until it is dropped.
#[derive(Debug)]
pub(super) struct ModuleWatcher {
    task: AbortHandle,
    /// Reports changes as long as it lives; none if the system can't.
    _watcher: Option<RecommendedWatcher>,
}

impl Drop for ModuleWatcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The files of watched modules, and how they looked before they were loaded. One that is saved later has changed, also if nobody watched
/// yet.
#[derive(Debug)]
pub(super) struct FilesBeforeLoad(Vec<WatchedFile>);

impl FilesBeforeLoad {
    /// Looks at them.
    pub(super) fn of(config: &NodeConfig) -> Self {
        let watched = config.builds.iter().filter(|build| build.watch);
        let modules = watched.filter_map(|build| config.modules.iter().find(|module| module.name == build.module));
        let files = modules.flat_map(|own| {
            let source = own.source.iter().map(|source| (&source.path, Content::Source));
            source
                .chain([(&own.path, Content::Component)])
                .map(|(path, content)| WatchedFile::new(own, path, content))
        });
        Self(files.collect())
    }
}

/// Begins to watch these files. None if there are none. Must be called within a runtime.
pub(super) fn watch(reloader: &Arc<Reloader>, FilesBeforeLoad(files): FilesBeforeLoad) -> Option<ModuleWatcher> {
    if files.is_empty() {
        return None;
    }
    let changed = Arc::new(Notify::new());
    let folders: BTreeSet<&Path> = files.iter().map(|file| folder(&file.path)).collect();
    let watcher = match watcher(&folders, changed.clone()) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!(%error, "the system does not report changed files; they are checked every {LATER:?}");
            None
        }
    };
    let modules: BTreeSet<&str> = files.iter().map(|file| file.module.as_str()).collect();
    tracing::info!(?modules, "watching the files of modules");
    let task = tokio::spawn(run(files, changed, reloader.clone())).abort_handle();
    Some(ModuleWatcher {
        task,
        _watcher: watcher,
    })
}

/// The file itself isn't watched: what takes its place would not be.
fn watcher(folders: &BTreeSet<&Path>, changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |_| changed.notify_one())?;
    for folder in folders {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

async fn run(mut files: Vec<WatchedFile>, changed: Arc<Notify>, reloader: Arc<Reloader>) {
    // Once at the start: what was saved before anybody watched is reported by nobody.
    changed.notify_one();
    loop {
        let is_pending = files.iter().any(|file| file.debounce.is_pending());
        let pause = if is_pending { SOON } else { LATER };
        tokio::select! {
            // While a file changes, only the clock counts: each write of a busy writer would be a look otherwise.
            () = changed.notified(), if !is_pending => {}
            () = tokio::time::sleep(pause) => {}
        }
        for file in &mut files {
            file.look(&reloader).await;
        }
    }
}

/// What is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Component,
    /// The source that the component runs.
    Source,
}

impl Content {
    /// The time for which such a file must not change. Compilers write components piece by piece, and editors a text at once.
    fn quiet(self) -> Duration {
        match self {
            Self::Component => Duration::from_millis(250),
            Self::Source => Duration::from_millis(100),
        }
    }
}

#[derive(Debug)]
struct WatchedFile {
    module: String,
    path: PathBuf,
    content: Content,
    debounce: Debounce,
    /// What it was last reloaded with, well or not.
    tried: Option<Digest>,
}

impl WatchedFile {
    fn new(own: &ModuleSource, path: &Path, content: Content) -> Self {
        Self {
            module: own.name.clone(),
            path: path.to_owned(),
            content,
            debounce: Debounce::new(stamp(path), content.quiet()),
            tried: None,
        }
    }

    async fn look(&mut self, reloader: &Reloader) {
        let path = self.path.clone();
        // Not on this thread: a file system may hang.
        let seen = tokio::task::spawn_blocking(move || stamp(&path)).await;
        if !self.debounce.look(seen.ok().flatten(), Instant::now()) {
            return;
        }
        let Some(own) = reloader.own(&self.module) else {
            return;
        };
        let (component_bytes, source_bytes) = reloader.largest_files(&self.module);
        let (limit, key) = match self.content {
            Content::Component => (component_bytes, "components (component_bytes)"),
            Content::Source => (source_bytes, "sources (source_bytes)"),
        };
        let (path, content) = (self.path.clone(), self.content);
        let read = tokio::task::spawn_blocking(move || {
            let bytes = files::read(&path, limit)?;
            // Of a text nothing says that it is whole. It has stopped changing.
            let is_whole = content == Content::Source || is_whole(&bytes);
            let version = match own.source {
                Some(_) => own.digest_of_files(component_bytes.max(source_bytes))?,
                None => Digest::of(&bytes),
            };
            Ok::<_, ReadError>((is_whole, version))
        });
        let (whole, digest) = match read.await {
            Ok(Ok(read)) => read,
            Ok(Err(ReadError::TooLarge(limit))) => {
                return self.put_off(&format!("it is larger than {limit} bytes, the limit on {key}"));
            }
            Ok(Err(error)) => return self.put_off(&format!("it can't be read: {error}")),
            Err(error) => return self.put_off(&format!("it can't be read: {error}")),
        };
        if !whole {
            return self.put_off("its end is missing");
        }
        // Before the reload, which takes its time: what is written meanwhile counts as another change.
        self.debounce.mark_handled();
        // Touched without a change, tried before, or deployed by somebody already: a reload would bring nothing new.
        if self.tried.replace(digest) == Some(digest) || reloader.runs(&self.module, digest) {
            return;
        }
        reloader.reload_and_report(reloader.of_own_file(&self.module)).await;
    }

    /// Its writer may not be done yet. If nothing more comes, that is logged once.
    fn put_off(&mut self, why: &str) {
        if self.debounce.quiet_for(Instant::now()) >= UNFINISHED {
            let (module, path) = (&self.module, self.path.display());
            tracing::warn!(module, %path, why, "the file has changed, but not to one that can be used; the module stays as it is");
            self.debounce.mark_handled();
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some(Stamp {
        bytes: metadata.len(),
        modified: metadata.modified().ok()?,
        file: file_number(&metadata),
    })
}

#[cfg(unix)]
fn file_number(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.ino()
}

#[cfg(not(unix))]
fn file_number(_: &fs::Metadata) -> u64 {
    0
}
