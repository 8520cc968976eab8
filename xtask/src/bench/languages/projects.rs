//! Projects as `ractor-host new` makes them: how long it takes until one answers, until a node with it is there, and until an edit is.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::super::figures::Metric;
use super::super::host::Host;
use super::super::programs::LanguagePrograms;
use super::Language;
use crate::process::Run;

/// The name of each project, and so of its actor.
const NAME: &str = "counter";
/// Where the node of a new project listens. Here, any port will do.
const LISTEN: &str = "127.0.0.1:4697";
const ANY_PORT: &str = "127.0.0.1:0";
/// The number of edits of a source while `dev` runs. The least time counts.
const EDITS: u32 = 3;
/// The time between an edit and the next, so that `dev` watches again.
const REST: Duration = Duration::from_millis(500);

/// The projects, and the tools that they share.
pub(in crate::bench) struct Projects {
    folder: PathBuf,
    /// The languages whose project is there.
    made: BTreeSet<&'static str>,
    /// The languages whose tools were installed in this run of the benchmark, or needn't be.
    equipped: BTreeSet<&'static str>,
    /// The number of edits so far: each makes other code.
    edits: u32,
}

/// Whether tools that were installed by an earlier run of the benchmark are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Tools {
    /// They are installed again, which is measured.
    Anew,
    /// They are used.
    Kept,
}

impl Projects {
    /// None yet.
    ///
    /// # Errors
    /// What was there before can't be removed.
    pub(in crate::bench) fn new(folder: &Path, tools: Tools) -> Result<Self> {
        let this = Self {
            folder: folder.join("languages"),
            made: BTreeSet::new(),
            equipped: match tools {
                Tools::Anew => BTreeSet::new(),
                Tools::Kept => super::LANGUAGES.iter().map(|language| language.system).collect(),
            },
            edits: 0,
        };
        fs::create_dir_all(&this.folder).with_context(|| format!("cannot create {}", this.folder.display()))?;
        Ok(this)
    }

    /// The component of a language's counter.
    ///
    /// # Errors
    /// It can't be made.
    pub(super) fn component(&mut self, programs: &LanguagePrograms, language: &Language) -> Result<PathBuf> {
        if !self.made.contains(language.system) {
            self.make(programs, language)?;
        }
        Ok(self.project(language).join("build").join(NAME).with_extension("wasm"))
    }

    fn project(&self, language: &Language) -> PathBuf {
        self.folder.join(language.system).join(NAME)
    }

    fn tools(&self, language: &Language) -> PathBuf {
        self.folder.join(format!("{}-tools", language.system))
    }

    /// The folder in which the program keeps what it compiled.
    fn cache(&self, language: &Language) -> PathBuf {
        self.folder.join(language.system).join("cache")
    }

    /// Makes the project and its component.
    fn make(&mut self, programs: &LanguagePrograms, language: &Language) -> Result<()> {
        self.made.remove(language.system);
        let project = self.project(language);
        let parent = self.folder.join(language.system);
        remove(&parent)?;
        fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
        let new = [
            "new".as_ref(),
            "--lang".as_ref(),
            language.lang.name().as_ref(),
            project.as_os_str(),
        ];
        self.run(programs, language, &parent, &new)?;
        self.run(programs, language, &project, &["build".as_ref()])?;
        let file = project.join("node.toml");
        edit(&file, LISTEN, ANY_PORT)?;
        self.made.insert(language.system);
        Ok(())
    }

    fn run(&self, programs: &LanguagePrograms, language: &Language, folder: &Path, words: &[&OsStr]) -> Result<String> {
        let run = Run::new(&programs.host).args(words).within(folder);
        let run = self
            .variables(language)
            .into_iter()
            .fold(run, |run, (name, value)| run.env(name, value));
        run.capture()
    }

    /// A node of the project.
    fn start(&self, programs: &LanguagePrograms, language: &Language, command: &str) -> Result<Host> {
        let mut run = Command::new(&programs.host);
        run.args([command, "node.toml"])
            .envs(self.variables(language))
            .current_dir(self.project(language));
        Host::start(&format!("`ractor-host {command}` in {}", language.title), run)
    }

