//! The modules of a component with what each of their instances was given.

use std::collections::{HashMap, HashSet};

use wasmparser::{Encoding, Parser, Payload};

use super::NotFollowed;
use super::module::{Imported, Module, Segment, Signature, Signatures};
use crate::component::assembly::{Assembly, CoreFunction, CoreInstance, CoreThing, Function, Outline};

/// What is put into tables, in all modules and all instances of them, at most.
const MOST_PLACES: usize = 4_000_000;

/// Interpreters: how the names of their libraries begin, and the languages.
const INTERPRETERS: [(&str, &str); 2] = [("libpython", "Python"), ("componentize_qjs", "JavaScript")];

/// What can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// A function of a core instance, by number: one that has code.
    Code { instance: usize, function: u32 },
    /// One with a component's types, in [`Assembly::functions`].
    Function(usize),
}

/// A table: the core instance that made it, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Table {
    instance: usize,
    table: u32,
}

/// See the module.
pub(super) struct Graph<'a> {
    modules: Vec<Module<'a>>,
    pub(super) assembly: Assembly<'a>,
    /// What tables have from the beginning, by the functions' types.
    pub(super) tables: HashMap<(Table, Signature), Vec<Node>>,
    /// The same by place, as far as it is known.
    pub(super) places: HashMap<(Table, u32), Node>,
    /// Tables that are filled from places which aren't known.
    pub(super) unplaced: HashSet<Table>,
    /// What is put into any table, or could be, by type.
    pub(super) loose: HashMap<Signature, Vec<Node>>,
    /// True if functions are handed on in ways that aren't followed, so that each table may have any of `loose`.
    pub(super) hands_on: bool,
}

impl<'a> Graph<'a> {
    pub(super) fn of(bytes: &'a [u8], outline: &'a Outline) -> Result<Self, NotFollowed> {
        let mut room = MOST_PLACES;
        let modules = modules(bytes, &mut room)?;
        let mut graph = Self {
            hands_on: modules.iter().any(|module| module.hands_on),
            modules,
            assembly: outline.assembly()?,
            tables: HashMap::new(),
            places: HashMap::new(),
            unplaced: HashSet::new(),
            loose: HashMap::new(),
        };
        graph.fill(&mut room)?;
        Ok(graph)
    }

    /// Puts functions into tables, as the instances are made.
    fn fill(&mut self, room: &mut usize) -> Result<(), NotFollowed> {
        for instance in 0..self.assembly.core_instances.len() {
            for segment in 0..self.module(instance).map_or(0, |module| module.segments.len()) {
                let Some(segment) = self.module(instance).and_then(|module| module.segments.get(segment)) else {
                    continue;
                };
                *room = room.checked_sub(segment.functions.len()).ok_or(NotFollowed::TooMuch)?;
                self.fill_from(instance, &segment.clone());
            }
        }
        Ok(())
    }

    fn fill_from(&mut self, instance: usize, segment: &Segment) {
        let table = segment.table.and_then(|table| self.table(instance, table));
        if let (Some(table), None) = (table, segment.offset) {
            self.unplaced.insert(table);
        }
        for (at, function) in (0..).zip(&segment.functions) {
            let Some((function, signature)) = function.and_then(|function| self.function(instance, function)) else {
                continue;
            };
            self.loose.entry(signature).or_default().push(function);
            let Some(table) = table else { continue };
            self.tables.entry((table, signature)).or_default().push(function);
            if let Some(offset) = segment.offset {
                self.places.insert((table, offset.saturating_add(at)), function);
            }
        }
    }

    /// The number of an instance's module.
    pub(super) fn module_of(&self, instance: usize) -> Option<usize> {
        match self.assembly.core_instances.get(instance)? {
            CoreInstance::Of(module, _) => *module,
            CoreInstance::Bundle(_) => None,
        }
    }

