//! What an instance of one core module needs, read from the module's sections.

use wasmparser::{ElementItems, Payload, TypeRef};

use super::Needs;

/// What wasmtime keeps for an instance of a core module, in bytes: first for the instance itself, then for each thing that it
/// has or imports. Rounded up, so that another version of wasmtime need not change them.
const MODULE: u64 = 512;
const FUNCTION: u64 = 32;
const IMPORT: u64 = 48;
const MEMORY: u64 = 32;
const TABLE: u64 = 16;
const GLOBAL: u64 = 16;
const TAG: u64 = 8;
const DATA: u64 = 12;

/// The bytes of a page, if a memory doesn't say otherwise, as a power of two.
const PAGE: u32 = 16;

/// Of one module that is read.
pub(in crate::component) struct Weighing {
    needs: Needs,
    functions: u64,
    /// Those that something may refer to, with some of them twice.
    referred: u64,
}

impl Default for Weighing {
    fn default() -> Self {
        Self {
            needs: Needs {
                core_instances: 1,
                instance_bytes: MODULE,
                ..Needs::default()
            },
            functions: 0,
            referred: 0,
        }
    }
}

impl Weighing {
    /// What its instance needs, after all of its sections were read.
    pub(in crate::component) fn needs(mut self) -> Needs {
        // wasmtime keeps an entry for a function that may leave its module, and one however many refer to it.
        self.needs.instance_bytes += FUNCTION * self.functions.min(self.referred);
        self.needs
    }

    pub(in crate::component) fn payload(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        let needs = &mut self.needs;
        let keeps = match payload {
            Payload::ImportSection(section) => {
                let mut imports = 0;
                for import in section.into_imports() {
                    imports += 1;
                    let function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    self.functions += u64::from(function);
                }
                IMPORT * imports
            }
            Payload::FunctionSection(section) => {
                self.functions += u64::from(section.count());
                0
            }
            Payload::MemorySection(section) => {
                let count = section.count();
                for memory in section {
                    let memory = memory?;
                    needs.memory(memory.initial, memory.page_size_log2.unwrap_or(PAGE));
                }
                MEMORY * u64::from(count)
            }
            Payload::TableSection(section) => {
                let count = section.count();
                for table in section {
                    needs.table(table?.ty.initial);
                }
                // Each may be filled with a function of its own.
                self.referred += u64::from(count);
                TABLE * u64::from(count)
            }
            Payload::GlobalSection(section) => {
                self.referred += u64::from(section.count());
                GLOBAL * u64::from(section.count())
            }
            Payload::TagSection(section) => TAG * u64::from(section.count()),
            Payload::ExportSection(section) => {
                self.referred += u64::from(section.count());
                0
            }
            // A function of its own may stand for all that happens at the start.
            Payload::StartSection { .. } => FUNCTION,
            Payload::ElementSection(section) => {
                for element in section {
                    self.referred += match element?.items {
                        ElementItems::Functions(functions) => u64::from(functions.count()),
                        ElementItems::Expressions(_, expressions) => u64::from(expressions.count()),
                    };
                }
                0
            }
            Payload::DataSection(section) => DATA * u64::from(section.count()),
            _ => 0,
        };
        needs.instance_bytes = needs.instance_bytes.saturating_add(keeps);
        Ok(())
    }
}

impl Needs {
    fn memory(&mut self, pages: u64, page_log2: u32) {
        let bytes = pages.saturating_mul(1_u64.checked_shl(page_log2).unwrap_or(u64::MAX));
        self.memories += 1;
        self.memory_bytes = self.memory_bytes.saturating_add(bytes);
        self.largest_memory = self.largest_memory.max(bytes);
    }

    fn table(&mut self, elements: u64) {
        self.tables += 1;
        self.table_elements = self.table_elements.saturating_add(elements);
        self.largest_table = self.largest_table.max(elements);
    }
}
