//! What a module that the Go compiler made needs besides.
//!
//! While the node asks a component for memory (`cabi_realloc`), the component may call nothing outside. Go's scheduler and collector
//! run whenever they like, in there too, and read the clock and look for events. So in there they are told the time that they were told
//! last, and that nothing happened.
//!
//! And the adapter of WASI 0.1 takes its own memory before Go's runtime has begun, which then would count it as its own. So it takes
//! what `guest-sdk/go` reserves.

mod found;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    InstructionSink, MemArg, Module, TypeSection, ValType,
};
use wasmparser::Parser;

use self::found::{Found, REALLOC, RESERVED_BYTES};

/// The same for the adapter, by the name that wit-component looks for first.
const ADAPTER_REALLOC: &str = "cabi_realloc_adapter";

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
