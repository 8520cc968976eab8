//! Draws random WebAssembly that is valid, for the loader to try: `cargo run -- FIRST_SEED ROUNDS FOLDER`.
//!
//! Of each seed there are two files: `SEED-component.wasm`, any component, and `SEED-actor.wasm`, the module of an actor that
//! is sane at the boundary and random inside. Every second actor is *careful*: its random code neither traps nor loops for
//! ever nor calls the host by itself, so that most of its messages run whole.

mod arguments;
mod boundary;
mod callback;
mod world;

use std::path::Path;

use arbitrary::Unstructured;
use rand::rngs::SmallRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use wasm_smith::{Component, Config, Module};

use crate::world::World;

/// The number of functions and loops of a careful actor's random code that may begin in one callback.
const FUEL: u32 = 10_000;

/// What goes wrong in here is a mistake in here.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, rounds, folder] = arguments.as_slice() else {
        return Err("usage: FIRST_SEED ROUNDS FOLDER".into());
    };
    let (first, rounds): (u64, u64) = (first.parse()?, rounds.parse()?);
    let world = World::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"))?;
    std::fs::create_dir_all(folder)?;
    for seed in first..first + rounds {
        let mut random = SmallRng::seed_from_u64(seed);
        let file = |kind: &str| Path::new(folder).join(format!("{seed:06}-{kind}.wasm"));
        let source = bytes(&mut random);
        let component = Component::new(config(), &mut Unstructured::new(&source))?;
        std::fs::write(file("component"), component.to_bytes())?;
        std::fs::write(file("actor"), actor(&world, seed % 2 == 0, &mut random)?)?;
    }
    Ok(())
}

fn actor(world: &World, careful: bool, random: &mut SmallRng) -> Result<Vec<u8>> {
    let imports = if careful { &[] } else { world.imports.as_slice() };
    let config = Config {
        module_shape: Some(world::shape(imports)),
        // Of a start function that traps nothing more is learned.
        allow_start_export: random.random_ratio(1, 8),
        // With more of these, or with references, hardly any would be taken.
        max_memories: 1,
        reference_types_enabled: false,
        disallow_traps: careful,
        max_instructions: 400,
        min_types: 4,
        min_funcs: 4,
        max_funcs: imports.len() + 12,
        ..config()
    };
    let source = bytes(random);
    let mut module = Module::new(config, &mut Unstructured::new(&source))?;
    let fuel = match careful {
        true => Some(module.ensure_termination(FUEL)?),
        false => None,
    };
    boundary::put_around(&module.to_bytes(), fuel, world, random)
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
