//! What a module that the Go compiler made needs besides.
//!
//! While the node asks a component for memory (`cabi_realloc`), the component may call nothing outside. Go's scheduler and collector
//! run whenever they like, in there too, and read the clock and look for events. So in there they are told the time that they were told
//! last, and that nothing happened.
//!
//! And the adapter of WASI 0.1 takes its own memory before Go's runtime has begun, which then would count it as its own. So it takes
//! what `guest-sdk/go` reserves.

use anyhow::{Context, Result, bail};
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    InstructionSink, MemArg, Module, TypeSection, ValType,
};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// Go's linker writes this section into every module.
const MARK: &str = "go:buildid";
/// The first bytes of what is reserved for the adapter, and their number in all: as in guest-sdk/go/internal/abi.
const RESERVED: &[u8] = b"ractor: memory of the adapter \xa5\x5a";
const RESERVED_BYTES: i32 = 3 << 16;
const REALLOC: &str = "cabi_realloc";
const ADAPTER_REALLOC: &str = "cabi_realloc_adapter";
const WASI: &str = "wasi_snapshot_preview1";

/// The module as the component needs it, or none if it isn't from Go.
///
/// # Errors
/// It is no module, or not one with the SDK in it.
pub(crate) fn adapted(module: &[u8]) -> Result<Option<Vec<u8>>> {
    let found = Found::of(module)?;
    if !found.is_go {
        return Ok(None);
    }
    let mut adapter = Adapter::of(&found)?;
    let mut adapted = Module::new();
    adapter
        .parse_core_module(&mut adapted, Parser::new(0), module)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(Some(adapted.finish()))
}

/// What is looked for in a module.
#[derive(Default)]
struct Found {
    is_go: bool,
    types: u32,
    functions: u32,
    globals: u32,
    clock: Option<u32>,
    poll: Option<u32>,
    realloc: Option<u32>,
    reserved: Option<i32>,
}

impl Found {
    fn of(module: &[u8]) -> Result<Self> {
        let mut this = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::CustomSection(section) => this.is_go |= section.name() == MARK,
                Payload::TypeSection(section) => {
                    this.types = section.into_iter_err_on_gc_types().count().try_into()?;
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        match import.ty {
                            TypeRef::Func(_) => {
                                match (import.module, import.name) {
                                    (WASI, "clock_time_get") => this.clock = Some(this.functions),
                                    (WASI, "poll_oneoff") => this.poll = Some(this.functions),
                                    _ => {}
                                }
                                this.functions += 1;
                            }
                            TypeRef::Global(_) => this.globals += 1,
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => this.functions += section.count(),
                Payload::GlobalSection(section) => this.globals += section.count(),
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.name == REALLOC && export.kind == ExternalKind::Func {
                            this.realloc = Some(export.index);
                        }
                    }
                }
                Payload::DataSection(section) => {
                    for data in section {
                        this.look_in(data?)?;
                    }
                }
                _ => {}
            }
        }
        Ok(this)
    }

    fn look_in(&mut self, data: wasmparser::Data<'_>) -> Result<()> {
        let wasmparser::DataKind::Active { offset_expr, .. } = data.kind else {
            return Ok(());
        };
        let mut expression = offset_expr.get_operators_reader();
        let wasmparser::Operator::I32Const { value } = expression.read()? else {
            return Ok(());
        };
        if let Some(at) = data.data.windows(RESERVED.len()).position(|bytes| bytes == RESERVED) {
            if self.reserved.is_some() {
                bail!("the memory for the adapter is there twice");
            }
            self.reserved = Some(value + i32::try_from(at)?);
        }
        Ok(())
    }
}

/// What is written anew, and the numbers of what is added behind everything else.
struct Adapter {
    types: u32,
    clock: u32,
    poll: u32,
    realloc: u32,
    /// Four functions: the clock, the events, `cabi_realloc`, and that of the adapter.
    functions: u32,
    /// Four globals: whether the node asks for memory, where the adapter's next memory is, and the last times of day and of the
    /// monotonic clock.
    globals: u32,
    reserved: i32,
}

impl Adapter {
    fn of(found: &Found) -> Result<Self> {
        Ok(Self {
            types: found.types,
            clock: found
                .clock
                .context("it doesn't import the clock, which Go's runtime does")?,
            poll: found
                .poll
                .context("it doesn't import `poll_oneoff`, which Go's runtime does")?,
            realloc: found
                .realloc
                .context("it doesn't export cabi_realloc, which guest-sdk/go does")?,
            functions: found.functions,
            globals: found.globals,
            reserved: found
                .reserved
                .context("it doesn't have the memory that guest-sdk/go reserves")?,
        })
    }

    const fn asking(&self) -> u32 {
        self.globals
    }

    const fn next(&self) -> u32 {
        self.globals + 1
    }

    const fn last_time_of_day(&self) -> u32 {
        self.globals + 2
    }

    const fn last_monotonic(&self) -> u32 {
        self.globals + 3
    }

