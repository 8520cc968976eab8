//! Makes a random module one of an actor: its random functions stay as they are, and around them come an allocator, the
//! exports of the world, which call them, and the imports of the world, if it has none.

use std::convert::Infallible;

use rand::rngs::SmallRng;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection, MemoryType, Module, StartSection,
    TableSection, TypeSection, ValType,
};
use wasmparser::{ExternalKind, FuncType, Parser, Payload};

use crate::Result;
use crate::callback::{self, HEAP};
use crate::world::{World, add_imports};

/// The sections of the random module, as far as the features that are on allow any.
#[derive(Default)]
struct Sections {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    start: Option<StartSection>,
    elements: ElementSection,
    data_count: Option<DataCountSection>,
    code: CodeSection,
    data: DataSection,
    /// What the code around needs to know of it.
    inside: Inside,
}

/// What of a random module the code around it uses.
#[derive(Default)]
pub struct Inside {
    signatures: Vec<FuncType>,
    /// The functions with code: their numbers among all functions, and their types.
    pub functions: Vec<(u32, FuncType)>,
    /// The number of the exported memory.
    pub memory: u32,
    /// The global with the fuel that is left, if there is one.
    pub fuel: Option<u32>,
}

/// `module` with the exports of the world. Its own exports are gone; the memory is the one that it exported.
pub fn put_around(module: &[u8], fuel: Option<u32>, world: &World, random: &mut SmallRng) -> Result<Vec<u8>> {
    let has_imports = |payload: &_| matches!(payload, Ok(Payload::ImportSection(imports)) if imports.count() > 0);
    let imports = u32::try_from(world.imports.len())?;
    let mut copy = if Parser::new(0).parse_all(module).any(|payload| has_imports(&payload)) {
        Copy { behind: 0 }
    } else {
        Copy { behind: imports }
    };
    let mut sections = Sections::default();
    for payload in Parser::new(0).parse_all(module) {
        sections.take(payload?, &mut copy, imports)?;
    }
    if copy.behind > 0 {
        add_imports(&world.imports, &mut sections.types, &mut sections.imports);
    }
    sections.inside.fuel = fuel;
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, sections.inside.memory);
    let heap = sections.globals.len();
    let kind = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    sections.globals.global(kind, &ConstExpr::i32_const(HEAP));
    let allocate = callback::allocate(heap, sections.inside.memory);
    let allocate = sections.add(&[ValType::I32; 4], &[ValType::I32], &allocate, world);
    exports.export("cabi_realloc", ExportKind::Func, allocate);
    for export in &world.exports {
        let code = callback::callback(world, export, &sections.inside, random)?;
        let function = sections.add(&export.parameters, &export.results, &code, world);
        let name = format!("{}#{}", export.interface, export.function.name);
        exports.export(&name, ExportKind::Func, function);
    }
    Ok(sections.finish(&exports))
}

/// Copies code to where it stands behind this many imported functions more.
struct Copy {
    behind: u32,
}

impl Reencode for Copy {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> std::result::Result<u32, Error<Infallible>> {
        Ok(function + self.behind)
    }
}

impl Sections {
    /// Copies a section. `imports` is how many functions are imported in the end.
    fn take(&mut self, payload: Payload<'_>, copy: &mut Copy, imports: u32) -> Result<()> {
        match payload {
            Payload::TypeSection(reader) => {
                for ty in reader.clone().into_iter_err_on_gc_types() {
                    self.inside.signatures.push(ty?);
                }
                copy.parse_type_section(&mut self.types, reader)?;
            }
            Payload::ImportSection(reader) => copy.parse_import_section(&mut self.imports, reader)?,
            Payload::FunctionSection(reader) => {
                for (number, ty) in (imports..).zip(reader.clone()) {
                    let signature = self.inside.signatures.get(ty? as usize).ok_or("a type of its own")?;
                    self.inside.functions.push((number, signature.clone()));
                }
                copy.parse_function_section(&mut self.functions, reader)?;
            }
            Payload::TableSection(reader) => copy.parse_table_section(&mut self.tables, reader)?,
            Payload::MemorySection(reader) => {
                for memory in reader {
                    self.memories.memory(with_room(memory?));
                }
            }
            Payload::GlobalSection(reader) => copy.parse_global_section(&mut self.globals, reader)?,
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export?;
                    if export.kind == ExternalKind::Memory && export.name == "memory" {
                        self.inside.memory = export.index;
                    }
                }
            }
            Payload::StartSection { func, .. } => {
                let function_index = copy.function_index(func)?;
                self.start = Some(StartSection { function_index });
            }
            Payload::ElementSection(reader) => copy.parse_element_section(&mut self.elements, reader)?,
            Payload::DataCountSection { count, .. } => self.data_count = Some(DataCountSection { count }),
            Payload::CodeSectionEntry(body) => copy.parse_function_body(&mut self.code, body)?,
            Payload::DataSection(reader) => copy.parse_data_section(&mut self.data, reader)?,
            Payload::Version { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::CustomSection(_)
            | Payload::End(_) => {}
            other => return Err(format!("a section that random modules don't have: {other:?}").into()),
        }
        Ok(())
    }

    /// Adds a function. Its number.
    fn add(&mut self, parameters: &[ValType], results: &[ValType], code: &Function, world: &World) -> u32 {
        let ty = self.types.len();
        self.types
            .ty()
            .function(parameters.iter().copied(), results.iter().copied());
        self.functions.function(ty);
        self.code.function(code);
        world.imports.len() as u32 + self.functions.len() - 1
    }

    fn finish(&self, exports: &ExportSection) -> Vec<u8> {
        let mut module = Module::new();
        module
            .section(&self.types)
            .section(&self.imports)
            .section(&self.functions);
        module
            .section(&self.tables)
            .section(&self.memories)
            .section(&self.globals);
        module.section(exports);
        if let Some(start) = &self.start {
            module.section(start);
        }
        module.section(&self.elements);
        if let Some(count) = &self.data_count {
            module.section(count);
        }
        module.section(&self.code).section(&self.data);
        module.finish()
    }
}

/// Room for what callbacks get and return, before the module grows it.
fn with_room(memory: wasmparser::MemoryType) -> MemoryType {
    let minimum = memory.initial.max(2);
    MemoryType {
        minimum,
        maximum: memory.maximum.map(|maximum| maximum.max(minimum)),
        memory64: memory.memory64,
        shared: memory.shared,
        page_size_log2: memory.page_size_log2,
    }
}
