//! Draws random WebAssembly that is valid, for the loader to try: `cargo run -- FIRST_SEED ROUNDS FOLDER`.
//!
//! Of each seed there are two files: `SEED-component.wasm`, any component, and `SEED-actor.wasm`, a module with random code
//! behind the imports and exports of an actor.

use std::path::Path;

use arbitrary::Unstructured;
use rand::rngs::SmallRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use wasm_smith::{Component, Config, Module};

/// The imports and exports of an actor.
const SHAPE: &str = include_str!("../../../host/tests/guest/fixtures/script.wat");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, rounds, folder] = arguments.as_slice() else {
        return Err("usage: FIRST_SEED ROUNDS FOLDER".into());
    };
    let (first, rounds): (u64, u64) = (first.parse()?, rounds.parse()?);
    std::fs::create_dir_all(folder)?;
    for seed in first..first + rounds {
        let mut random = SmallRng::seed_from_u64(seed);
        let file = |kind: &str| Path::new(folder).join(format!("{seed:06}-{kind}.wasm"));
        let source = bytes(&mut random);
        let component = Component::new(config(), &mut Unstructured::new(&source))?;
        std::fs::write(file("component"), component.to_bytes())?;
        let source = bytes(&mut random);
        let actor = Config {
            module_shape: Some(wat::parse_str(SHAPE)?),
            // Of a start function that traps nothing more is learned.
            allow_start_export: random.random_ratio(1, 8),
            max_instructions: 400,
            ..config()
        };
        let module = Module::new(actor, &mut Unstructured::new(&source))?;
        std::fs::write(file("actor"), module.to_bytes())?;
    }
    Ok(())
}

fn config() -> Config {
    Config {
        // What the host has switched off.
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        threads_enabled: false,
        max_memories: 2,
        max_tables: 3,
        max_memory32_bytes: 2 << 20,
        max_table_elements: 1000,
        ..Config::default()
    }
}

/// What a draw is made from. Small files have little in them, and large ones are rare.
fn bytes(random: &mut SmallRng) -> Vec<u8> {
    let most = if random.random_ratio(1, 8) { 16 << 10 } else { 1 << 10 };
    let mut bytes = vec![0; random.random_range(0..=most)];
    random.fill_bytes(&mut bytes);
    bytes
}
