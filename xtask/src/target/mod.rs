//! Makes rustc's wasm32-wasip2 target available, by the first of these that works:
//!
//! 1. it is there already;
//! 2. `rustup target add`, what nearly every machine does;
//! 3. built from the source packages of Debian's archive, where rustup is missing or can't download.

mod debian;
mod probe;
mod rustup;
mod std_build;

use anyhow::{Context, Result, anyhow};

use self::probe::{Missing, Toolchain};
use crate::report;
use crate::workspace::{GUEST_TARGET, Workspace};

/// Makes the target available. Does nothing if it is.
///
/// # Errors
/// No way worked; the error says why for each, and what to install by hand.
pub(crate) fn set_up(workspace: &Workspace) -> Result<()> {
    report::step(&format!("look for rustc's {GUEST_TARGET} target"));
    let toolchain = Toolchain::find(workspace.root())?;
    let Some(missing) = toolchain.missing()? else {
        report::note(&format!("there already, for rustc {}", toolchain.release));
        return Ok(());
    };
    report::note(&format!("{missing} (rustc {})", toolchain.release));

    if missing == Missing::Outdated {
        toolchain.remove_own()?;
    }

    let by_rustup = match rustup::add(&toolchain) {
        Ok(()) => return Ok(()),
        Err(error) => format!("{error:#}"),
    };
    report::note(&by_rustup);
    let by_debian = match from_debian(workspace, &toolchain) {
        Ok(()) => return Ok(()),
        Err(error) => format!("{error:#}"),
    };
    Err(anyhow!(
        "rustc {} has no {GUEST_TARGET} target, and it could not be added\n\n\
         with rustup: {by_rustup}\n\n\
         from Debian's packages: {by_debian}\n\n\
         What to do: run `rustup target add {GUEST_TARGET}` where rustup can download, or install your distribution's \
         package of it. Only guests need it; the host builds without.",
        toolchain.release
    ))
}

/// Downloads the sources into a scratch folder, builds and installs them, and leaves nothing else behind.
fn from_debian(workspace: &Workspace, toolchain: &Toolchain) -> Result<()> {
    report::step("build the target from Debian's rust-src and wasi-libc packages (a few minutes)");
    std::fs::create_dir_all(workspace.target())?;
    let scratch = tempfile::Builder::new()
        .prefix("setup-target-")
        .tempdir_in(workspace.target())
        .with_context(|| format!("cannot write in {}", workspace.target().display()))?;
    let sources = debian::download(scratch.path(), &toolchain.release)?;
    let built = std_build::build(&sources.library, scratch.path())?;
    std_build::install(&built, &sources.wasi_libc, toolchain)?;
    toolchain.expect_installed()
}
