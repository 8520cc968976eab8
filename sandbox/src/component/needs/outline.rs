//! What a component is made of, as far as it tells what its instances need: its modules, and who instantiates which.
//!
//! Read from the bytes alone and without validation. What is out of place is left out: the compiler refuses the file anyway.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ElementItems, Encoding,
    Instance, Parser, Payload, TypeRef,
};

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

/// The same for a component: for each of its instances, and for each function that crosses its border.
pub(super) const COMPONENT: u64 = 128;
const CROSSING: u64 = 96;

/// The bytes of a page, if a memory doesn't say otherwise, as a power of two.
const PAGE: u32 = 16;

/// A component with all that is nested in it.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// The names of what the component imports.
    pub(crate) imports: Vec<String>,
    /// The first is the component itself.
    pub(super) components: Vec<Definition>,
    /// What an instance of each module needs.
    pub(super) modules: Vec<Needs>,
}

/// A component, as its file has it.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) items: Vec<Item>,
    /// What each of its instances takes besides those of its modules, in bytes.
    pub(super) bytes: u64,
}

/// A kind of thing that is numbered by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Module,
    Component,
    Instance,
}

/// A line of a component that makes, or names, a module, a component or an instance.
#[derive(Debug)]
pub(super) enum Item {
    /// Defines the module of this number in [`Outline::modules`].
    Module(usize),
    /// Defines the component of this number in [`Outline::components`].
    Component(usize),
    /// Instantiates a module.
    CoreInstance(u32),
    /// Instantiates a component with arguments.
    Instantiate(u32, Vec<(String, Kind, u32)>),
    /// Makes an instance of what there is.
    Bundle(Vec<(String, Kind, u32)>),
    Import(String, Kind),
    Export(String, Kind, u32),
    /// Takes an export of an instance.
    Alias(u32, String, Kind),
    /// Takes something of a component around this one: how many levels up, and its number there.
    Outer(Kind, u32, u32),
}

impl Item {
    /// How many steps it is to follow it.
    pub(super) fn steps(&self) -> usize {
        match self {
            Self::Instantiate(_, things) | Self::Bundle(things) => 1 + things.len(),
            _ => 1,
        }
    }
}

/// Whose payloads are read.
enum Open {
    Module(usize),
    Component(usize),
}

/// Of the module that is read. Modules have no modules, so one is enough.
#[derive(Default)]
struct Entities {
    functions: u64,
    /// Those that something may refer to, with some of them twice.
    referred: u64,
}

impl Outline {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut reading = Reading::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let read = payload.and_then(|payload| reading.payload(payload));
            if read.is_err() {
                break;
            }
        }
        reading.outline
    }
}

#[derive(Default)]
struct Reading {
    outline: Outline,
    open: Vec<Open>,
    entities: Entities,
}

