//! A component that doesn't fit the world: each function of `wit/` missing or of another type, and interfaces of WASI from other
//! releases.

use std::path::Path;

use ractor_host::guest::LoadError;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, InterfaceId, Resolve, Type, WorldId, WorldItem};

use crate::support::{ENGINE, HELLO, SCRIPT, component, load};

fn wit() -> Resolve {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    resolve.push_dir(wit).unwrap();
    resolve
}

/// Every world of `wit/` with the interfaces that it exports.
fn worlds(resolve: &Resolve) -> Vec<(WorldId, Vec<InterfaceId>)> {
    let exported = |(_, item): (_, &WorldItem)| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => panic!("a world that exports more than interfaces is checked by nobody"),
    };
    let worlds = resolve.worlds.iter();
    worlds
        .map(|(id, world)| (id, world.exports.iter().filter_map(exported).collect()))
        .collect()
}

/// A component of the world whose functions all trap.
fn component_of(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let mut core = r#"(memory (export "memory") 1) (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)"#.to_owned();
    for item in resolve.worlds[world].exports.values() {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let interface = resolve.id_of(*id).unwrap();
        for function in resolve.interfaces[*id].functions.values() {
            core.push_str(&trapping(resolve, &interface, function));
        }
    }
    let mut module = wat::parse_str(format!("(module {core})")).unwrap();
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

fn trapping(resolve: &Resolve, interface: &str, function: &Function) -> String {
    let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
    let types = |types: &[WasmType]| -> String {
        let name = |ty: &WasmType| match ty {
            WasmType::I64 | WasmType::PointerOrI64 => "i64 ",
            WasmType::F32 => "f32 ",
            WasmType::F64 => "f64 ",
            WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32 ",
        };
        types.iter().map(name).collect()
    };
    let (params, results) = (types(&signature.params), types(&signature.results));
    let name = &function.name;
    format!("(func (export \"{interface}#{name}\") (param {params}) (result {results}) unreachable)")
}

async fn loaded(resolve: &Resolve, world: WorldId) -> Result<(), LoadError> {
    load(&ENGINE, &component_of(resolve, world)).await.map(drop)
}

#[tokio::test]
async fn each_function_of_the_world_that_is_missing_or_of_another_type_is_named() {
    let wit = wit();
    let mut tried = 0;
    for (world, interfaces) in worlds(&wit) {
        loaded(&wit, world).await.unwrap();
        for id in interfaces {
            let interface = wit.id_of(id).unwrap();
            for name in wit.interfaces[id].functions.keys() {
                let mut without = wit.clone();
                without.interfaces[id].functions.shift_remove(name);
                let expected = format!("exports `{interface}` without its function `{name}`");
                let error = loaded(&without, world).await.expect_err(&expected).to_string();
                assert!(error.contains(&expected), "{error}");

                let mut other = wit.clone();
                let function = &mut other.interfaces[id].functions[name];
                assert_ne!(function.result, Some(Type::Char));
                function.result = Some(Type::Char);
                let expected = format!("`{name}` of `{interface}` has another type");
                let error = loaded(&other, world).await.expect_err(&expected).to_string();
                assert!(error.contains(&expected), "{error}");
                tried += 1;
            }
        }
    }
    assert!(tried > 10, "{tried}");
}

/// The part of WASI that a fixture uses, of a version.
fn wasi(version: &str) -> String {
    format!(
        "package wasi:io@{version} {{
            interface error {{ resource error; }}
            interface streams {{
                use error.{{error}};
                variant stream-error {{ last-operation-failed(error), closed }}
                resource output-stream {{
                    blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
                }}
            }}
        }}
        package wasi:cli@{version} {{
            interface stdout {{
                use wasi:io/streams@{version}.{{output-stream}};
                get-stdout: func() -> output-stream;
            }}
        }}"
    )
}

async fn with_wasi(version: &str) -> Result<(), LoadError> {
    let core = HELLO.replace("@0.2.0\"", &format!("@{version}\""));
    let imports = format!("import wasi:cli/stdout@{version}; import wasi:io/streams@{version};");
    let bytes = component(&core, &wasi(version), &imports);
    load(&ENGINE, &bytes).await.map(drop)
}

#[tokio::test]
async fn every_release_of_wasi_0_2_fits() {
    for patch in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 99] {
        with_wasi(&format!("0.2.{patch}")).await.unwrap();
    }
}

#[tokio::test]
async fn a_component_of_another_wasi_is_told_which_and_what_to_build() {
    let cases = [
        ("0.3.0", "that is WASI 0.3.0, and this host has WASI 0.2"),
        (
            "0.3.0-rc-2025-09-16",
            "a candidate for WASI 0.3.0 that fits no other release",
        ),
        ("0.2.0-rc-2023-11-10", "the adapter of wasmtime 16 or earlier"),
    ];
    for (version, expected) in cases {
        let error = with_wasi(version).await.unwrap_err().to_string();
        for part in [
            "imports `wasi:io/",
            &*format!("@{version}`"),
            expected,
            "`wasm32-wasip2`",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
}

#[tokio::test]
async fn a_component_that_does_more_at_once_than_this_host_can_is_told_of_its_wasi_all_the_same() {
    // Beyond what is compiled here: a stream, as WASI 0.3 has them.
    let text = r#"(component
        (type $s (stream u8))
        (import "wasi:cli/stdout@0.3.0" (instance (export "write-via-stream" (func (param "data" $s))))))"#;
    let error = load(&ENGINE, &wat::parse_str(text).unwrap()).await.err().unwrap();
    assert!(error.to_string().contains("that is WASI 0.3.0"), "{error}");
}

#[tokio::test]
async fn a_core_module_of_the_wasi_before_components_is_told_how_to_become_one() {
    let core = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32))))"#;
    let error = load(&ENGINE, &wat::parse_str(core).unwrap()).await.err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("imports `wasi_snapshot_preview1`") && text.contains("--adapt"),
        "{text}"
    );
}

#[tokio::test]
async fn another_release_of_our_own_world_is_told_apart() {
    let packages = "package ractor:actor@0.2.0 { interface store { get: func(); } }";
    let core = SCRIPT.replace(
        "(memory (export",
        r#"(import "ractor:actor/store@0.2.0" "get" (func)) (memory (export"#,
    );
    let error = load(&ENGINE, &component(&core, packages, "import ractor:actor/store@0.2.0;")).await;
    let text = error.err().unwrap().to_string();
    assert!(
        text.contains("version 0.2.0 is of another release of the guest SDK"),
        "{text}"
    );
}
