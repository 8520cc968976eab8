//! From the few lines that make a guest of `tests/guests/hostile` what it is to a component.
//!
//! A guest's file has the functions that it does otherwise than others. Around them come every import of the world, some
//! helpers, and the exports that it leaves out. Exports go by their plain names. A guest that has a function `$attack` runs
//! it at every cast, with the arguments.

use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const IMPORTS: &str = include_str!("common/imports.wat");
const HELPERS: &str = include_str!("common/helpers.wat");
const WASI: &str = include_str!("common/wasi.wit");

/// The exports of the world, and what they are in a guest that says nothing of them.
const EXPORTS: [(&str, &str); 7] = [
    (
        "describe",
        "(result i32)
         (i32.store (i32.const 16) (i32.const 256)) (i32.store (i32.const 20) (i32.const 7))
         (i32.store (i32.const 24) (i32.const 272)) (i32.store (i32.const 28) (i32.const 5))
         (i32.store (i32.const 32) (i32.const 0))
         (i32.store8 (i32.const 36) (i32.const 0))
         (i32.store (i32.const 48) (i32.const 0)) (i32.store (i32.const 52) (i32.const 0))
         (i32.const 16)",
    ),
    ("pre-start", "(param i32 i32) (result i32) (call $ok)"),
    ("post-start", "(result i32) (call $ok)"),
    (
        "handle-cast",
        "(param i32 i32) (param $args i32) (param $length i32) (result i32)
         (call $attack (local.get $args) (local.get $length))
         (call $ok)",
    ),
    (
        "handle-call",
        "(param i32 i32) (param $args i32) (param $length i32) (param i64) (result i32)
         (call $some (local.get $args) (local.get $length))",
    ),
    (
        "handle-supervisor-evt",
        "(param i32 i64 i64 i32 i32 i32 i32 i32 i32) (result i32) (call $ok)",
    ),
    ("post-stop", "(result i32) (call $ok)"),
];

const REALLOC: &str = r#"(func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (call $allocate (local.get $size)))"#;

/// The component of a guest, by the name of its file without `.wat`.
#[track_caller]
pub(crate) fn hostile(name: &str) -> Vec<u8> {
    let path = workspace().join(format!("tests/guests/hostile/{name}.wat"));
    match std::fs::read_to_string(&path) {
        Ok(text) => component(&text),
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// The component around the text of a guest.
#[track_caller]
pub(crate) fn component(text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(complete(text)).unwrap();
    let mut resolve = Resolve::default();
    resolve.push_dir(workspace().join("wit")).unwrap();
    let world = format!(
        "package test:hostile;\nworld w {{ include ractor:actor/guest-actor@0.1.0; {} }}\n{WASI}",
        wasi_imports(text)
    );
    let package = resolve.push_str("hostile.wit", &world).unwrap();
    let world = resolve.select_world(&[package], Some("w")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

fn complete(text: &str) -> String {
    let mut text = text.to_owned();
    let mut rest = String::new();
    for (export, default) in EXPORTS {
        let plain = format!("(export \"{export}\")");
        let full = format!("(export \"ractor:actor/actor@0.1.0#{export}\")");
        let clean_up = format!("(export \"cabi_post_ractor:actor/actor@0.1.0#{export}\")");
        text = text.replace(&format!("(export \"post-return {export}\")"), &clean_up);
        if text.contains(&plain) {
            text = text.replace(&plain, &full);
        } else {
            rest += &format!("(func {full} {default})\n");
        }
    }
    if !text.contains("(func $attack") {
        rest += "(func $attack (param i32 i32))\n";
    }
    if !text.contains("cabi_realloc") {
        rest += REALLOC;
    }
    format!("(module\n{IMPORTS}\n{text}\n{HELPERS}\n{rest})")
}

/// `import INTERFACE;` for each interface of WASI that the guest imports from.
fn wasi_imports(text: &str) -> String {
    let imports = text.split("(import \"wasi:").skip(1);
    let interfaces = imports.filter_map(|import| import.split('"').next());
    interfaces
        .map(|interface| format!("import wasi:{interface}; "))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
