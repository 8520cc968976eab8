//! What was deployed stays deployed: after a restart a module runs what it ran before, not what its file has.
//!
//! Until that file changes: then somebody has put something newer there, and it wins.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::folder_lock::FolderLock;
use crate::files::{self, ReadError};
use crate::guest::{Digest, ModuleSource};

/// The largest record that is read, in bytes: what names a few modules is short.
const LARGEST_FILE: u64 = 4 << 20;

/// The room that one more deployment takes in the file at most, in bytes.
const ROOM: usize = 4 << 10;

/// What the file says: what each module runs in place of its own file.
type Record = BTreeMap<String, Deployment>;

/// The file that says what was deployed, and what it says.
#[derive(Debug)]
pub(super) struct DeploymentRecord {
    path: PathBuf,
    /// What is deployed. Nobody waits for the disk who asks for this.
    modules: Mutex<Record>,
    /// What the file is known to say; none after an attempt to write it that failed. Held while it is written.
    written: Mutex<Option<Record>>,
    /// Held for as long as somebody may write it.
    _lock: Option<FolderLock>,
}

/// What a module runs in place of its own file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Deployment {
    /// The component that was deployed, or the source of a module that has one; it is in the node's store.
    digest: String,
    /// The digest that the module's own file had then; none if there was no such file.
    instead_of: Option<String>,
}

impl DeploymentRecord {
    /// Reads the file, if there is one. One that makes no sense is put aside: every module runs its own file.
    ///
    /// # Errors
    /// It is there and can't be read: it is not known what was deployed, and what is known next would take its place.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let modules = match read(&path)? {
            Ok(modules) => modules,
            Err(error) => {
                let aside = files::aside(&path);
                tracing::error!(
                    path = %path.display(), aside = %aside.display(), error,
                    "the record of what was deployed is damaged and put aside: modules run their own files"
                );
                files::rename(&path, &aside)?;
                Record::new()
            }
        };
        Ok(Self::of(path, modules))
    }

    /// The same without touching anything, for callers that only want to know what would run.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub(super) fn look(path: PathBuf) -> io::Result<Self> {
        let modules = read(&path)?.unwrap_or_default();
        Ok(Self::of(path, modules))
    }

    fn of(path: PathBuf, modules: Record) -> Self {
        let written = Some(modules.clone());
        Self {
            path,
            modules: Mutex::new(modules),
            written: Mutex::new(written),
            _lock: None,
        }
    }

    /// The same, which keeps this until it is dropped.
    pub(super) fn with(self, lock: FolderLock) -> Self {
        Self {
            _lock: Some(lock),
            ..self
        }
    }

    /// What is to run of what was deployed for a module, whose own file is `file` now.
    ///
    /// A file that has changed since then wins: somebody has put something newer there. One that is gone, or can't be read now, has
    /// not changed. What node.toml pins by `digest` wins over both.
    pub(super) fn state_of(&self, own: &ModuleSource, file: OwnFile) -> DeploymentState {
        let Some(Deployment { digest, instead_of }) = self.modules.lock().get(&own.name).cloned() else {
            return DeploymentState::Nothing;
        };
        let Ok(digest) = digest.parse::<Digest>() else {
            return DeploymentState::Nothing;
        };
        if own.digest.is_some_and(|pinned| Some(pinned) != version(own, digest)) {
            return DeploymentState::Forbidden(digest);
        }
        match file {
            OwnFile::Is(file) if own.digest.is_none() && instead_of != Some(file.to_string()) => {
                DeploymentState::Outdated
            }
            OwnFile::Is(_) | OwnFile::Missing | OwnFile::Unread => DeploymentState::Runs(digest),
        }
    }

    /// True if a module runs something else than its own file.
    pub(super) fn has(&self, module: &str) -> bool {
        self.modules.lock().contains_key(module)
    }

    /// From now on a module runs this component in place of its own file, which has this digest now.
    ///
    /// # Errors
    /// It can't be written down, and may be forgotten with the next restart. The next change writes it down with itself.
    pub(super) fn set(&self, module: &str, digest: Digest, instead_of: Option<Digest>) -> io::Result<()> {
        let deployment = Deployment {
            digest: digest.to_string(),
            instead_of: instead_of.map(|digest| digest.to_string()),
        };
        self.change(|modules| modules.insert(module.to_owned(), deployment))
    }

    /// From now on a module runs its own file.
    ///
    /// # Errors
    /// It can't be written down, as with [`set`](Self::set).
    pub(super) fn clear(&self, module: &str) -> io::Result<()> {
        self.change(|modules| modules.remove(module))
    }

    /// The components that modules run in place of their files.
    pub(super) fn digests(&self) -> Vec<Digest> {
        let modules = self.modules.lock();
        modules
            .values()
            .filter_map(|deployment| deployment.digest.parse().ok())
            .collect()
    }

    /// Finds out whether something could be written down now, before anything is done that should be.
    ///
    /// # Errors
    /// It could not.
    pub(super) fn rehearse(&self) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(&*self.modules.lock())?;
        // A deployment is shorter than this.
        files::rehearse(&self.path, &[bytes, vec![b' '; ROOM]].concat())
    }

    /// Writes down what an earlier attempt could not.
    ///
    /// # Errors
    /// It can't be written down this time either.
    pub(super) fn write_pending(&self) -> io::Result<()> {
        self.change(|_| None)
    }

    fn change(&self, change: impl FnOnce(&mut Record) -> Option<Deployment>) -> io::Result<()> {
        // In memory first, whatever the disk says: this is what runs, and the next change writes it down with itself.
        change(&mut self.modules.lock());
        // The lock of `modules` is free again, so whoever only asks what is deployed doesn't wait for the disk.
        let mut written = self.written.lock();
        // The newest, which may have more changes than this one.
        let modules = self.modules.lock().clone();
        if written.as_ref() == Some(&modules) {
            return Ok(());
        }
        let bytes = serde_json::to_vec_pretty(&modules)?;
        // Until it has succeeded it is not known what the file says.
        *written = None;
        files::replace(&self.path, &[&bytes])?;
        *written = Some(modules);
        Ok(())
    }
}

