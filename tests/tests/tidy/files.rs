//! The text files of the repository, as they lie on disk.

use std::fs;
use std::path::Path;

/// One text file.
pub(crate) struct SourceFile {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Every text file under `root`, without what tools put there: version control, the lock file, and build folders,
/// which cargo marks.
pub(crate) fn repository(root: &Path) -> Vec<SourceFile> {
    let mut files = Vec::new();
    collect(root, "", &mut files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a folder can be listed");
        let name = entry.file_name().to_string_lossy().into_owned();
        if [".git", "Cargo.lock", "node_modules"].contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("an entry has a type");
        if kind.is_dir() && !entry.path().join("CACHEDIR.TAG").exists() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if kind.is_file() {
            // What is no UTF-8 is no text.
            files.extend(
                fs::read_to_string(entry.path())
                    .ok()
                    .map(|text| SourceFile { path, text }),
            );
        }
    }
}
