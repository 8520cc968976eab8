//! Modules as Go's compiler makes them, as far as is looked at.

use wasm_encoder::{
    CustomSection, DataSection, EntityType, ImportSection, MemorySection, MemoryType, Module as Encoder,
};
use wasmparser::{Operator, Payload};

use super::found::{Found, MARK, REALLOC, RESERVED, WASI};
use super::*;

/// A module as Go's compiler makes it, as far as is looked at: `cabi_realloc` calls both imports.
fn module(mark: &str, reserved: &[u8]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types
        .ty()
        .function([ValType::I32, ValType::I64, ValType::I32], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    let mut imports = ImportSection::new();
    imports.import(WASI, "clock_time_get", EntityType::Function(0));
    imports.import(WASI, "poll_oneoff", EntityType::Function(1));
    let mut functions = FunctionSection::new();
    functions.function(1);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 8,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = GlobalSection::new();
    globals.global(
        GlobalType {
            val_type: ValType::I64,
            mutable: true,
            shared: false,
        },
        &ConstExpr::i64_const(0),
    );
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export(REALLOC, ExportKind::Func, 2);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    let mut sink = body.instructions();
    sink.i32_const(0).i64_const(1).i32_const(8).call(0).drop();
    sink.local_get(0).local_get(1).local_get(2).local_get(3).call(1).end();
    code.function(&body);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(1024), [b"before", reserved].concat());
    let mut module = Encoder::new();
    module.section(&CustomSection {
        name: mark.into(),
        data: [].as_slice().into(),
    });
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&memories);
    module.section(&globals).section(&exports).section(&code).section(&data);
    module.finish()
}

/// Which functions each function calls.
fn calls(module: &[u8]) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionEntry(body) = payload.expect("it is a module") {
            let operators = body.get_operators_reader().expect("it has a body");
            all.push(
                operators
                    .into_iter()
                    .filter_map(|operator| match operator.expect("it is an operator") {
                        Operator::Call { function_index } => Some(function_index),
                        _ => None,
                    })
                    .collect(),
            );
        }
    }
    all
}

#[test]
fn only_what_is_added_calls_the_clock_and_the_events() {
    let adapted = adapted(&module(MARK, RESERVED))
        .expect("it is a module")
        .expect("from Go");
    // The function that was there, the clock, the events, cabi_realloc and that of the adapter.
    assert_eq!(calls(&adapted), [vec![3, 4], vec![0], vec![1], vec![2], vec![]]);
    let found = Found::of(&adapted).expect("it is a module");
    assert_eq!((found.functions, found.globals, found.realloc), (7, 5, Some(5)));
    assert_eq!(found.reserved, Some(1030));
    wasmparser::Validator::new()
        .validate_all(&adapted)
        .expect("it is valid");
}

#[test]
fn what_is_not_from_go_stays_as_it_is() {
    assert!(matches!(adapted(&module("name", RESERVED)), Ok(None)));
}

#[test]
fn a_module_without_the_sdk_is_said_to_be_one() {
    let error = adapted(&module(MARK, b""))
        .expect_err("it reserves nothing")
        .to_string();
    assert!(error.contains("guest-sdk/go"), "{error}");
}
