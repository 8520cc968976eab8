//! The versions of the guest, as files.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const RELOADABLE: &str = include_str!("../../../host/tests/guest/fixtures/reloadable.wat");

/// The number of versions that work.
const GOOD: usize = 6;

/// The failures of the others, in the numbers of the fixture: `restore` refuses, `post-reload` traps, a message traps.
const BAD: [u32; 3] = [5, 9, 10];

/// See the module.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn write() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        for index in 0..GOOD {
            fs::write(files.good(index), component(index + 1, 0)).unwrap();
        }
        for (index, fail) in BAD.into_iter().enumerate() {
            fs::write(files.bad(index), component(100 + index, fail)).unwrap();
        }
        files
    }

    pub(crate) fn good(&self, index: usize) -> PathBuf {
        self.0.path().join(format!("good-{index}.wasm"))
    }

    pub(crate) fn bad(&self, index: usize) -> PathBuf {
        self.0.path().join(format!("bad-{index}.wasm"))
    }
}

fn component(version: usize, fail: u32) -> Vec<u8> {
    let core = RELOADABLE
        .replace("{VERSION}", &version.to_string())
        .replace("{STATE_VERSION}", "1")
        .replace("{NAME_LENGTH}", "7")
        .replace("{FAIL}", &fail.to_string());
    let mut resolve = Resolve::default();
    resolve
        .push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit"))
        .unwrap();
    let world = "package test:fixture;\nworld w { include ractor:actor/reloadable-actor@0.1.0; }";
    let package = resolve.push_str("test.wit", world).unwrap();
    let world = resolve.select_world(&[package], Some("w")).unwrap();
    let mut module = wat::parse_str(core).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}