    /// Where tools and compiled code are: nowhere that is anybody else's.
    fn variables(&self, language: &Language) -> [(&'static str, PathBuf); 3] {
        [
            ("RACTOR_HOST_CACHE", self.tools(language)),
            ("XDG_CACHE_HOME", self.cache(language)),
            ("XDG_STATE_HOME", self.folder.join(language.system).join("state")),
        ]
    }
}

/// From `new` to the reply to the first call; once with tools that have to be installed, unless they are kept.
pub(super) fn first_call(
    projects: &mut Projects,
    programs: &LanguagePrograms,
    language: &Language,
) -> Result<Vec<(Metric, f64)>> {
    let is_anew = !projects.equipped.contains(language.system);
    if is_anew {
        remove(&projects.tools(language))?;
    }
    let begun = Instant::now();
    projects.make(programs, language)?;
    let node = projects.start(programs, language, "run")?;
    let (address, _) = node.ready()?;
    let project = projects.project(language);
    let call = ["call", "--node", &address, "--cookie-file", "cookie", NAME, "Get"].map(OsStr::new);
    let said = projects.run(programs, language, &project, &call)?;
    let taken = begun.elapsed().as_secs_f64();
    node.stop()?;
    ensure!(said.trim() == "0", "the counter says {said:?} where it should say 0");
    projects.equipped.insert(language.system);
    let metric = if is_anew {
        Metric::FirstCallAnew
    } else {
        Metric::FirstCall
    };
    Ok(vec![(metric, taken)])
}

/// Starts a node with the counter twice: with nothing in the cache, and with its code there. And how large the component is.
pub(super) fn node(
    projects: &mut Projects,
    programs: &LanguagePrograms,
    language: &Language,
) -> Result<Vec<(Metric, f64)>> {
    let component = projects.component(programs, language)?;
    let bytes = fs::metadata(&component)
        .with_context(|| format!("no size of {}", component.display()))?
        .len();
    remove(&projects.cache(language))?;
    let mut started = Vec::new();
    for metric in [Metric::ColdStart, Metric::WarmStart] {
        let node = projects.start(programs, language, "run")?;
        let (_, taken) = node.ready()?;
        node.stop()?;
        started.push((metric, taken.as_secs_f64()));
    }
    #[expect(clippy::cast_precision_loss, reason = "no component has 2^53 bytes")]
    started.push((Metric::Component, bytes as f64 / 1024.0));
    Ok(started)
}

/// Edits the source while `dev` runs, until the actor has the new code: the least time of several edits.
pub(super) fn save(
    projects: &mut Projects,
    programs: &LanguagePrograms,
    language: &Language,
) -> Result<Vec<(Metric, f64)>> {
    projects.component(programs, language)?;
    // What follows it is to have the counter as it was made.
    projects.made.remove(language.system);
    let source = projects.project(language).join(language.source);
    let before = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    let node = projects.start(programs, language, "dev")?;
    node.ready()?;
    let mut least = f64::INFINITY;
    for _ in 0..EDITS {
        std::thread::sleep(REST);
        projects.edits += 1;
        let (adds, adds_more) = language.adds;
        let after = replaced(&before, adds, &adds_more.replace("{}", &projects.edits.to_string()))
            .with_context(|| format!("{} has no `{adds}`", source.display()))?;
        let saved = Instant::now();
        fs::write(&source, after)?;
        let (reloaded, _) = node.line(&format!("reloaded {NAME}"))?;
        least = least.min(reloaded.duration_since(saved).as_secs_f64());
    }
    node.stop()?;
    Ok(vec![(Metric::Save, least)])
}

fn edit(file: &Path, from: &str, to: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let Some(text) = replaced(&text, from, to) else {
        bail!("{} has no `{from}`", file.display());
    };
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The text with the one in place of the other; none if that isn't there.
fn replaced(text: &str, from: &str, to: &str) -> Option<String> {
    text.contains(from).then(|| text.replacen(from, to, 1))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
