//! Files: digests of them, and writing them so that nobody sees half of one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::ProjectError;

/// A digest that grows with everything that is added to it, in this order.
#[derive(Clone)]
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    /// With its length, so that what is added can't be cut in another way.
    pub(crate) fn add(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// As hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }

    /// The first digits, for the name of a folder.
    pub(crate) fn short(self) -> String {
        self.finish().chars().take(12).collect()
    }
}

/// Writes a file, and the folders above it, unless it has this content already. Whoever reads it sees the old content or the new one.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), ProjectError> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less what the user's mask takes away
    let written = builder
        .tempfile_in(folder)
        .and_then(|mut file| file.write_all(content).map(|()| file));
    let file = written.map_err(ProjectError::file("write", path))?;
    file.persist(path)
        .map_err(|error| ProjectError::file("write", path)(error.error))?;
    Ok(())
}

pub(crate) fn create_folder(folder: &Path) -> Result<(), ProjectError> {
    fs::create_dir_all(folder).map_err(ProjectError::file("create", folder))
}

/// Removes a file, a link or a folder with all that is in it. It may be missing.
pub(crate) fn remove(path: &Path) -> Result<(), ProjectError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ProjectError::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Waits until this process is the only one with this lock. Dropping the file ends that.
pub(crate) fn lock(path: &Path) -> Result<File, ProjectError> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let lock = File::create(path).and_then(|file| file.lock().map(|()| file));
    lock.map_err(ProjectError::file("lock", path))
}

/// Makes `link` a link to `to`, in the place of whatever was there. Where there are no links, there is none.
pub(crate) fn link(to: &Path, link: &Path) -> Result<(), ProjectError> {
    if fs::read_link(link).is_ok_and(|old| old == to) {
        return Ok(());
    }
    remove(link)?;
    #[cfg(unix)]
    std::os::unix::fs::symlink(to, link).map_err(ProjectError::file("create", link))?;
    Ok(())
}

/// The files in a folder and in those below it, but not those that `skip` names by their path in it. In order.
pub(crate) fn files(folder: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, ProjectError> {
    let (mut files, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(inner) = open.pop() {
        let path = folder.join(&inner);
        let entries = fs::read_dir(&path).map_err(ProjectError::file("list", &path))?;
        for entry in entries {
            let entry = entry.map_err(ProjectError::file("list", &path))?;
            let inner = inner.join(entry.file_name());
            if skip(&inner) {
                continue;
            }
            // A link to a folder isn't followed: it may lead in a circle.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(inner),
                Ok(_) => files.push(inner),
                Err(error) => return Err(ProjectError::file("look at", folder.join(inner))(error)),
            }
        }
    }
    files.sort();
    Ok(files)
}