impl Reading {
    fn payload(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::Version { encoding, .. } => self.begin(encoding),
            Payload::End(_) => self.end(),
            payload => match self.open.last() {
                Some(Open::Module(module)) => {
                    let module = *module;
                    self.of_module(module, payload)?;
                }
                Some(Open::Component(component)) => {
                    let component = *component;
                    self.of_component(component, payload)?;
                }
                None => {}
            },
        }
        Ok(())
    }

    fn begin(&mut self, encoding: Encoding) {
        let Outline {
            components, modules, ..
        } = &mut self.outline;
        let (open, item) = match encoding {
            Encoding::Module => (Open::Module(modules.len()), Item::Module(modules.len())),
            Encoding::Component => (Open::Component(components.len()), Item::Component(components.len())),
        };
        if let Some(Open::Component(around)) = self.open.last()
            && let Some(around) = components.get_mut(*around)
        {
            around.items.push(item);
        }
        match encoding {
            Encoding::Module => {
                modules.push(Needs {
                    core_instances: 1,
                    instance_bytes: MODULE,
                    ..Needs::default()
                });
                self.entities = Entities::default();
            }
            Encoding::Component => components.push(Definition::default()),
        }
        self.open.push(open);
    }

    fn end(&mut self) {
        if let Some(Open::Module(module)) = self.open.pop()
            && let Some(module) = self.outline.modules.get_mut(module)
        {
            let Entities { functions, referred } = self.entities;
            // wasmtime keeps an entry for a function that may leave its module, and one however many refer to it.
            module.instance_bytes += FUNCTION * functions.min(referred);
        }
    }

    fn of_module(&mut self, module: usize, payload: Payload<'_>) -> wasmparser::Result<()> {
        let Some(needs) = self.outline.modules.get_mut(module) else {
            return Ok(());
        };
        let entities = &mut self.entities;
        let keeps = match payload {
            Payload::ImportSection(section) => {
                let mut imports = 0;
                for import in section.into_imports() {
                    imports += 1;
                    let function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    entities.functions += u64::from(function);
                }
                IMPORT * imports
            }
            Payload::FunctionSection(section) => {
                entities.functions += u64::from(section.count());
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
                entities.referred += u64::from(count);
                TABLE * u64::from(count)
            }
            Payload::GlobalSection(section) => {
                entities.referred += u64::from(section.count());
                GLOBAL * u64::from(section.count())
            }
            Payload::TagSection(section) => TAG * u64::from(section.count()),
            Payload::ExportSection(section) => {
                entities.referred += u64::from(section.count());
                0
            }
            // A function of its own may stand for all that happens at the start.
            Payload::StartSection { .. } => FUNCTION,
            Payload::ElementSection(section) => {
                for element in section {
                    entities.referred += match element?.items {
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

    fn of_component(&mut self, component: usize, payload: Payload<'_>) -> wasmparser::Result<()> {
        let Outline {
            imports, components, ..
        } = &mut self.outline;
        let Some(Definition { items, bytes }) = components.get_mut(component) else {
            return Ok(());
        };
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import?;
                    // Only the outermost component gets its imports from the host; the others get theirs from those
                    // around them.
                    if component == 0 {
                        imports.push(import.name.name.to_owned());
                    }
                    let kind = kind(import.ty.kind());
                    items.extend(kind.map(|kind| Item::Import(import.name.name.to_owned(), kind)));
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        items.push(Item::CoreInstance(module_index));
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    items.push(instantiation(instance?));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    items.extend(aliased(&alias?));
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    let name = export.name.name.to_owned();
                    items.extend(kind(export.kind).map(|kind| Item::Export(name, kind, export.index)));
                }
            }
            Payload::ComponentCanonicalSection(section) => *bytes += CROSSING * u64::from(section.count()),
            Payload::ComponentTypeSection(section) => *bytes += u64::from(section.count()) * size_of::<usize>() as u64,
            _ => {}
        }
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

fn kind(kind: ComponentExternalKind) -> Option<Kind> {
    match kind {
        ComponentExternalKind::Module => Some(Kind::Module),
        ComponentExternalKind::Component => Some(Kind::Component),
        ComponentExternalKind::Instance => Some(Kind::Instance),
        _ => None,
    }
}

fn instantiation(instance: ComponentInstance<'_>) -> Item {
    let named = |name: &str, of: ComponentExternalKind, index| Some((name.to_owned(), kind(of)?, index));
    match instance {
        ComponentInstance::Instantiate { component_index, args } => {
            let arguments = args.iter().filter_map(|arg| named(arg.name, arg.kind, arg.index));
            Item::Instantiate(component_index, arguments.collect())
        }
        ComponentInstance::FromExports(exports) => {
            let exports = exports.iter();
            Item::Bundle(
                exports
                    .filter_map(|export| named(export.name.name, export.kind, export.index))
                    .collect(),
            )
        }
    }
}

fn aliased(alias: &ComponentAlias<'_>) -> Option<Item> {
    match *alias {
        ComponentAlias::InstanceExport {
            kind: of,
            instance_index,
            name,
        } => Some(Item::Alias(instance_index, name.to_owned(), kind(of)?)),
        ComponentAlias::Outer { kind, count, index } => match kind {
            ComponentOuterAliasKind::CoreModule => Some(Item::Outer(Kind::Module, count, index)),
            ComponentOuterAliasKind::Component => Some(Item::Outer(Kind::Component, count, index)),
            _ => None,
        },
        ComponentAlias::CoreInstanceExport { .. } => None,
    }
}
