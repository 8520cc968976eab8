//! The code of an export: some random steps, then a result that is one.
//!
//! Memory: 16..56 what exports return, 64..80 the actor's own pid, 128..192 what imports return, 256..320 words that mean
//! something to the host, from 4096 on the heap (never freed). Random code writes wherever it likes, so all of it is written
//! anew in every callback.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use wasm_encoder::{Function, InstructionSink, MemArg, ValType};

use crate::Result;
use crate::arguments::Arguments;
use crate::boundary::Inside;
use crate::world::{Flat, World};

pub const HEAP: i32 = 4096;
pub const OWN_PID: i32 = 64;
pub const WORDS: i32 = 256;

/// Each has 16 bytes: a module, a group or an actor, a key.
pub const WORD_BYTES: i32 = 16;
pub const WORD_LIST: [&str; 3] = ["test-module", "group", "key"];

const RESULT: i32 = 16;
const RESULT_BYTES: i32 = 40;

/// `cabi_realloc`: gives what comes next.
pub fn allocate(heap: u32, memory: u32) -> Function {
    let mut function = Function::new([(1, ValType::I32)]);
    let (size, at) = (3, 4);
    let mut code = function.instructions();
    code.global_get(heap)
        .i32_const(15)
        .i32_add()
        .i32_const(-16)
        .i32_and()
        .local_tee(at);
    code.local_get(size).i32_add().global_set(heap);
    code.block(wasm_encoder::BlockType::Empty)
        .loop_(wasm_encoder::BlockType::Empty);
    code.global_get(heap)
        .memory_size(memory)
        .i32_const(16)
        .i32_shl()
        .i32_le_u()
        .br_if(1);
    code.i32_const(1).memory_grow(memory).i32_const(-1).i32_ne().br_if(0);
    code.unreachable().end().end().local_get(at).end();
    function
}

/// An export of the world.
pub fn callback(world: &World, export: &Flat, inside: &Inside, random: &mut SmallRng) -> Result<Function> {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    if let Some(fuel) = inside.fuel {
        code.i32_const(crate::FUEL as i32).global_set(fuel);
    }
    // It may use no import.
    let describes = export.function.name == "describe";
    if !describes {
        prepare(&mut code, world, inside)?;
    }
    let mut arguments = Arguments {
        world,
        export,
        memory: inside.memory,
        random,
    };
    let steps = arguments.random.random_range(1..=4);
    for _ in 0..steps {
        if describes || arguments.random.random_ratio(2, 5) {
            call_inside(&mut code, inside, &mut arguments);
        } else {
            call_import(&mut code, &mut arguments)?;
        }
    }
    write_result(&mut code, &mut arguments);
    code.end();
    Ok(function)
}

fn at(memory: u32) -> MemArg {
    MemArg {
        offset: 0,
        align: 0,
        memory_index: memory,
    }
}

/// Writes what arguments are drawn from.
fn prepare(code: &mut InstructionSink<'_>, world: &World, inside: &Inside) -> Result<()> {
    for (word, place) in WORD_LIST.iter().zip((WORDS..).step_by(WORD_BYTES as usize)) {
        let mut bytes = [0; WORD_BYTES as usize];
        bytes[..word.len()].copy_from_slice(word.as_bytes());
        for (half, place) in bytes.chunks_exact(8).zip([place, place + 8]) {
            code.i32_const(place)
                .i64_const(i64::from_le_bytes(half.try_into()?))
                .i64_store(at(inside.memory));
        }
    }
    let own = world
        .imports
        .iter()
        .position(|import| import.function.name == "self-pid");
    code.i32_const(OWN_PID).call(u32::try_from(own.ok_or("no self-pid")?)?);
    Ok(())
}

/// Calls a random function, with whatever.
fn call_inside(code: &mut InstructionSink<'_>, inside: &Inside, arguments: &mut Arguments<'_>) {
    // From little to draw from comes a module without functions.
    let Some((number, signature)) = arguments.one(&inside.functions) else {
        return;
    };
    for parameter in signature.params() {
        arguments.any(code, *parameter);
    }
    code.call(*number);
    for _ in signature.results() {
        code.drop();
    }
}

/// Calls the host, mostly with arguments that it can read.
fn call_import(code: &mut InstructionSink<'_>, arguments: &mut Arguments<'_>) -> Result<()> {
    let imports = &arguments.world.imports;
    let mut number = arguments.random.random_range(0..imports.len());
    if matches!(imports[number].function.name.as_str(), "exit" | "stop") {
        // Twice in a row, or there would be few other ends.
        number = arguments.random.random_range(0..imports.len());
    }
    let import = &imports[number];
    for parameter in &import.function.params {
        arguments.value(code, &parameter.ty)?;
    }
    if import.returns_in_memory {
        let place = if arguments.random.random_ratio(1, 32) {
            arguments.random.random()
        } else {
            128
        };
        code.i32_const(place);
    }
    code.call(u32::try_from(number)?);
    for _ in &import.results {
        code.drop();
    }
    Ok(())
}

/// Mostly what says that all is well. By chance it is an error; a call's reply is the arguments that came, or there is none.
fn write_result(code: &mut InstructionSink<'_>, arguments: &mut Arguments<'_>) {
    let memory = at(arguments.memory);
    for place in (RESULT..RESULT + RESULT_BYTES).step_by(8) {
        code.i32_const(place).i64_const(0).i64_store(memory);
    }
    let name = arguments.export.function.name.as_str();
    let byte = |code: &mut InstructionSink<'_>, place| {
        code.i32_const(place).i32_const(1).i32_store8(memory);
    };
    if name.starts_with("handle-") && arguments.random.random_ratio(1, 12) {
        byte(code, RESULT);
        for (place, value) in [(RESULT + 4, WORDS), (RESULT + 8, WORD_LIST[0].len() as i32)] {
            code.i32_const(place).i32_const(value).i32_store(memory);
        }
    } else if name == "handle-call" && arguments.random.random_ratio(4, 5) {
        byte(code, RESULT + 4);
        // Its parameters: variant, length, arguments, length, reply-to.
        code.i32_const(RESULT + 8).local_get(2).i32_store(memory);
        code.i32_const(RESULT + 12).local_get(3).i32_store(memory);
    }
    code.i32_const(RESULT);
}
