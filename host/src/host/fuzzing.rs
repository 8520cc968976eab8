//! What the fuzz target `records` calls: the record of what is deployed.

use std::fs;
use std::path::Path;

use super::deployment_record::{DeploymentRecord, DeploymentState, OwnFile};
use crate::guest::{Digest, ModuleSource};

/// Bytes in the place of the record: they are read or put aside, and what is written afterwards is read again. `folder` is
/// used for it.
///
/// # Errors
/// The folder can't be used.
pub(crate) fn deployment_record(folder: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let path = folder.join("deployed.json");
    fs::write(&path, bytes)?;
    let deployed = DeploymentRecord::open(path.clone())?;
    // Who opens it again finds the same.
    let digests = deployed.digests();
    assert_eq!(DeploymentRecord::open(path.clone())?.digests(), digests);
    let newest = Digest::of(b"newest");
    deployed.set("counter", newest, None)?;
    let again = DeploymentRecord::open(path)?;
    let own = ModuleSource {
        name: "counter".to_owned(),
        path: folder.join("never-read.wasm"),
        digest: None,
        source: None,
    };
    assert_eq!(again.state_of(&own, OwnFile::Missing), DeploymentState::Runs(newest));
    assert_eq!(again.digests(), deployed.digests());
    Ok(())
}
