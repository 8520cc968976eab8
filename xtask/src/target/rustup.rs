//! The usual way to the target: rustup downloads it.

use anyhow::Result;

use super::probe::Toolchain;
use crate::process::Run;
use crate::report;
use crate::workspace::GUEST_TARGET;

/// Adds the target to the toolchain in use.
///
/// # Errors
/// There is no rustup, it can't download, or it manages another toolchain than the one in use.
pub(super) fn add(toolchain: &Toolchain) -> Result<()> {
    report::step(&format!("rustup target add {GUEST_TARGET}"));
    // `cargo` started through rustup sets RUSTUP_TOOLCHAIN, so this adds to the toolchain that runs this program.
    Run::new("rustup")
        .args(["target", "add", GUEST_TARGET])
        .limit_minutes(5)
        .capture()?;
    toolchain.expect_installed()
}
