//! Embeds the SDKs: what `ractor-host new` and `build` unpack into a project.
//!
//! In the repository they are read from where they are written. A package of crates.io can't contain files from outside its folder, so
//! `cargo xtask package` copies them into `sdk/` first, with other names for what cargo leaves out.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What is embedded, by its path in the repository. What isn't there yet is left out.
const PARTS: [&str; 12] = [
    "Cargo.lock",
    "Cargo.toml",
    "derive",
    "directory",
    "entities",
    "guest-sdk/Cargo.toml",
    "guest-sdk/README.md",
    "guest-sdk/src",
    "guest-sdk/wit",
    "guest-sdk/js",
    "guest-sdk/python",
    "placement",
];

/// The same, of languages that are compiled to machine code.
const COMPILED: [&str; 2] = ["guest-sdk/c", "guest-sdk/go"];

/// Folders and files that no project needs: tests, and what tools leave behind.
const LEFT_OUT: [&str; 10] = [
    "__pycache__",
    "dist",
    "node_modules",
    "target",
    "test",
    "testing-guests",
    "tests",
    "ui",
    "venv",
    "zig-cache",
];

/// What stands in a package for `Cargo.toml`, because cargo takes a folder with one for another package.
const MANIFEST: &str = "Cargo.toml.packed";

fn main() -> Result<(), Box<dyn Error>> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let copies = package.join("sdk");
    let repository = package.join("..");
    let root = if repository.join("guest-sdk/Cargo.toml").is_file() {
        repository
    } else {
        copies
    };
    let mut files = Vec::new();
    for part in PARTS.into_iter().chain(COMPILED) {
        collect(&root, part, &mut files)?;
    }
    files.sort();
    if files.is_empty() {
        return Err("the SDKs are missing: in a package, `cargo xtask package` puts them into sdk/".into());
    }
    let mut source =
        "/// Every file of the SDKs, by its path in the repository.\npub(crate) const FILES: &[(&str, &[u8])] = &[\n"
            .to_owned();
    for (name, path) in files {
        writeln!(source, "    ({name:?}, include_bytes!({:?})),", fs::canonicalize(path)?)?;
    }
    source.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("files.rs"), source)?;
    Ok(())
}

/// Adds a file, or the files in a folder, under the names that they have in the repository.
fn collect(root: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    let path = root.join(name);
    if path.is_file() {
        // File by file: of a folder cargo would look at everything in it, also at thousands of files of tools.
        println!("cargo::rerun-if-changed={}", path.display());
        files.push((name.to_owned(), path));
        return Ok(());
    }
    if let Some(folder) = name.strip_suffix("Cargo.toml") {
        let packed = root.join(folder).join(MANIFEST);
        if packed.is_file() {
            files.push((name.to_owned(), packed));
        }
        return Ok(());
    }
    if !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(&path)? {
        let entry = entry?.file_name().to_string_lossy().into_owned();
        let is_left_out = entry.starts_with('.') || LEFT_OUT.contains(&entry.as_str()) || entry.ends_with(".egg-info");
        if !is_left_out {
            let entry = if entry == MANIFEST { "Cargo.toml" } else { &entry };
            collect(root, &format!("{name}/{entry}"), files)?;
        }
    }
    Ok(())
}
