//! The SDKs, which the program carries, in a project.

use std::path::{Path, PathBuf};

use crate::error::ProjectError;
use crate::files::{self, Digest};
use crate::language::Language;
use crate::project::CACHE;

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Where in the repository the SDK of a language is, and where in the project's `.ractor-host/sdk` it goes.
fn parts(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::Rust => &[
            ("derive/", "rust/derive/"),
            ("directory/", "rust/directory/"),
            ("entities/", "rust/entities/"),
            ("placement/", "rust/placement/"),
            ("guest-sdk/Cargo.toml", "rust/guest-sdk/Cargo.toml"),
            ("guest-sdk/README.md", "rust/guest-sdk/README.md"),
            ("guest-sdk/src/", "rust/guest-sdk/src/"),
            ("guest-sdk/wit/", "rust/guest-sdk/wit/"),
        ],
        Language::Python => &[("guest-sdk/python/", "python/"), ("guest-sdk/wit/", "wit/")],
        Language::JavaScript | Language::TypeScript => &[("guest-sdk/js/", "js/"), ("guest-sdk/wit/", "wit/")],
        Language::C => &[("guest-sdk/c/", "c/"), ("guest-sdk/wit/", "wit/")],
        Language::Go => &[("guest-sdk/go/", "go/"), ("guest-sdk/wit/", "wit/")],
    }
}

/// The folder with the SDKs in a project.
pub(crate) fn folder(project: &Path) -> PathBuf {
    project.join(CACHE).join("sdk")
}

/// Puts the SDK of a language into the project, or brings it up to date. Gives the digest of all of it.
pub(crate) fn unpack(project: &Path, language: Language) -> Result<String, ProjectError> {
    let files = of(language)?;
    let mut digest = Digest::new();
    for (name, content) in &files {
        digest = digest.add(name).add(content);
    }
    let digest = digest.finish();
    let folder = folder(project);
    let marker = folder.join(format!("{}.digest", language.name()));
    let is_there = std::fs::read_to_string(&marker).is_ok_and(|marked| marked == digest)
        && files.first().is_some_and(|(name, _)| folder.join(name).is_file());
    if is_there {
        return Ok(digest);
    }
    // Of another version there may be files that this one doesn't have.
    let tops = files.iter().filter_map(|(name, _)| name.split('/').next());
    let mut tops: Vec<&str> = tops.collect();
    tops.dedup();
    for top in tops {
        let top_folder = folder.join(top);
        if top_folder.is_dir() {
            let known = |inner: &Path| {
                let name = format!("{top}/{}", inner.to_string_lossy());
                files.iter().any(|(known, _)| *known == name)
            };
            for stray in files::files(&top_folder, &known)? {
                files::remove(&top_folder.join(stray))?;
            }
        }
    }
    for (name, content) in &files {
        files::write(&folder.join(name), content)?;
    }
    files::write(&marker, digest.as_bytes())?;
    Ok(digest)
}

/// The files of a language's SDK, by their path in the folder with the SDKs.
fn of(language: Language) -> Result<Vec<(String, Vec<u8>)>, ProjectError> {
    let mut files = Vec::new();
    for (from, to) in parts(language) {
        for (name, content) in FILES {
            if let Some(rest) = name.strip_prefix(from) {
                files.push((format!("{to}{rest}"), content.to_vec()));
            }
        }
    }
    let own = parts(language).first().map(|(from, _)| *from).unwrap_or_default();
    if !FILES.iter().any(|(name, _)| name.starts_with(own)) {
        return Err(ProjectError::NoSdk(language));
    }
    if language == Language::Rust {
        files.push(("rust/Cargo.toml".to_owned(), workspace().into_bytes()));
    }
    Ok(files)
}

/// The text of a file in the repository.
fn text(name: &str) -> &'static str {
    let file = FILES.iter().find(|(known, _)| *known == name);
    file.and_then(|(_, content)| std::str::from_utf8(content).ok())
        .unwrap_or_default()
}

/// A workspace around the crates of the Rust SDK: what their manifests inherit is in it as in the repository's.
fn workspace() -> String {
    let repository = text("Cargo.toml");
    let from = repository.find("[workspace.package]").unwrap_or_default();
    let inherited = repository.get(from..).unwrap_or_default();
    let to = inherited.find("\n[profile.").unwrap_or(inherited.len());
    let inherited = inherited.get(..to).unwrap_or_default();
    let members = ["derive", "directory", "entities", "guest-sdk", "placement"];
    format!("# Unpacked by ractor-host.\n[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\n{inherited}")
}

