//! What a component is made of: its modules, its components, and who hands what to whom.
//!
//! Read from the bytes alone and without validation. What is out of place is left out: the compiler refuses the file anyway.

use wasmparser::{Encoding, Parser, Payload};

use super::items::{self, Item};
use crate::component::needs::{Needs, Weighing};

/// What the host keeps for each function that crosses a component's border, in bytes.
const CROSSING: u64 = 96;

/// The beginning of the names by which CPython's library is told of its place.
const PYTHON: &str = "libpython";

/// A component with all that is nested in it.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// The names of what the component imports.
    pub(crate) imports: Vec<String>,
    /// The first is the component itself.
    pub(super) components: Vec<Definition>,
    /// True if a module has the lines of its source for debuggers.
    pub(crate) has_lines: bool,
    /// True if a module is CPython, linked as componentize-py links it.
    pub(crate) has_python: bool,
    /// What an instance of each module needs, in the order of the file.
    pub(in crate::component) modules: Vec<Needs>,
}

/// A component, as its file has it.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) items: Vec<Item>,
    /// What each of its instances takes besides those of its modules, in bytes.
    pub(super) bytes: u64,
}

/// Whose payloads are read.
enum Open {
    Module(usize, Weighing),
    Component(usize),
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
        // A file that ends early has modules that are still open.
        while !reading.open.is_empty() {
            reading.end();
        }
        reading.outline
    }

    /// True of a file that is no component, but a single module.
    pub(in crate::component) fn is_module(&self) -> bool {
        self.components.is_empty()
    }
}

#[derive(Default)]
struct Reading {
    outline: Outline,
    open: Vec<Open>,
}

impl Reading {
    fn payload(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::Version { encoding, .. } => self.begin(encoding),
            Payload::End(_) => self.end(),
            payload => match self.open.last_mut() {
                Some(Open::Module(_, weighing)) => {
                    match &payload {
                        Payload::CustomSection(section) => self.outline.has_lines |= section.name() == ".debug_line",
                        Payload::ExportSection(exports) => {
                            let mut exports = exports.clone().into_iter().map_while(Result::ok);
                            self.outline.has_python |= exports.any(|export| export.name.starts_with(PYTHON));
                        }
                        _ => {}
                    }
                    weighing.payload(payload)?;
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
            Encoding::Module => (
                Open::Module(modules.len(), Weighing::default()),
                Item::Module(modules.len()),
            ),
            Encoding::Component => (Open::Component(components.len()), Item::Component(components.len())),
        };
        if let Some(Open::Component(around)) = self.open.last()
            && let Some(around) = components.get_mut(*around)
        {
            around.items.push(item);
        }
        match encoding {
            // Its place; what it needs is known at its end.
            Encoding::Module => modules.push(Needs::default()),
            Encoding::Component => components.push(Definition::default()),
        }
        self.open.push(open);
    }

    fn end(&mut self) {
        if let Some(Open::Module(module, weighing)) = self.open.pop()
            && let Some(needs) = self.outline.modules.get_mut(module)
        {
            *needs = weighing.needs();
        }
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
                    let kind = items::kind(import.ty.kind());
                    items.extend(kind.map(|kind| Item::Import(import.name.name.to_owned(), kind)));
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    items.push(items::core_instance(instance?));
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    items.push(items::instance(instance?));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    items.extend(items::alias(&alias?));
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    let name = export.name.name.to_owned();
                    items.extend(items::kind(export.kind).map(|kind| Item::Export(name, kind, export.index)));
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                *bytes += CROSSING * u64::from(section.count());
                for function in section {
                    items.push(items::canonical(function?));
                }
            }
            Payload::ComponentTypeSection(section) => {
                *bytes += u64::from(section.count()) * size_of::<usize>() as u64;
                for ty in section {
                    items.extend(items::destructor(&ty?));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
