//! Builds the programs of this workspace: the product, and what it is tested against.
//!
//! In one build all would share the features of their dependencies, and the product would run with what the stock cluster crate or
//! a test switches on, not with what its users get. So packages are built together only if that changes nothing that they do.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::report;
use crate::workspace::Workspace;

/// The plain host, which runs guests only.
pub(crate) const HOST: &str = "ractor-host";
/// The embedding example: the same host with the counter compiled in as a native actor kind.
pub(crate) const EMBEDDING: &str = "counter-node";

/// The package whose manifest makes wasmtime the same for programs and for tests. It says how.
const ONE_BUILD: &str = "one-build";

/// The packages that are built together, with what else is named for its features. Any other is built by itself.
const TOGETHER: [&[&str]; 3] = [
    // Nodes with guests.
    &[
        "counter-node",
        "key-value",
        "polyglot",
        "ractor-host",
        "router",
        "shop",
        ONE_BUILD,
    ],
    // Peers with the defaults of `ractor_cluster`.
    &["host-peer", "stock-peer"],
    // Programs on the cluster layer without any feature.
    &["ractor-host-tests", "unix-socket"],
];

/// Builds the packages with these binaries. Gives the folder that holds the programs, away from where later builds of
/// cargo would replace them.
///
/// # Errors
/// A package doesn't build, or the folder can't be written.
pub(crate) fn build<'a>(workspace: &Workspace, binaries: impl IntoIterator<Item = &'a str>) -> Result<PathBuf> {
    let folder = workspace.target().join("programs");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (packages, binaries) in groups(workspace, binaries)? {
        report::step(&format!("build the programs {}", binaries.join(", ")));
        workspace
            .cargo(["build"])
            .args(packages.iter().flat_map(|package| ["--package", package]))
            .args(binaries.iter().flat_map(|binary| ["--bin", binary]))
            .show()?;
        for binary in binaries {
            replace(&workspace.target().join("debug").join(&binary), &folder.join(&binary))?;
        }
    }
    Ok(folder)
}

/// The command line that builds the nodes with guests, for whoever asks cargo what belongs to them.
pub(crate) fn nodes_with_guests() -> impl Iterator<Item = &'static str> {
    let packages = TOGETHER.iter().filter(|packages| packages.contains(&ONE_BUILD));
    let packages = packages.flat_map(|packages| packages.iter());
    ["build", "--bin", HOST]
        .into_iter()
        .chain(packages.flat_map(|package| ["--package", package]))
}

/// The packages of each build, and the binaries that are wanted of them.
type Group = (Vec<String>, Vec<String>);

fn groups<'a>(workspace: &Workspace, binaries: impl IntoIterator<Item = &'a str>) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    for binary in binaries {
        let package = workspace.package_of_binary(binary)?;
        let packages = built_with(&package);
        match groups.iter_mut().find(|(already, _)| *already == packages) {
            Some((_, binaries)) => binaries.push(binary.to_owned()),
            None => groups.push((packages, vec![binary.to_owned()])),
        }
    }
    Ok(groups)
}

/// The packages that are built in one command with this one, itself included.
fn built_with(package: &str) -> Vec<String> {
    let together = TOGETHER.iter().find(|packages| packages.contains(&package));
    let packages = together.map_or_else(|| vec![package], |packages| packages.to_vec());
    packages.into_iter().map(str::to_owned).collect()
}

/// Builds every program that tests use, as [`build`].
///
/// # Errors
/// As [`build`].
pub(crate) fn build_all(workspace: &Workspace) -> Result<PathBuf> {
    build(workspace, workspace.binaries().iter().map(String::as_str))
}

/// Builds `ractor-host` with a feature of it that breaks it on purpose. Gives the folder that holds it, and nothing besides.
///
/// # Errors
/// It doesn't build, or the folder can't be written.
pub(crate) fn build_broken(workspace: &Workspace, feature: &str) -> Result<PathBuf> {
    let folder = workspace.target().join("broken").join(feature);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    report::step(&format!("build {HOST} with {feature}"));
    workspace
        .cargo(nodes_with_guests())
        .args(["--features", &format!("{HOST}/{feature}")])
        .show()?;
    replace(&workspace.target().join("debug").join(HOST), &folder.join(HOST))?;
    Ok(folder)
}

/// Puts `file` at `place`, as a link where that is possible: programs with debug information are large.
pub(crate) fn replace(file: &Path, place: &Path) -> Result<()> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace {}", place.display()));
        }
        _ => {}
    }
    if fs::hard_link(file, place).is_err() {
        fs::copy(file, place).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_built_together_where_that_changes_nothing() -> Result<()> {
        let workspace = Workspace::find()?;
        let named = ["ractor-host", "unix-socket", "stock-peer", "router", "capture-frames"];
        let groups = groups(&workspace, named)?;
        let binaries: Vec<String> = groups.iter().map(|(_, binaries)| binaries.join(" ")).collect();
        assert_eq!(
            binaries,
            ["ractor-host router", "unix-socket", "stock-peer capture-frames"]
        );
        let packages: Vec<String> = groups.iter().map(|(packages, _)| packages.join(" ")).collect();
        assert_eq!(
            packages,
            [
                "counter-node key-value polyglot ractor-host router shop one-build",
                "ractor-host-tests unix-socket",
                "host-peer stock-peer"
            ]
        );
        Ok(())
    }
}
