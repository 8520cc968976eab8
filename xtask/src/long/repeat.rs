//! Whether the guests in Rust come out the same when they are built again, from nothing and in another folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::guests;
use crate::report;
use crate::workspace::{GUEST_PROFILE, GUEST_TARGET, Workspace};

/// The digest of each component, by the name of its file.
type Digests = BTreeMap<String, Vec<u8>>;

/// Builds them twice and compares.
///
/// # Errors
/// They don't compile, or one of them differs.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    guests::build(workspace)?;
    report::step("the guests once more, from nothing");
    let again = workspace.target().join("again");
    // What an earlier run left would be taken for what this one builds.
    remove(&again)?;
    guests::compile(workspace, Some(&again))?;
    let built = digests(&again.join(GUEST_TARGET).join(GUEST_PROFILE))?;
    let different = differing(&digests(&workspace.guests())?, &built);
    remove(&again)?;
    if built.is_empty() {
        bail!("nothing was built in {}", again.display());
    }
    if different.is_empty() {
        report::note(&format!("{} components, each the same as before", built.len()));
        return Ok(());
    }
    bail!(
        "built again, these components are others: {}; a rollout would take them for new code",
        different.join(", ")
    )
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Of the components in a folder.
fn digests(folder: &Path) -> Result<Digests> {
    let mut digests = Digests::new();
    let files = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            digests.insert(name, Sha256::digest(&bytes).to_vec());
        }
    }
    Ok(digests)
}

/// Those of the second build that the first has not, or has with other bytes. The first has guests in other languages besides.
fn differing(first: &Digests, second: &Digests) -> Vec<String> {
    let differs = |(name, digest): &(&String, &Vec<u8>)| first.get(*name) != Some(*digest);
    second.iter().filter(differs).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[(&str, &str)]) -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        for (name, content) in files {
            fs::write(folder.path().join(name), content)?;
        }
        Ok(folder)
    }

    #[test]
    fn a_component_with_other_bytes_is_named_and_what_was_not_built_again_is_not() -> Result<()> {
        let first = folder_with(&[("a.wasm", "1"), ("b.wasm", "2"), ("py.wasm", "3"), ("a.d", "")])?;
        let second = folder_with(&[("a.wasm", "1"), ("b.wasm", "other"), ("new.wasm", "4"), ("b.d", "")])?;
        let (first, second) = (digests(first.path())?, digests(second.path())?);
        assert_eq!(differing(&first, &second), ["b.wasm", "new.wasm"]);
        assert_eq!(differing(&second, &second), Vec::<String>::new());
        Ok(())
    }
}
