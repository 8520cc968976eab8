//! How the file of a module is made: as node.toml says or, for a Rust crate, as cargo does it. The source of a project in an interpreted
//! language is run as it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use ractor_host_project::{Language, Live, Project};
use serde::Deserialize;

use super::super::project::own_command;
use crate::config::ModuleBuild;
use crate::guest::{ModuleSource, SourceFile};

/// What is done when the sources of a module change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipe {
    pub(super) module: String,
    pub(super) work: Work,
    /// Files, and folders with all that is in them.
    pub(super) sources: Vec<PathBuf>,
    /// What comes of it.
    pub(super) output: PathBuf,
}

/// How it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    /// A command makes the component.
    Command {
        command: String,
        /// Where it is run.
        folder: PathBuf,
    },
    /// A runtime runs the source of a project.
    Live(Live),
}

impl Recipe {
    /// Has the module run what this makes, where that isn't the component that node.toml names.
    pub(super) fn apply_to(&self, module: &mut ModuleSource) {
        if let Work::Live(live) = &self.work {
            module.path = live.runtime();
            module.source = Some(SourceFile::new(live.source()));
        }
    }
}

/// How this module is made; none if that isn't known. `folder` is that of node.toml.
pub(super) fn recipe(source: &ModuleSource, build: &ModuleBuild, folder: &Path) -> Option<Recipe> {
    let Some(command) = &build.build else {
        return cargo(source);
    };
    let sources = match (build.sources.is_empty(), &source.source) {
        (true, None) => vec![folder.join("src")],
        // The command makes the component, and that is there to run a source which it isn't made of.
        (true, Some(_)) => Vec::new(),
        (false, _) => build.sources.clone(),
    };
    let folder = if folder == Path::new("") {
        Path::new(".")
    } else {
        folder
    };
    if let Some(live) = live(command, source, folder) {
        let sources = if build.sources.is_empty() {
            vec![live.sources()]
        } else {
            sources
        };
        return Some(Recipe {
            module: source.name.clone(),
            sources: sources.into_iter().chain(live.packages()).collect(),
            output: live.source(),
            work: Work::Live(live),
        });
    }
    Some(Recipe {
        module: source.name.clone(),
        work: Work::Command {
            command: command.clone(),
            folder: folder.to_owned(),
        },
        sources,
        output: source.path.clone(),
    })
}

/// The project whose component a command makes, if its source can be run as it is: `ractor-host build [DIR] [--lang LANG]`. A command that
/// does more is run as it is written.
fn live(command: &str, source: &ModuleSource, folder: &Path) -> Option<Live> {
    let mut words = own_command(command)?.split_whitespace();
    if words.next() != Some("build") || source.source.is_some() {
        return None;
    }
    let (mut project, mut language) = (folder.to_owned(), None);
    while let Some(word) = words.next() {
        match word {
            "--lang" => language = Some(words.next()?.parse::<Language>().ok()?),
            // Anything that a shell may take for more than a name.
            name if name.starts_with('-') || name.contains(|letter: char| !is_plain(letter)) => return None,
            name => project = folder.join(name),
        }
    }
    let project = Project::open(&project, language).ok()?;
    // A symbolic link on the way there doesn't matter, and the component needn't be there.
    let makes = project.component();
    let (made_in, named_in) = (makes.parent()?.parent()?, source.path.parent()?.parent()?);
    let named_in = if named_in == Path::new("") {
        Path::new(".")
    } else {
        named_in
    };
    let is_its = makes.file_name() == source.path.file_name()
        && makes.parent()?.file_name() == source.path.parent()?.file_name()
        && std::fs::canonicalize(named_in).ok()? == made_in;
    is_its.then(|| Live::of(&project)).flatten()
}

fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || "./_-".contains(letter)
}

/// A file of cargo's: `TARGET/wasm32-wasip2/PROFILE/NAME.wasm`, in a folder of a package or a workspace.
#[derive(Debug, PartialEq, Eq)]
struct Artifact {
    /// Where the target folder is.
    folder: PathBuf,
    triple: String,
    profile: String,
    /// As files have it, with underscores.
    name: String,
}

impl Artifact {
    fn of(path: &Path) -> Option<Self> {
        let text = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        if path.extension()? != "wasm" {
            return None;
        }
        let profile = path.parent()?;
        let triple = profile.parent()?;
        let folder = triple.parent()?.parent()?;
        let (profile, triple) = (text(profile)?, text(triple)?);
        triple.starts_with("wasm32-").then(|| Self {
            folder: if folder == Path::new("") {
                ".".into()
            } else {
                folder.to_owned()
            },
            profile: if profile == "debug" { "dev".to_owned() } else { profile },
            triple,
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        })
    }
}

