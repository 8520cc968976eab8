//! Components that were built long ago: each world that was ever on the main branch has one in `tests/worlds`, and it runs as it did.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ractor_host::guest::{Contract, GuestOptions, Module, ModuleSource, Modules, Start};
use ractor_host::supervision::reload::{Reload, Verdict, reload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Resolve, WorldItem};

use crate::support::{ENGINE, Running, options, start_module};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/worlds")
}

fn wit(folder: &Path) -> Resolve {
    let mut resolve = Resolve::default();
    resolve.push_dir(folder).unwrap();
    resolve
}

async fn load(world: &str) -> Module {
    let source = ModuleSource {
        name: "counter".to_owned(),
        path: folder().join(world).with_extension("wasm"),
        source: None,
        digest: None,
    };
    let loaded = ENGINE.load(&source).await;
    loaded.unwrap_or_else(|error| panic!("a component of the world `{world}` that people may have: {error}"))
}

async fn begin(module: &Module, modules: &Modules) -> Running {
    modules.insert(module.clone());
    let options = GuestOptions {
        modules: modules.clone(),
        arguments: 3_u64.to_be_bytes().to_vec(),
        ..options()
    };
    start_module(module, options).await.unwrap()
}

/// The arguments of `Add`.
fn number(number: u64) -> Vec<u8> {
    [8_u64.to_be_bytes(), number.to_be_bytes()].concat()
}

/// The count, and whether it was taken over from other code.
async fn count(counter: &Running) -> (u8, bool) {
    let reply = tokio::time::timeout(Duration::from_secs(30), counter.call("Get", &[])).await;
    let reply = reply.expect("no reply in time").expect("no reply");
    (reply[7], reply[0] == 1)
}

/// Starts with 3, adds 5 in one cast, and 20 in casts that may come in batches.
async fn counts(counter: &Running) {
    counter.cast("Add", &number(5));
    for _ in 0..20 {
        counter.cast("Add", &number(1));
    }
    assert_eq!(count(counter).await, (28, false));
}

#[test]
fn each_world_has_a_component() {
    let resolve = wit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit"));
    let worlds: BTreeSet<String> = resolve.worlds.iter().map(|(_, world)| world.name.clone()).collect();
    let components: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert!(
        worlds.is_subset(&components),
        "a world without a component in tests/worlds, whose README says how it is made: {worlds:?}, {components:?}"
    );
    // One whose world is no more has to run all the same.
    assert!(
        components.is_subset(&RUN.map(str::to_owned).into()),
        "not run by a test: {components:?}"
    );
}

/// The components that the tests below run.
const RUN: [&str; 5] = [
    "guest-actor",
    "batching-actor",
    "reloadable-actor",
    "complete-actor",
    "scripted-actor",
];

#[tokio::test]
async fn a_component_of_each_world_loads_starts_and_answers() {
    for world in RUN {
        let module = load(world).await;
        let contract = module.describe().await.unwrap();
        assert_eq!(
            (contract.name.as_str(), contract.state_version),
            ("Counter", 1),
            "{world}"
        );
        assert_eq!(
            contract.start.ty().map(ToString::to_string).as_deref(),
            Some("u64"),
            "{world}"
        );
        let counter = begin(&module, &Modules::default()).await;
        counts(&counter).await;
        counter.live().cell().stop(None);
    }
}

#[tokio::test]
async fn a_component_with_a_contract_is_described_by_it() {
    let Contract {
        documentation,
        start,
        messages,
        ..
    } = load("complete-actor").await.describe().await.unwrap();
    assert_eq!(documentation, "Counts.");
    assert!(matches!(start, Start::Argument(start) if start.to_string() == "n: u64"));
    let signatures: Vec<_> = messages.iter().map(ToString::to_string).collect();
    assert_eq!(signatures, ["Add(n: u64)", "Get() -> u64"]);
    assert_eq!(messages[0].documentation, "Adds to the count.");
}

#[tokio::test]
async fn state_goes_from_one_world_to_another() {
    for (old, new) in [
        ("reloadable-actor", "complete-actor"),
        ("complete-actor", "reloadable-actor"),
    ] {
        let modules = Modules::default();
        let counter = begin(&load(old).await, &modules).await;
        counts(&counter).await;
        let mut plan = Reload::of("counter");
        plan.file = Some(folder().join(new).with_extension("wasm"));
        plan.probation_time = Duration::from_millis(100);
        let report = reload(&modules, plan).await.unwrap();
        assert_eq!(report.verdict, Verdict::Reloaded, "{old} → {new}");
        assert_eq!(count(&counter).await, (28, true), "{old} → {new}");
        counter.cast("Add", &number(1));
        assert_eq!(count(&counter).await, (29, true), "{old} → {new}");
    }
}

/// Makes a component, once, when its world is new: see the README of `tests/worlds`.
#[test]
#[ignore = "it writes a component, and does so only when a world is new"]
fn make_a_component() {
    let world = std::env::var("RACTOR_WORLD").expect("RACTOR_WORLD names the world");
    let resolve = wit(Path::new(
        &std::env::var("RACTOR_WORLD_WIT").expect("RACTOR_WORLD_WIT is the folder of the WIT"),
    ));
    let path = folder().join(&world).with_extension("wasm");
    assert!(!path.exists(), "{} is there, and is not made anew", path.display());
    std::fs::write(path, counter(&resolve, &world)).unwrap();
}

fn counter(resolve: &Resolve, world: &str) -> Vec<u8> {
    let (id, _) = resolve
        .worlds
        .iter()
        .find(|(_, each)| each.name == world)
        .expect("no such world");
    let world = &resolve.worlds[id];
    let mut imports = String::new();
    for item in world.imports.values() {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let (module, interface) = (resolve.id_of(*id).unwrap(), &resolve.interfaces[*id]);
        for (name, function) in &interface.functions {
            let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
            let types = |types: &[WasmType]| types.iter().map(core_type).collect::<Vec<_>>().join(" ");
            let (params, results) = (types(&signature.params), types(&signature.results));
            let own = interface.name.as_deref().unwrap();
            writeln!(
                imports,
                "(import \"{module}\" \"{name}\" (func ${own}.{name} (param {params}) (result {results})))"
            )
            .unwrap();
        }
    }
    let mut exports = String::new();
    for item in world.exports.values() {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let name = resolve.interfaces[*id].name.as_deref().unwrap();
        // The actor itself is in `counter.wat`.
        if name != "actor" {
            exports += &std::fs::read_to_string(folder().join(name).with_extension("wat")).unwrap();
        }
    }
    let core = std::fs::read_to_string(folder().join("counter.wat")).unwrap();
    let core = core.replace("\n  {IMPORTS}", &imports).replace("{EXPORTS}", &exports);
    let mut module = wat::parse_str(core).unwrap();
    embed_component_metadata(&mut module, resolve, id, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

fn core_type(ty: &WasmType) -> &'static str {
    match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
    }
}
