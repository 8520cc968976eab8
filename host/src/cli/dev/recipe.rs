//! How the file of a module is made: as node.toml says or, for a Rust crate, as cargo does it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::config::ModuleBuild;
use crate::guest::ModuleSource;

/// A command and what it makes the file from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipe {
    pub(super) module: String,
    pub(super) command: String,
    /// Where the command is run.
    pub(super) folder: PathBuf,
    /// Files, and folders with all that is in them.
    pub(super) sources: Vec<PathBuf>,
    /// What comes of it.
    pub(super) output: PathBuf,
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
    Some(Recipe {
        module: source.name.clone(),
        command: command.clone(),
        folder: if folder == Path::new("") {
            ".".into()
        } else {
            folder.to_owned()
        },
        sources,
        output: source.path.clone(),
    })
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
        command: format!(
            "cargo build --quiet --package {} --target {triple} --profile {profile}",
            package.name
        ),
        folder: metadata.workspace_root.clone(),
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
        let made = recipe(&source, &build, Path::new("lab")).unwrap();
        assert_eq!((made.folder, made.sources), ("lab".into(), vec!["lab/src".into()]));
        build.sources = vec!["lab/counter.c".into()];
        let made = recipe(&source, &build, Path::new("")).unwrap();
        assert_eq!((made.folder, made.sources), (".".into(), vec!["lab/counter.c".into()]));
        build.build = None;
        assert_eq!(recipe(&source, &build, Path::new("")), None);
    }
}
