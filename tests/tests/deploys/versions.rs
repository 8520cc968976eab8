//! Versions of one counter as components.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const COUNTER: &str = include_str!("counter.wat");

/// At what a version fails. The numbers are those of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fail {
    Nowhere = 0,
    Snapshot = 1,
    Restore = 2,
    RestoreOfMuch = 3,
    RestoreNeverEnds = 4,
    RestoreOfLittle = 5,
}

/// The component of a version, a number of one digit, of a state of the first version.
pub(crate) fn version(number: u8) -> Vec<u8> {
    component(number, 1, Fail::Nowhere)
}

pub(crate) fn failing(number: u8, fail: Fail) -> Vec<u8> {
    component(number, 1, fail)
}

pub(crate) fn component(number: u8, state_version: u32, fail: Fail) -> Vec<u8> {
    built(number, state_version, fail, "0")
}

/// The component of a version that says it starts with a u64.
pub(crate) fn starting_with_a_u64(number: u8) -> Vec<u8> {
    built(number, 1, Fail::Nowhere, "1")
}

fn built(number: u8, state_version: u32, fail: Fail, has_start: &str) -> Vec<u8> {
    let core = COUNTER
        .replace("{VERSION}", &number.to_string())
        .replace("{STATE_VERSION}", &state_version.to_string())
        .replace("{HAS_START}", has_start)
        .replace("{FAIL}", &(fail as u32).to_string());
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    resolve.push_dir(wit).expect("the world is there");
    let world = "package test:fixture;\n\
                 world w { include ractor:actor/guest-actor@0.1.0; export ractor:actor/reload@0.1.0; }\n";
    let package = resolve.push_str("test.wit", world).expect("WIT");
    let world = resolve.select_world(&[package], Some("w")).expect("a world");
    let mut module = wat::parse_str(core).expect("WebAssembly text");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    let encoded = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.encode());
    encoded.expect("a component")
}

/// The same component, as large as this: with a custom section that nobody reads. `seed` tells it from others.
pub(crate) fn padded(component: &[u8], bytes: usize, seed: u8) -> Vec<u8> {
    let name = b"padding";
    let mut content = vec![u8::try_from(name.len()).expect("a short name")];
    content.extend(name);
    let filler = bytes.saturating_sub(component.len() + content.len() + 6);
    // Not all the same, as code isn't either.
    content.extend((0..filler).map(|index| ((index * 31) >> 3).to_le_bytes()[0] ^ seed));
    let mut padded = component.to_vec();
    padded.push(0);
    let mut length = content.len();
    loop {
        let [low, ..] = (length & 0x7f).to_le_bytes();
        length >>= 7;
        if length == 0 {
            padded.push(low);
            break;
        }
        padded.push(low | 0x80);
    }
    padded.extend(content);
    padded
}
