//! The world of an actor as a core module sees it: flat functions, by the canonical ABI.

use std::path::Path;

use wasm_encoder::{
    EntityType, ExportKind, ExportSection, ImportSection, MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, Resolve, WorldId, WorldItem};

use crate::Result;

/// A function that an actor imports or exports.
pub struct Flat {
    /// The interface, e.g. `ractor:actor/messaging@0.1.0`.
    pub interface: String,
    pub function: Function,
    pub parameters: Vec<ValType>,
    pub results: Vec<ValType>,
    /// The last parameter says where the result belongs.
    pub returns_in_memory: bool,
}

/// What `guest-actor` imports and exports, in the order of its text.
pub struct World {
    pub resolve: Resolve,
    pub imports: Vec<Flat>,
    pub exports: Vec<Flat>,
}

impl World {
    pub fn read(folder: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder)?;
        let world = resolve.select_world(&[package], Some("guest-actor"))?;
        let imports = flat(&resolve, world, AbiVariant::GuestImport);
        let exports = flat(&resolve, world, AbiVariant::GuestExport);
        Ok(Self {
            resolve,
            imports,
            exports,
        })
    }
}

/// A module with these imports and with a memory: what a random module is to have.
pub fn shape(imports: &[Flat]) -> Vec<u8> {
    let (mut types, mut section) = (TypeSection::new(), ImportSection::new());
    add_imports(imports, &mut types, &mut section);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&section)
        .section(&memories)
        .section(&exports);
    module.finish()
}

/// Writes imports into the sections of a module.
pub fn add_imports(imports: &[Flat], types: &mut TypeSection, section: &mut ImportSection) {
    for import in imports {
        let ty = types.len();
        types
            .ty()
            .function(import.parameters.iter().copied(), import.results.iter().copied());
        section.import(&import.interface, &import.function.name, EntityType::Function(ty));
    }
}

fn flat(resolve: &Resolve, world: WorldId, side: AbiVariant) -> Vec<Flat> {
    let world = &resolve.worlds[world];
    let items = match side {
        AbiVariant::GuestImport => &world.imports,
        _ => &world.exports,
    };
    let interfaces = items.iter().filter_map(|(key, item)| match item {
        WorldItem::Interface { id, .. } => Some((resolve.name_world_key(key), *id)),
        _ => None,
    });
    interfaces
        .flat_map(|(name, id)| {
            let functions = resolve.interfaces[id].functions.values();
            functions.map(move |function| {
                let signature = resolve.wasm_signature(side, function);
                Flat {
                    interface: name.clone(),
                    function: function.clone(),
                    parameters: signature.params.iter().map(core).collect(),
                    results: signature.results.iter().map(core).collect(),
                    returns_in_memory: signature.retptr,
                }
            })
        })
        .collect()
}

fn core(ty: &WasmType) -> ValType {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
    }
}
