//! Builds the standard library for the guest target from source and installs it where rustc looks for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::probe::{MARKER, Toolchain};
use crate::report;
use crate::workspace::{GUEST_TARGET, cargo_in};

/// What wasi-libc gives to the linking of every guest.
const SELF_CONTAINED: [&str; 3] = ["crt1-command.o", "crt1-reactor.o", "libc.a"];

/// Builds `std` and what it depends on from rustc's `library` folder. Gives the folder that holds the rlibs.
pub(super) fn build(library: &Path, scratch: &Path) -> Result<PathBuf> {
    report::note("build the standard library from its source");
    let target = scratch.join("std-target");
    cargo_in(&library.join("sysroot"))
        .args(["build", "--release", "--target", GUEST_TARGET])
        .args(["--no-default-features", "--features", "compiler-builtins-mem"])
        .args(["--target-dir".as_ref(), target.as_os_str()])
        // These make the crates part of a sysroot: unstable to use directly, and never mixed up with a user's own
        // copy of the same crate.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_DEFAULT_LIB_METADATA", "sysroot")
        .env("RUSTFLAGS", "-Zforce-unstable-if-unmarked -Cembed-bitcode=yes")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .without_env("CARGO_ENCODED_RUSTFLAGS")
        .without_env("CARGO_BUILD_TARGET")
        .limit_minutes(30)
        .capture()
        .context("the standard library does not build")?;
    Ok(target.join(GUEST_TARGET).join("release/deps"))
}

/// Puts the rlibs and the parts of wasi-libc into the toolchain, all or nothing.
pub(super) fn install(built: &Path, wasi_libc: &Path, toolchain: &Toolchain) -> Result<()> {
    let place = &toolchain.libraries;
    report::note(&format!("install it in {}", place.display()));
    let parent = place
        .parent()
        .with_context(|| format!("{} is in no folder", place.display()))?;
    let refused = || format!("cannot write in {}, where rustc's targets are", parent.display());
    fs::create_dir_all(parent).with_context(refused)?;
    let staged = tempfile::Builder::new()
        .prefix("lib-")
        .tempdir_in(parent)
        .with_context(refused)?;

    let rlibs = rlibs(built)?;
    if rlibs.is_empty() {
        bail!("the build left no rlib in {}", built.display());
    }
    for rlib in &rlibs {
        copy_into(rlib, staged.path())?;
    }
    let self_contained = staged.path().join("self-contained");
    fs::create_dir(&self_contained)?;
    for name in SELF_CONTAINED {
        copy_into(&wasi_libc.join(name), &self_contained)?;
    }
    fs::write(staged.path().join(MARKER), format!("{}\n", toolchain.version))?;
    make_readable(staged.path())?;

    if place.exists() {
        fs::remove_dir_all(place).with_context(|| format!("cannot replace {}", place.display()))?;
    }
    fs::rename(staged.path(), place).with_context(|| format!("cannot put {} in place", place.display()))?;
    // It has moved, so there is nothing left to remove.
    drop(staged.keep());
    Ok(())
}

/// A temporary folder is its owner's alone; a toolchain may be shared.
fn make_readable(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn rlibs(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rlib") {
            found.push(path);
        }
    }
    Ok(found)
}

fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let name = file
        .file_name()
        .with_context(|| format!("{} names no file", file.display()))?;
    fs::copy(file, folder.join(name))
        .map(drop)
        .with_context(|| format!("cannot copy {}", file.display()))
}
