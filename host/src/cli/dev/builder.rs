//! Runs a module's build command when its sources change.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use notify::{RecursiveMode, Watcher as _};
use ractor_host_project::{Live, ProjectError};
use tokio::sync::Notify;

use super::super::project::{STEP, own_command, own_program, progress};
use super::recipe::{Recipe, Work, recipe};
use crate::config::NodeConfig;
use crate::ops::console;

/// The time for which sources must not change before they are built: an editor writes several files at once.
const QUIET: Duration = Duration::from_millis(150);

/// The interval at which sources are checked that the system reports nothing about.
const LATER: Duration = Duration::from_secs(3);

/// The most files of one module that are checked.
const MOST_FILES: usize = 20_000;

/// Builds one module.
#[derive(Debug)]
pub(super) struct Builder {
    recipe: Recipe,
    /// What the sources were when they were last built. One that changes later is to be built, also if nobody watches yet.
    built: Option<SourceState>,
}

/// A module could not be built, and there is no file of it from before.
#[derive(Debug, thiserror::Error)]
#[error("module `{module}` does not build, and there is no {} from before", path.display())]
pub(super) struct NothingBuilt {
    module: String,
    path: PathBuf,
}

/// Builds as long as it lives.
#[derive(Debug)]
pub(super) struct Building {
    task: tokio::task::AbortHandle,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Drop for Building {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Builder {
    /// One for each module whose build is known. The configuration has these modules run what comes of it.
    pub(super) fn all(config: &mut NodeConfig, folder: &Path) -> Vec<Self> {
        let modules = config.modules.iter_mut().zip(&config.builds);
        // What is pinned can't change.
        let free = modules.filter(|(source, _)| source.digest.is_none());
        let recipes = free.filter_map(|(source, build)| {
            let recipe = recipe(source, build, folder)?;
            recipe.apply_to(source);
            Some(recipe)
        });
        recipes.map(|recipe| Self { recipe, built: None }).collect()
    }

    /// Builds before anything runs.
    pub(super) async fn first(&mut self) -> Result<(), NothingBuilt> {
        // Before the build, which may have tools to install and take minutes.
        self.built = Some(SourceState::of(&self.recipe.sources));
        let Recipe { module, output, .. } = &self.recipe;
        if self.build().await || output.exists() {
            return Ok(());
        }
        Err(NothingBuilt {
            module: module.clone(),
            path: output.clone(),
        })
    }

    /// Builds whenever the sources change.
    pub(super) fn start(self) -> Building {
        let changed = Arc::new(Notify::new());
        let tell = changed.clone();
        let watcher = notify::recommended_watcher(move |_| tell.notify_one()).and_then(|mut watcher| {
            for source in &self.recipe.sources {
                watcher.watch(source, RecursiveMode::Recursive)?;
            }
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            let module = &self.recipe.module;
            tracing::warn!(module, %error, "the system does not report changed sources; they are checked every {LATER:?}");
        }
        Building {
            task: tokio::spawn(self.run(changed)).abort_handle(),
            _watcher: watcher.ok(),
        }
    }

    async fn run(mut self, changed: Arc<Notify>) {
        // Once at the start: what was saved before anybody watched is reported by nobody.
        changed.notify_one();
        loop {
            tokio::select! {
                () = changed.notified() => {}
                () = tokio::time::sleep(LATER) => {}
            }
            let mut seen = SourceState::of(&self.recipe.sources);
            if self.built == Some(seen) {
                continue;
            }
            loop {
                tokio::time::sleep(QUIET).await;
                let now = SourceState::of(&self.recipe.sources);
                if now == seen {
                    break;
                }
                seen = now;
            }
            // What changes during the build is built after it.
            self.built = Some(seen);
            self.build().await;
        }
    }

    /// Does the work. True if it succeeded; otherwise what is wrong is shown.
    async fn build(&self) -> bool {
        let Recipe { module, work, .. } = &self.recipe;
        let started = Instant::now();
        let failed = match work {
            Work::Command { command, folder } => run(command, folder).await,
            Work::Live(live) => make(live).await,
        };
        match failed {
            None => {
                let seconds = started.elapsed().as_secs_f64();
                console::print(format_args!("built {module} in {seconds:.1} s"));
                true
            }
            Some(failed) => {
                console::print(format_args!("{module} {failed}; what runs goes on"));
                false
            }
        }
    }
}

/// Runs a command. What it said is shown if it failed, and what that means is given, as in "does not build".
async fn run(command: &str, folder: &Path) -> Option<String> {
    let mut shell = shell(command);
    // A build that asks something fails at once, and doesn't wait for an answer that nobody gives.
    shell.current_dir(folder).stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || end(shell)).await;
    match ended.unwrap_or_else(|ended| Err(std::io::Error::other(ended))) {
        Ok((status, _)) if status.success() => None,
        Ok((status, said)) => {
            for line in said {
                console::eprint(format_args!("{line}"));
            }
            Some(format!("does not build ({status})"))
        }
        Err(error) => Some(format!("can't be built: `{command}`: {error}")),
    }
}

/// Brings up to date what runs the source of a project, and the source itself.
async fn make(live: &Live) -> Option<String> {
    let live = live.clone();
    match tokio::task::spawn_blocking(move || live.build(&progress)).await {
        Ok(Ok(())) => None,
        Ok(Err(ProjectError::Source { output, .. })) => {
            console::eprint(format_args!("{output}"));
            Some("does not build".to_owned())
        }
        Ok(Err(error)) => {
            console::eprint(format_args!("{error}"));
            Some("does not build".to_owned())
        }
        Err(error) => Some(format!("can't be built: {error}")),
    }
}

/// Runs a command to its end, and gives the lines that it said on both streams, in order. What it says of its steps is shown at once: an
/// installation takes a while.
fn end(mut command: Command) -> std::io::Result<(ExitStatus, Vec<String>)> {
    let (reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command holds the writing ends; as long as it does, the pipe has no end.
    drop(command);
    let mut said = Vec::new();
    for line in BufReader::new(reader).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).trim_end().to_owned();
        if line.starts_with(STEP) {
            console::eprint(format_args!("{line}"));
        } else {
            said.push(line);
        }
    }
    Ok((child.wait()?, said))
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    match (own_command(command), own_program()) {
        // `$0` is the program, however its path is spelled.
        (Some(arguments), Some(program)) => shell.arg("-c").arg(format!("\"$0\"{arguments}")).arg(program),
        _ => shell.args(["-c", command]),
    };
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

/// What tells one state of the sources from another: the names, lengths and times of their files. The latest time alone would not show
/// that an older file has taken the place of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SourceState {
    files: usize,
    /// The sum over all files, so that the order in which a folder lists them makes no difference.
    hashes: u64,
}

impl SourceState {
    fn of(sources: &[PathBuf]) -> Self {
        let mut open: Vec<PathBuf> = sources.to_vec();
        let mut state = Self { files: 0, hashes: 0 };
        while let Some(path) = open.pop() {
            // A file that has just gone is no error: the number of files shows the change.
            let Ok(metadata) = std::fs::metadata(&path) else {
                continue;
            };
            if metadata.is_dir() {
                let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
                open.extend(entries.map(|entry| entry.path()));
                continue;
            }
            let mut hasher = DefaultHasher::new();
            (&path, metadata.len(), metadata.modified().ok()).hash(&mut hasher);
            state.hashes = state.hashes.wrapping_add(hasher.finish());
            state.files += 1;
            if state.files >= MOST_FILES {
                break;
            }
        }
        state
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::time::SystemTime;

    use super::*;

    /// Who edits while the tools are installed, or while the first build runs, must not have to save once more.
    #[tokio::test]
    async fn what_is_saved_during_the_first_build_is_built_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let (source, output) = (folder.path().join("source"), folder.path().join("output"));
        fs::write(&source, "as it was").unwrap();
        // The command plays both parts: it builds, and whoever edits meanwhile saves.
        let recipe = Recipe {
            module: "m".to_owned(),
            work: Work::Command {
                command: "cp source output; test -f saved || echo later > source; touch saved".to_owned(),
                folder: folder.path().to_owned(),
            },
            sources: vec![source],
            output: output.clone(),
        };
        let mut builder = Builder { recipe, built: None };
        builder.first().await.unwrap();
        assert_eq!(fs::read_to_string(&output).unwrap(), "as it was");
        let _building = builder.start();
        let built = async {
            while fs::read_to_string(&output).unwrap() != "later\n" {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), built).await.unwrap();
    }

    #[test]
    fn an_older_file_in_the_place_of_one_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        let other = folder.path().join("other");
        for (path, age) in [(&source, 1), (&other, 2), (&folder.path().join("newest"), 0)] {
            fs::write(path, "text").unwrap();
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(60 * age))
                .unwrap();
        }
        let sources = [source.clone(), folder.path().join("newest")];
        let before = SourceState::of(&sources);
        assert_eq!(SourceState::of(&sources), before);
        fs::rename(&other, &source).unwrap();
        assert_ne!(SourceState::of(&sources), before);
    }
}