/// What the file says, or why that makes no sense.
fn read(path: &Path) -> io::Result<Result<Record, String>> {
    match files::read(path, LARGEST_FILE) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).map_err(|error| error.to_string())),
        Err(error) if error.is_not_found() => Ok(Ok(Record::new())),
        Err(error @ ReadError::TooLarge(_)) => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// What is known of a module's own file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnFile {
    Is(Digest),
    Missing,
    /// It is there, and can't be read now.
    Unread,
}

impl OwnFile {
    pub(super) fn of(own: &ModuleSource) -> Self {
        match file_digest(own) {
            Ok(Some(digest)) => Self::Is(digest),
            Ok(None) => Self::Missing,
            Err(_) => Self::Unread,
        }
    }
}

/// Whether what was deployed for a module is what it runs when its node starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeploymentState {
    /// Nothing was deployed.
    Nothing,
    /// This runs.
    Runs(Digest),
    /// The module's own file has changed since then, and runs. What was deployed does not come back with the file of that time.
    Outdated,
    /// This was deployed, and node.toml pins the module to something else, which runs. It is back when the pin is gone.
    Forbidden(Digest),
}

/// The digest of a module's own file, if there is such a file.
///
/// # Errors
/// It can't be read.
pub(super) fn file_digest(source: &ModuleSource) -> Result<Option<Digest>, ReadError> {
    match source.digest_of_files(files::LARGEST) {
        Ok(digest) => Ok(Some(digest)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The version that a module is with what was deployed: that itself or, of a module with a source, its component with the source that
/// was deployed. None if the component can't be read.
pub(super) fn version(own: &ModuleSource, deployed: Digest) -> Option<Digest> {
    match &own.source {
        Some(_) => Some(Digest::of_file(&own.path, files::LARGEST).ok()?.with_source(deployed)),
        None => Some(deployed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::fault::{Disk, ERRORS};

    fn module(name: &str, pinned: Option<Digest>) -> ModuleSource {
        ModuleSource {
            name: name.to_owned(),
            path: PathBuf::from("never-read.wasm"),
            digest: pinned,
            source: None,
        }
    }

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    #[test]
    fn what_was_deployed_stays_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deployed.json");
        let (counter, greeter) = (module("counter", None), module("greeter", None));
        let is = |text: &str| OwnFile::Is(digest(text));
        let deployed = DeploymentRecord::open(path.clone()).unwrap();
        assert_eq!(deployed.state_of(&counter, is("v1")), DeploymentState::Nothing);
        deployed.set("counter", digest("v2"), Some(digest("v1"))).unwrap();
        deployed.set("greeter", digest("g2"), None).unwrap();
        let deployed = DeploymentRecord::open(path.clone()).unwrap();
        for unchanged in [is("v1"), OwnFile::Missing, OwnFile::Unread] {
            assert_eq!(
                deployed.state_of(&counter, unchanged),
                DeploymentState::Runs(digest("v2")),
                "{unchanged:?}"
            );
        }
        assert_eq!(
            deployed.state_of(&greeter, OwnFile::Missing),
            DeploymentState::Runs(digest("g2"))
        );
        assert_eq!(deployed.digests(), [digest("v2"), digest("g2")]);
        assert_eq!(
            deployed.state_of(&counter, is("v3")),
            DeploymentState::Outdated,
            "the file is newer"
        );
        std::fs::write(&path, "{").unwrap();
        assert!(DeploymentRecord::look(path.clone()).unwrap().digests().is_empty());
        assert_eq!(std::fs::read(&path).unwrap(), b"{", "a look changes nothing");
        assert!(
            DeploymentRecord::open(path.clone()).unwrap().digests().is_empty(),
            "a damaged file is as good as none"
        );
        std::fs::write(&path, "[").unwrap();
        assert!(DeploymentRecord::open(path.clone()).unwrap().digests().is_empty());
        let aside = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let aside: std::collections::BTreeSet<_> = aside.map(|path| std::fs::read(path).unwrap()).collect();
        assert!(
            aside.contains(&b"{"[..]) && aside.contains(&b"["[..]),
            "the second leaves the first where it is: {aside:?}"
        );
    }

    #[test]
    fn what_a_digest_in_node_toml_forbids_does_not_run_and_what_it_asks_for_does() {
        let folder = tempfile::tempdir().unwrap();
        let deployed = DeploymentRecord::open(folder.path().join("deployed.json")).unwrap();
        deployed.set("counter", digest("v2"), Some(digest("v1"))).unwrap();
        let files = [
            OwnFile::Is(digest("v1")),
            OwnFile::Is(digest("v3")),
            OwnFile::Missing,
            OwnFile::Unread,
        ];
        for file in files {
            let pinned = module("counter", Some(digest("v1")));
            assert_eq!(
                deployed.state_of(&pinned, file),
                DeploymentState::Forbidden(digest("v2"))
            );
            // The file may have anything: the digest decides.
            let pinned = module("counter", Some(digest("v2")));
            assert_eq!(deployed.state_of(&pinned, file), DeploymentState::Runs(digest("v2")));
        }
    }

    /// As the first version wrote it. A change of the layout reads this one too.
    #[test]
    fn what_the_first_version_wrote_down_is_read() {
        const GOLDEN: &str = r#"{
  "counter": {
    "digest": "sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
    "instead_of": "sha256:1111111111111111111111111111111111111111111111111111111111111111"
  },
  "greeter": {
    "digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222",
    "instead_of": null
  }
}"#;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deployed.json");
        std::fs::write(&path, GOLDEN).unwrap();
        let deployed = DeploymentRecord::open(path.clone()).unwrap();
        let digest = |byte: &str| format!("sha256:{}", byte.repeat(32)).parse::<Digest>().unwrap();
        let state_of = |name, file| deployed.state_of(&module(name, None), file);
        assert_eq!(
            state_of("counter", OwnFile::Is(digest("11"))),
            DeploymentState::Runs(digest("0f"))
        );
        assert_eq!(
            state_of("greeter", OwnFile::Missing),
            DeploymentState::Runs(digest("22"))
        );
        deployed.set("another", digest("33"), None).unwrap();
        deployed.clear("another").unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written, GOLDEN, "an earlier version can read what this one writes");
    }

    /// Each step fails in each way. What was confirmed is there after a restart; what was not is written down by the next change.
    #[test]
    fn what_could_not_be_written_down_is_an_error_until_it_is() {
        let steps = {
            let folder = tempfile::tempdir().unwrap();
            let disk = Disk::under(folder.path());
            let deployed = DeploymentRecord::open(folder.path().join("deployed.json")).unwrap();
            disk.heal();
            deployed.set("a", digest("a1"), None).unwrap();
            disk.steps()
        };
        for (error, at) in ERRORS
            .into_iter()
            .flat_map(|error| (0..steps).map(move |at| (error, at)))
        {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("deployed.json");
            let disk = Disk::under(folder.path());
            let deployed = DeploymentRecord::open(path.clone()).unwrap();
            deployed.set("a", digest("a1"), None).unwrap();
            disk.fail(at, usize::MAX, error);
            deployed.set("a", digest("a2"), None).unwrap_err();
            deployed.set("a", digest("a2"), None).unwrap_err();
            disk.heal();
            let after = DeploymentRecord::open(path.clone()).unwrap().digests();
            assert!(
                after == [digest("a1")] || after == [digest("a2")],
                "step {at}: {after:?}"
            );
            deployed.write_pending().unwrap();
            assert_eq!(
                DeploymentRecord::open(path).unwrap().digests(),
                [digest("a2")],
                "step {at}"
            );
        }
    }

    #[test]
    fn a_record_that_cant_be_read_now_is_not_taken_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deployed.json");
        let digest = digest("a1");
        DeploymentRecord::open(path.clone())
            .unwrap()
            .set("a", digest, None)
            .unwrap();
        let disk = Disk::under(folder.path());
        for error in ERRORS {
            for at in 0..2 {
                disk.fail(at, 1, error);
                let failed = DeploymentRecord::open(path.clone()).unwrap_err();
                assert_eq!(failed.raw_os_error(), Some(error));
                disk.heal();
                assert_eq!(DeploymentRecord::open(path.clone()).unwrap().digests(), [digest]);
            }
        }
    }
}