/// A lock file for a project in Rust: the versions with which the SDK was tested. cargo adds the project itself to it, and takes
/// out what the project doesn't need.
pub(crate) fn cargo_lock() -> String {
    let lock: CargoLock = toml::from_str(text("Cargo.lock")).unwrap_or_default();
    let mut wanted = vec!["ractor-guest".to_owned(), "tokio".to_owned()];
    let mut kept: Vec<&LockedPackage> = Vec::new();
    while let Some(wish) = wanted.pop() {
        // `name`, or `name version` where there are several.
        let mut words = wish.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next());
        let is_wanted =
            |package: &&LockedPackage| package.name == name && version.is_none_or(|it| it == package.version);
        for package in lock.package.iter().filter(is_wanted) {
            if !kept.iter().any(|it| std::ptr::eq(*it, package)) {
                kept.push(package);
                wanted.extend(package.dependencies.iter().cloned());
            }
        }
    }
    // Those without a source are crates of the SDK, which cargo finds by their paths.
    kept.retain(|package| package.source.is_some());
    kept.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    let packages: Vec<String> = kept.into_iter().map(LockedPackage::to_toml).collect();
    format!("version = {}\n\n{}", lock.version, packages.join("\n"))
}

/// What cargo writes.
#[derive(Default, serde::Deserialize)]
struct CargoLock {
    version: u32,
    package: Vec<LockedPackage>,
}

#[derive(serde::Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl LockedPackage {
    fn to_toml(&self) -> String {
        let mut text = format!("[[package]]\nname = {:?}\nversion = {:?}\n", self.name, self.version);
        for (key, value) in [("source", &self.source), ("checksum", &self.checksum)] {
            if let Some(value) = value {
                text.push_str(&format!("{key} = {value:?}\n"));
            }
        }
        if !self.dependencies.is_empty() {
            let lines: Vec<String> = self.dependencies.iter().map(|each| format!(" {each:?},\n")).collect();
            text.push_str(&format!("dependencies = [\n{}]\n", lines.concat()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_unpacked_sdk_has_the_files_of_this_version_and_no_others() {
        let project = tempfile::tempdir().unwrap();
        let digest = unpack(project.path(), Language::Rust).unwrap();
        let sdk = folder(project.path());
        let (library, stray) = (
            sdk.join("rust/guest-sdk/src/lib.rs"),
            sdk.join("rust/guest-sdk/src/old.rs"),
        );
        let original = fs::read(&library).unwrap();
        assert_eq!(unpack(project.path(), Language::Rust).unwrap(), digest);
        // As an older version would have left them.
        fs::write(&library, "// of another version").unwrap();
        fs::write(&stray, "").unwrap();
        fs::write(sdk.join("rust.digest"), "of another version").unwrap();
        unpack(project.path(), Language::Rust).unwrap();
        assert_eq!(fs::read(&library).unwrap(), original);
        assert!(!stray.exists());
    }

    #[test]
    fn the_workspace_of_the_rust_sdk_has_what_its_crates_inherit() {
        let workspace: toml::Table = toml::from_str(&workspace()).unwrap();
        let workspace = workspace["workspace"].as_table().unwrap();
        for part in ["derive", "directory", "entities", "guest-sdk", "placement"] {
            let manifest = &format!("{part}/Cargo.toml");
            let manifest: toml::Table = toml::from_str(text(manifest)).unwrap();
            for name in manifest["dependencies"].as_table().unwrap().keys() {
                assert!(
                    workspace["dependencies"].as_table().unwrap().contains_key(name),
                    "{name}"
                );
            }
        }
        assert!(workspace["package"].as_table().is_some() && workspace["lints"].as_table().is_some());
    }

    #[test]
    fn a_project_in_rust_is_locked_to_versions_that_were_tested() {
        let lock: CargoLock = toml::from_str(&cargo_lock()).unwrap();
        let names: Vec<&str> = lock.package.iter().map(|package| package.name.as_str()).collect();
        for name in ["ractor", "tokio", "wit-bindgen", "syn", "postcard", "tokio-macros"] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
        assert!(!names.contains(&"wasmtime") && lock.package.iter().all(|package| package.checksum.is_some()));
    }
}
