//! Where things are: the repository, its target folder, the packages in it, and a `cargo` that behaves as if typed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::Run;

/// rustc's name of the target that guests are compiled to.
pub(crate) const GUEST_TARGET: &str = "wasm32-wasip2";
/// The cargo profile that guests are compiled with.
pub(crate) const GUEST_PROFILE: &str = "guest";

/// This workspace as cargo sees it.
pub(crate) struct Workspace {
    root: PathBuf,
    metadata: Metadata,
}

/// The parts of `cargo metadata` that are used here.
#[derive(Deserialize)]
struct Metadata {
    target_directory: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
    metadata: Option<PackageMetadata>,
}

/// What the manifests of this workspace say under `[package.metadata]`.
#[derive(Deserialize)]
struct PackageMetadata {
    guest: Option<GuestMetadata>,
}

#[derive(Deserialize)]
struct GuestMetadata {
    apart: String,
}

/// A guest that is built apart from all others, because cargo would switch its feature on for them too.
pub(crate) struct GuestApart {
    /// The package.
    pub(crate) package: String,
    /// The feature without which it is empty.
    pub(crate) feature: String,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace that this program belongs to.
    pub(crate) fn find() -> Result<Self> {
        // Where cargo runs it, which with a shared target folder need not be where it was built.
        let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let manifest = Path::new(&package).join("../Cargo.toml");
        let manifest = manifest
            .canonicalize()
            .with_context(|| format!("no workspace at {}", manifest.display()))?;
        let root = manifest.parent().context("a manifest is in a folder")?.to_path_buf();
        let described = cargo_in(&root)
            .args(["metadata", "--format-version=1", "--no-deps"])
            .capture()
            .context("cargo cannot read this workspace")?;
        let metadata = serde_json::from_str(&described).context("cannot understand `cargo metadata`")?;
        Ok(Self { root, metadata })
    }

    /// The repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> &Path {
        &self.metadata.target_directory
    }

    /// Where the compiled guests are.
    pub(crate) fn guests(&self) -> PathBuf {
        self.target().join(GUEST_TARGET).join(GUEST_PROFILE)
    }

    /// `cargo` at the root of the workspace.
    pub(crate) fn cargo<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        cargo_in(&self.root).args(arguments)
    }

    /// The packages that are guests, but those of [`Self::guests_apart`]: those that build a `cdylib`. In the order of their
    /// names.
    pub(crate) fn guest_packages(&self) -> Vec<String> {
        let apart = self.guests_apart();
        let mut names: Vec<String> = self.packages_with("cdylib").map(|(package, _)| package).collect();
        names.retain(|name| apart.iter().all(|guest| guest.package != *name));
        names.sort();
        names
    }

    /// The guests whose manifest names the feature that they are built apart with.
    pub(crate) fn guests_apart(&self) -> Vec<GuestApart> {
        let packages = self.metadata.packages.iter();
        packages
            .filter_map(|package| {
                let guest = package.metadata.as_ref()?.guest.as_ref()?;
                Some(GuestApart {
                    package: package.name.clone(),
                    feature: guest.apart.clone(),
                })
            })
            .collect()
    }

    /// The names of all binaries, but that of this program and those of the benchmark, which are built in release only.
    pub(crate) fn binaries(&self) -> Vec<String> {
        let mut names: Vec<String> = self.packages_with("bin").map(|(_, binary)| binary).collect();
        names.retain(|name| name != env!("CARGO_PKG_NAME") && !name.starts_with("bench-"));
        names.sort();
        names
    }

    /// The package that builds the binary with this name.
    pub(crate) fn package_of_binary(&self, binary: &str) -> Result<String> {
        self.packages_with("bin")
            .find(|(_, target)| target == binary)
            .map(|(package, _)| package)
            .with_context(|| format!("no package of this workspace has a binary named `{binary}`"))
    }

    /// Each target of this kind as (package name, target name).
    fn packages_with(&self, kind: &str) -> impl Iterator<Item = (String, String)> {
        self.metadata.packages.iter().flat_map(move |package| {
            package
                .targets
                .iter()
                .filter(move |target| target.kind.iter().any(|each| each == kind))
                .map(|target| (package.name.clone(), target.name.clone()))
        })
    }
}

/// The cargo that runs this program (so: of the same toolchain), free of the variables that it sets for a package
/// being run. With those left in, build scripts that look at them would run again at each change of caller.
pub(crate) fn cargo_in(directory: &Path) -> Run {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut run = Run::new(cargo).within(directory).limit_minutes(60);
    for (name, _) in std::env::vars_os() {
        let leftover = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        });
        if leftover {
            run = run.without_env(name);
        }
    }
    run
}
