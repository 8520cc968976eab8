//! What was deployed stays deployed: after a restart a module runs what it ran before, not what its file has.
//!
//! Until that file changes: then somebody has put something newer there, and it wins.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::guest::{Digest, ModuleSource};

/// In bytes. What names a few modules is short.
const LARGEST_FILE: u64 = 4 << 20;

/// The file that says what was deployed, and what it says.
#[derive(Debug)]
pub(super) struct Deployed {
    path: PathBuf,
    modules: Mutex<BTreeMap<String, Deployment>>,
}

/// What a module runs in place of its own file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Deployment {
    /// The component that was deployed, which is in the node's store.
    digest: String,
    /// The digest that the module's own file had then; none if there was no such file.
    instead_of: Option<String>,
}

impl Deployed {
    /// Reads the file, if there is one. One that can't be read is as good as none: every module runs its own file.
    pub(super) fn open(path: PathBuf) -> Self {
        let modules = match read(&path) {
            Ok(modules) => modules,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "it is not known what was deployed; modules run their own files");
                BTreeMap::new()
            }
        };
        Self {
            path,
            modules: Mutex::new(modules),
        }
    }

    /// The digest of what is to run in place of a module's file, which has this digest now.
    pub(super) fn in_place_of(&self, module: &str, file: Option<Digest>) -> Option<Digest> {
        let modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let deployment = modules.get(module)?;
        let file = file.map(|digest| digest.to_string());
        if deployment.instead_of != file {
            tracing::info!(
                module,
                "the module's file has changed since something else was deployed: the file it is"
            );
            return None;
        }
        deployment.digest.parse().ok()
    }

    /// From now on a module runs this component in place of its own file, which has this digest now.
    ///
    /// # Errors
    /// It can't be written down, and is forgotten with the next restart.
    pub(super) fn set(&self, module: &str, digest: Digest, instead_of: Option<Digest>) -> std::io::Result<()> {
        let deployment = Deployment {
            digest: digest.to_string(),
            instead_of: instead_of.map(|digest| digest.to_string()),
        };
        self.change(|modules| modules.insert(module.to_owned(), deployment))
    }

    /// From now on a module runs its own file.
    ///
    /// # Errors
    /// It can't be written down.
    pub(super) fn clear(&self, module: &str) -> std::io::Result<()> {
        self.change(|modules| modules.remove(module))
    }

    /// The components that modules run in place of their files.
    pub(super) fn digests(&self) -> Vec<Digest> {
        let modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        modules
            .values()
            .filter_map(|deployment| deployment.digest.parse().ok())
            .collect()
    }

    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Deployment>) -> Option<Deployment>,
    ) -> std::io::Result<()> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let before = modules.clone();
        change(&mut modules);
        if *modules == before {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(std::path::Path::new(""));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec_pretty(&*modules)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

fn read(path: &std::path::Path) -> std::io::Result<BTreeMap<String, Deployment>> {
    match files::read(path, LARGEST_FILE) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

/// The digest of a module's own file, if it can be read.
pub(super) fn file_digest(source: &ModuleSource) -> Option<Digest> {
    // What can't be read is reported by whoever loads it.
    let bytes = files::read(&source.path, files::LARGEST);
    bytes.ok().map(|bytes| Digest::of(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deployed_stays_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deployed.json");
        let digest = |text: &str| Digest::of(text.as_bytes());
        let deployed = Deployed::open(path.clone());
        assert_eq!(deployed.in_place_of("counter", Some(digest("v1"))), None);
        deployed.set("counter", digest("v2"), Some(digest("v1"))).unwrap();
        deployed.set("greeter", digest("g2"), None).unwrap();
        let deployed = Deployed::open(path.clone());
        assert_eq!(deployed.in_place_of("counter", Some(digest("v1"))), Some(digest("v2")));
        assert_eq!(
            deployed.in_place_of("counter", Some(digest("v3"))),
            None,
            "the file is newer"
        );
        assert_eq!(deployed.in_place_of("counter", None), None);
        assert_eq!(deployed.in_place_of("greeter", None), Some(digest("g2")));
        assert_eq!(deployed.digests(), [digest("v2"), digest("g2")]);
        deployed.clear("counter").unwrap();
        let deployed = Deployed::open(path.clone());
        assert_eq!(deployed.in_place_of("counter", Some(digest("v1"))), None);
        std::fs::write(&path, "{").unwrap();
        assert!(
            Deployed::open(path).digests().is_empty(),
            "a damaged file is as good as none"
        );
    }
}