    /// The clock: `(id, precision, into) -> errno`. The time of day has the id 0. Everything else that Go asks for is monotonic.
    fn clock_body(&self) -> Function {
        let time = MemArg {
            offset: 0,
            align: 3,
            memory_index: 0,
        };
        let mut function = Function::new([(1, ValType::I32)]);
        let mut code = function.instructions();
        code.global_get(self.asking()).if_(BlockType::Empty);
        code.local_get(2);
        code.global_get(self.last_monotonic())
            .global_get(self.last_time_of_day());
        code.local_get(0).select().i64_store(time);
        code.i32_const(0).return_().end();
        code.local_get(0)
            .local_get(1)
            .local_get(2)
            .call(self.clock)
            .local_set(3);
        code.local_get(0).if_(BlockType::Empty);
        code.local_get(2).i64_load(time).global_set(self.last_monotonic());
        code.else_();
        code.local_get(2).i64_load(time).global_set(self.last_time_of_day());
        code.end().local_get(3).end();
        function
    }

    /// The events: `(subscriptions, events, number of subscriptions, number of events) -> errno`.
    fn poll_body(&self) -> Function {
        let number = MemArg {
            offset: 0,
            align: 2,
            memory_index: 0,
        };
        let mut function = Function::new([]);
        let mut code = function.instructions();
        code.global_get(self.asking()).if_(BlockType::Empty);
        code.local_get(3).i32_const(0).i32_store(number);
        code.i32_const(0).return_().end();
        code.local_get(0)
            .local_get(1)
            .local_get(2)
            .local_get(3)
            .call(self.poll)
            .end();
        function
    }

    /// `cabi_realloc`: `(old, old size, alignment, size) -> address`.
    fn realloc_body(&self) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        code.i32_const(1).global_set(self.asking());
        code.local_get(0)
            .local_get(1)
            .local_get(2)
            .local_get(3)
            .call(self.realloc);
        code.i32_const(0).global_set(self.asking()).end();
        function
    }

    /// The same for the adapter, which never gives anything back.
    fn adapter_realloc_body(&self) -> Function {
        let mut function = Function::new([(1, ValType::I32)]);
        let mut code = function.instructions();
        // Nothing is made larger.
        trap_if(code.local_get(0));
        code.global_get(self.next())
            .local_get(2)
            .i32_add()
            .i32_const(1)
            .i32_sub();
        code.i32_const(0).local_get(2).i32_sub().i32_and().local_tee(4);
        code.local_get(3).i32_add().global_set(self.next());
        let end = self.reserved + RESERVED_BYTES;
        trap_if(code.global_get(self.next()).i32_const(end).i32_gt_u());
        code.local_get(4).end();
        function
    }
}

fn trap_if(code: &mut InstructionSink<'_>) {
    code.if_(BlockType::Empty).unreachable().end();
}

type Outcome = Result<(), reencode::Error>;

impl Reencode for Adapter {
    type Error = std::convert::Infallible;

    /// Everybody calls what is added.
    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error> {
        Ok(match function {
            _ if function == self.clock => self.functions,
            _ if function == self.poll => self.functions + 1,
            _ => function,
        })
    }

    fn parse_type_section(&mut self, types: &mut TypeSection, section: wasmparser::TypeSectionReader<'_>) -> Outcome {
        utils::parse_type_section(self, types, section)?;
        types
            .ty()
            .function([ValType::I32, ValType::I64, ValType::I32], [ValType::I32]);
        types.ty().function([ValType::I32; 4], [ValType::I32]);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Outcome {
        utils::parse_function_section(self, functions, section)?;
        functions.function(self.types);
        (0..3).for_each(|_| {
            functions.function(self.types + 1);
        });
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Outcome {
        utils::parse_global_section(self, globals, section)?;
        let variable = |val_type| GlobalType {
            val_type,
            mutable: true,
            shared: false,
        };
        globals.global(variable(ValType::I32), &ConstExpr::i32_const(0));
        globals.global(variable(ValType::I32), &ConstExpr::i32_const(self.reserved));
        for _ in [self.last_time_of_day(), self.last_monotonic()] {
            globals.global(variable(ValType::I64), &ConstExpr::i64_const(0));
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Outcome {
        for export in section {
            let export = export?;
            if export.name == REALLOC {
                exports.export(REALLOC, ExportKind::Func, self.functions + 2);
            } else {
                utils::parse_export(self, exports, export)?;
            }
        }
        exports.export(ADAPTER_REALLOC, ExportKind::Func, self.functions + 3);
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: wasmparser::CodeSectionReader<'_>) -> Outcome {
        utils::parse_code_section(self, code, section)?;
        code.function(&self.clock_body());
        code.function(&self.poll_body());
        code.function(&self.realloc_body());
        code.function(&self.adapter_realloc_body());
        Ok(())
    }

    /// The names of what was there stay what they are.
    fn parse_custom_section(&mut self, module: &mut Module, section: wasmparser::CustomSectionReader<'_>) -> Outcome {
        module.section(&wasm_encoder::CustomSection {
            name: section.name().into(),
            data: section.data().into(),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        CustomSection, DataSection, EntityType, ImportSection, MemorySection, MemoryType, Module as Encoder,
    };
    use wasmparser::Operator;

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
}