    pub(super) fn module(&self, instance: usize) -> Option<&Module<'a>> {
        self.modules.get(self.module_of(instance)?)
    }

    /// The function of this number of an instance, with its type. None of one that concerns nobody but the component.
    pub(super) fn function(&self, instance: usize, function: u32) -> Option<(Node, Signature)> {
        let module = self.module(instance)?;
        let signature = *module.functions.get(function as usize)?;
        let node = match module.imported_functions.get(function as usize) {
            None => Node::Code { instance, function },
            Some(Imported { module, name }) => {
                self.resolve(CoreFunction::Export(self.given(instance, module)?, name))?
            }
        };
        Some((node, signature))
    }

    /// What a core function is, through however many hands it has gone.
    pub(super) fn resolve(&self, mut function: CoreFunction<'a>) -> Option<Node> {
        // Each turn leads to an instance that was made earlier.
        loop {
            let (instance, name) = match function {
                CoreFunction::Builtin => return None,
                CoreFunction::Lowered(function) => return Some(Node::Function(function)),
                CoreFunction::Export(instance, name) => (instance, name),
            };
            if let CoreInstance::Bundle(things) = self.assembly.core_instances.get(instance)? {
                let CoreThing::Function(found) = things.get(name)? else {
                    return None;
                };
                function = *found;
                continue;
            }
            let module = self.module(instance)?;
            let found = module.exported_function(name)?;
            let Some(Imported { module, name }) = module.imported_functions.get(found as usize) else {
                return Some(Node::Code {
                    instance,
                    function: found,
                });
            };
            function = CoreFunction::Export(self.given(instance, module)?, name);
        }
    }

    /// The table of this number of an instance, through however many hands it has gone.
    pub(super) fn table(&self, mut instance: usize, mut table: u32) -> Option<Table> {
        loop {
            let module = self.module(instance)?;
            let Some(Imported { module, name }) = module.imported_tables.get(table as usize) else {
                return Some(Table { instance, table });
            };
            let mut from = (self.given(instance, module)?, *name);
            while let CoreInstance::Bundle(things) = self.assembly.core_instances.get(from.0)? {
                let CoreThing::Table(instance, name) = things.get(from.1)? else {
                    return None;
                };
                from = (*instance, name);
            }
            instance = from.0;
            table = self.module(instance)?.exported_table(from.1)?;
        }
    }

    /// The core instance that an instance was given under a name.
    fn given(&self, instance: usize, name: &str) -> Option<usize> {
        match self.assembly.core_instances.get(instance)? {
            CoreInstance::Of(_, given) => given.get(name).copied(),
            CoreInstance::Bundle(_) => None,
        }
    }

    /// Where calls begin: what the host calls, and what runs by itself.
    pub(super) fn roots(&self) -> Vec<Node> {
        let exported = self.assembly.exported.iter().map(|function| Node::Function(*function));
        let destructors = self.assembly.destructors.iter();
        let destructors = destructors.filter_map(|function| self.resolve(*function));
        let starts = (0..self.assembly.core_instances.len())
            .filter_map(|instance| Some(self.function(instance, self.module(instance)?.start?)?.0));
        exported.chain(destructors).chain(starts).collect()
    }

    /// The language of the interpreter among the modules, by the names of the libraries that it is linked with.
    pub(super) fn interpreter(&self) -> Option<&'static str> {
        let mut modules = self.modules.iter();
        modules.find_map(|module| {
            INTERPRETERS
                .iter()
                .find_map(|(library, language)| module.exports_of_library(library).then_some(*language))
        })
    }

    /// What a function of the host is called.
    pub(super) fn of_host(&self, function: usize) -> Option<(&'a str, &'a str)> {
        match self.assembly.functions.get(function)? {
            Function::Host(interface, name) => Some((interface, name)),
            _ => None,
        }
    }
}

fn modules<'a>(bytes: &'a [u8], room: &mut usize) -> Result<Vec<Module<'a>>, NotFollowed> {
    let mut modules: Vec<Module<'a>> = Vec::new();
    let mut signatures = Signatures::default();
    // Whether what is read is a module. Modules have no modules, so the last one is what is read.
    let mut open = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version { encoding, .. } => {
                open.push(encoding);
                if encoding == Encoding::Module {
                    modules.push(Module::default());
                }
            }
            Payload::End(_) => {
                open.pop();
            }
            payload => {
                if let (Some(Encoding::Module), Some(module)) = (open.last(), modules.last_mut()) {
                    module.payload(payload, &mut signatures, room)?;
                }
            }
        }
    }
    Ok(modules)
}
