//! A wall clock of a node's own, which a test sets: libfaketime stands between the process and the system's.
//!
//! The clock of leases is another one, which nobody sets: it counts how long it has been.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Names the library, if it is to be looked for nowhere else.
const VARIABLE: &str = "RACTOR_TEST_FAKETIME";

/// Its name where Debian and its kin have it.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The library; none, with a line that says so, where there is none.
pub(crate) fn library() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let debian = format!("/usr/lib/{}-linux-gnu/{LIBRARY}", std::env::consts::ARCH);
        let path = std::env::var_os(VARIABLE).map_or_else(|| debian.into(), PathBuf::from);
        let found = Some(path).filter(|path| path.is_file());
        if found.is_none() {
            eprintln!("NOT TESTED: nodes whose clocks differ: no libfaketime in {VARIABLE} or where Debian has it");
        }
        found
    });
    found.as_deref()
}

/// Has the program read its wall clock with the offset that is in this file, and look for another one once a second.
pub(crate) fn set_up(command: &mut Command, library: &Path, offset: &Path) {
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", offset)
        .env("FAKETIME_CACHE_DURATION", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}
