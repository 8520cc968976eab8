//! Builds what is measured, in release. Each program by itself, so that it has the features that its users get; those that measure guests
//! in pairs, since both of a pair have all of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::guests;
use crate::process::Run;
use crate::programs::{HOST, replace};
use crate::report;
use crate::workspace::Workspace;

/// The programs that are measured.
pub(super) struct Programs {
    /// On this project's cluster layer.
    pub(super) ours: PathBuf,
    /// The same on the published one.
    pub(super) stock: PathBuf,
    /// Without a cluster.
    pub(super) raw: PathBuf,
    /// The folder with the certificates for TLS.
    pub(super) certificates: PathBuf,
}

/// Builds the programs and makes certificates for them.
///
/// # Errors
/// A program doesn't build, or the folder can't be written.
pub(super) fn build(workspace: &Workspace, folder: &Path) -> Result<Programs> {
    let certificates = folder.join("certificates");
    fs::create_dir_all(&certificates).with_context(|| format!("cannot create {}", certificates.display()))?;
    let programs = Programs {
        raw: release(workspace, "bench-raw", folder)?,
        ours: release(workspace, "bench-peer", folder)?,
        stock: release(workspace, "bench-stock-peer", folder)?,
        certificates,
    };
    Run::new(&programs.ours)
        .args(["--make-certificates".as_ref(), programs.certificates.as_os_str()])
        .capture()
        .context("cannot make certificates")?;
    Ok(programs)
}

/// What is measured with guests.
pub(super) struct GuestPrograms {
    /// A node that runs guests.
    pub(super) node: PathBuf,
    /// The counter as a component.
    pub(super) component: PathBuf,
}

/// Builds the node with guests, and the guests.
///
/// # Errors
/// As [`build`].
pub(super) fn build_guests(workspace: &Workspace, folder: &Path) -> Result<GuestPrograms> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let component = guests::build(workspace)?.join("counter.wasm");
    let node = release(workspace, "bench-guests", folder)?;
    Ok(GuestPrograms { node, component })
}

/// What looking at a node is measured with.
pub(super) struct OperatePrograms {
    /// What is counted.
    pub(super) program: PathBuf,
    /// The product.
    pub(super) host: PathBuf,
    /// The counter as a component.
    pub(super) component: PathBuf,
    /// Where nodes keep what they compiled.
    pub(super) folder: PathBuf,
}

/// Builds these, and the guests.
///
/// # Errors
/// As [`build`].
pub(super) fn build_operate(workspace: &Workspace, folder: &Path) -> Result<OperatePrograms> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let component = guests::build(workspace)?.join("counter.wasm");
    let [program, host] = releases(workspace, ["bench-figures", HOST], folder)?;
    Ok(OperatePrograms {
        program,
        host,
        component,
        folder: folder.to_owned(),
    })
}

/// What entities are measured with.
pub(super) struct EntityPrograms {
    /// A node, and a server of PostgreSQL.
    pub(super) node: PathBuf,
}

/// Builds that.
///
/// # Errors
/// As [`build`].
pub(super) fn build_entities(workspace: &Workspace, folder: &Path) -> Result<EntityPrograms> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let node = release(workspace, "bench-entities", folder)?;
    Ok(EntityPrograms { node })
}

/// What languages are measured with.
pub(super) struct LanguagePrograms {
    /// A node that runs guests.
    pub(super) guests: GuestPrograms,
    /// The product.
    pub(super) host: PathBuf,
    /// The folder with the kitchens of the tests.
    pub(super) kitchens: PathBuf,
}

/// Builds the product, a node with guests, and the guests in all languages.
///
/// # Errors
/// As [`build`].
pub(super) fn build_languages(workspace: &Workspace, folder: &Path) -> Result<LanguagePrograms> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let component = guests::build(workspace)?.join("counter.wasm");
    let [node, host] = releases(workspace, ["bench-guests", HOST], folder)?;
    let kitchens = guests::build_all(workspace)?;
    let guests = GuestPrograms { node, component };
    Ok(LanguagePrograms { guests, host, kitchens })
}

/// Builds the program of the package with this name.
pub(super) fn release(workspace: &Workspace, name: &str, folder: &Path) -> Result<PathBuf> {
    releases(workspace, [name], folder).map(|[program]| program)
}

/// Builds the programs of the packages with these names, by one command: alone, each would have features of its dependencies that the other
/// doesn't ask for, and cargo would compile most of these for each.
fn releases<const COUNT: usize>(
    workspace: &Workspace,
    names: [&str; COUNT],
    folder: &Path,
) -> Result<[PathBuf; COUNT]> {
    report::step(&format!("build the programs {}, in release", names.join(" and ")));
    let chosen = names.iter().flat_map(|name| ["--package", name, "--bin", name]);
    workspace
        .cargo(["build", "--release"].into_iter().chain(chosen))
        // Which the link-time optimization of the profile can't be combined with.
        .env("CARGO_INCREMENTAL", "0")
        .show()?;
    let release = workspace.target().join("release");
    for name in names {
        replace(&release.join(name), &folder.join(name))?;
    }
    Ok(names.map(|name| folder.join(name)))
}