/// What `cargo metadata` says.
#[derive(Deserialize)]
struct CargoMetadata {
    packages: Vec<CargoPackage>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<CargoTarget>,
}

#[derive(Deserialize)]
struct CargoTarget {
    name: String,
    kind: Vec<String>,
}

/// For a file that cargo made: how it makes it again.
fn cargo(source: &ModuleSource) -> Option<Recipe> {
    let artifact = Artifact::of(&source.path)?;
    let asked = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(&artifact.folder)
        .output();
    let output = asked.ok().filter(|output| output.status.success())?;
    let metadata: CargoMetadata = serde_json::from_slice(&output.stdout).ok()?;
    let makes = |package: &&CargoPackage| {
        package.targets.iter().any(|target| {
            target.name.replace('-', "_") == artifact.name && target.kind.iter().any(|kind| kind == "cdylib")
        })
    };
    let package = metadata.packages.iter().find(makes)?;
    let home = package.manifest_path.parent()?;
    let Artifact { triple, profile, .. } = &artifact;
    Some(Recipe {
        module: source.name.clone(),
        work: Work::Command {
            command: format!(
                "cargo build --quiet --package {} --target {triple} --profile {profile}",
                package.name
            ),
            folder: metadata.workspace_root.clone(),
        },
        sources: vec![home.join("src"), package.manifest_path.clone()],
        output: source.path.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_cargo_is_known_by_its_place() {
        let artifact = |path: &str| Artifact::of(Path::new(path));
        let found = artifact("guests/target/wasm32-wasip2/debug/my_counter.wasm").unwrap();
        assert_eq!(found.folder, Path::new("guests"));
        assert_eq!((found.profile.as_str(), found.name.as_str()), ("dev", "my_counter"));
        assert_eq!(
            artifact("target/wasm32-wasip2/guest/c.wasm").unwrap().folder,
            Path::new(".")
        );
        for path in [
            "counter.wasm",
            "target/release/counter.wasm",
            "target/wasm32-wasip2/debug/counter",
            "",
        ] {
            assert_eq!(artifact(path), None, "{path}");
        }
    }

    #[test]
    fn a_command_of_the_file_is_run_beside_it() {
        let source = ModuleSource {
            name: "counter".to_owned(),
            path: "lab/counter.wasm".into(),
            digest: None,
            source: None,
        };
        let mut build = ModuleBuild {
            module: "counter".to_owned(),
            watch: false,
            probation_time: None,
            build: Some("make".to_owned()),
            sources: Vec::new(),
        };
        let within = |folder: &str| Work::Command {
            command: "make".to_owned(),
            folder: folder.into(),
        };
        let made = recipe(&source, &build, Path::new("lab")).unwrap();
        assert_eq!((made.work, made.sources), (within("lab"), vec!["lab/src".into()]));
        build.sources = vec!["lab/counter.c".into()];
        let made = recipe(&source, &build, Path::new("")).unwrap();
        assert_eq!((made.work, made.sources), (within("."), vec!["lab/counter.c".into()]));
        build.build = None;
        assert_eq!(recipe(&source, &build, Path::new("")), None);
    }
    #[test]
    fn the_source_of_a_project_in_an_interpreted_language_is_run_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let is_live = |lang: &str, manifest: &str, command: &str, path: &str| {
            let project = folder.join("shop");
            drop(std::fs::remove_dir_all(&project));
            std::fs::create_dir(&project).unwrap();
            std::fs::write(project.join(lang), manifest).unwrap();
            let source = ModuleSource {
                name: "shop".to_owned(),
                path: folder.join(path),
                digest: None,
                source: None,
            };
            live(command, &source, folder).is_some()
        };
        let (python, javascript) = ("[project]\nname = \"shop\"\n", "{\"name\": \"shop\"}");
        let (build, made) = ("ractor-host build shop", "shop/build/shop.wasm");
        assert!(is_live("pyproject.toml", python, build, made));
        assert!(is_live("package.json", javascript, build, made));
        assert!(is_live(
            "pyproject.toml",
            python,
            "ractor-host build --lang python ./shop",
            made
        ));
        // In a compiled language, of another component, or by a command that does more.
        assert!(!is_live("go.mod", "module shop\n", build, made));
        assert!(!is_live("pyproject.toml", python, build, "shop/build/other.wasm"));
        assert!(!is_live("pyproject.toml", python, build, "build/shop.wasm"));
        for other in [
            "ractor-host build shop && true",
            "make shop",
            "ractor-host build --runtime python shop",
        ] {
            assert!(!is_live("pyproject.toml", python, other, made), "{other}");
        }
        let as_component = format!("{python}[tool.ractor-host]\nmodule = \"app\"\ndev = \"component\"\n");
        assert!(!is_live("pyproject.toml", &as_component, build, made));
    }
}
