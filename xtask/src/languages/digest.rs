//! What something was made from, as one short text.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

/// Grows with everything that is added to it, in this order.
pub(super) struct Digest(Sha256);

impl Digest {
    pub(super) fn of(text: &str) -> Self {
        let mut this = Self(Sha256::new());
        this.add(text.as_bytes());
        this
    }

    /// The name and the content of a file.
    pub(super) fn add_file(&mut self, file: &Path) -> Result<()> {
        let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        self.add(file.file_name().unwrap_or_default().as_encoded_bytes());
        self.add(&content);
        Ok(())
    }

    /// The files of a folder.
    pub(super) fn add_folder(&mut self, folder: &Path) -> Result<()> {
        files(folder)?.iter().try_for_each(|file| self.add_file(file))
    }

    /// A file, or a folder with all that is in it but what its tools are installed in.
    pub(super) fn add_all(&mut self, path: &Path) -> Result<()> {
        if path.is_file() {
            return self.add_file(path);
        }
        self.add_folder(path)?;
        folders(path)?.iter().try_for_each(|folder| {
            self.add(folder.file_name().unwrap_or_default().as_encoded_bytes());
            self.add_all(folder)
        })
    }

    /// As hexadecimal digits.
    pub(super) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// With its length, so that what is added can't be cut in another way.
    fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes.len().to_be_bytes());
        self.0.update(bytes);
    }
}

/// The folder in which npm installs.
pub(super) const NODE_MODULES: &str = "node_modules";
/// The folder in which Python keeps what it compiled.
const PYTHON_CACHE: &str = "__pycache__";

/// The files of a folder, without those of folders in it, in the order of their names.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = entries(folder)?;
    files.retain(|path| path.is_file());
    Ok(files)
}

/// The folders in a folder, but for those of tools.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = entries(folder)?;
    let is_of_tools = |path: &PathBuf| path.ends_with(NODE_MODULES) || path.ends_with(PYTHON_CACHE);
    folders.retain(|path| path.is_dir() && !is_of_tools(path));
    Ok(folders)
}

/// What is in a folder, in the order of the names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_within_a_folder_shows_but_those_of_tools() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let digest = || -> Result<String> {
            let mut digest = Digest::of("recipe");
            digest.add_all(folder.path())?;
            Ok(digest.finish())
        };
        let empty = digest()?;
        for of_tools in [NODE_MODULES, PYTHON_CACHE] {
            fs::create_dir(folder.path().join(of_tools))?;
            fs::write(folder.path().join(of_tools).join("tool"), "")?;
        }
        assert_eq!(digest()?, empty);
        fs::create_dir(folder.path().join("src"))?;
        fs::write(folder.path().join("src/a"), "1")?;
        let first = digest()?;
        fs::write(folder.path().join("src/a"), "2")?;
        let second = digest()?;
        assert!(empty != first && first != second);
        Ok(())
    }

    #[test]
    fn every_change_of_a_folder_shows() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let digest = || -> Result<String> {
            let mut digest = Digest::of("recipe");
            digest.add_folder(folder.path())?;
            Ok(digest.finish())
        };
        let mut seen = vec![digest()?];
        for (name, content) in [("a", "1"), ("a", "2"), ("b", ""), ("a2", "")] {
            fs::write(folder.path().join(name), content)?;
            seen.push(digest()?);
        }
        fs::rename(folder.path().join("b"), folder.path().join("c"))?;
        seen.push(digest()?);
        assert_eq!(digest()?, *seen.last().context("several")?);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6, "all differ");
        Ok(())
    }
}
