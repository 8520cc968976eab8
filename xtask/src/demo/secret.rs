//! The secrets of a demo, such as the cookie that its nodes share: new for each run, and their owner's alone.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a new one.
pub(super) fn write(file: &Path) -> Result<()> {
    let mut secret = [0_u8; 24];
    fs::File::open("/dev/urandom")?.read_exact(&mut secret)?;
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    file.write_all(text.as_bytes()).context("cannot write a secret")
}
