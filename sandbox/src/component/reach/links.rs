//! The modules of a component with what each of their instances was given.

use super::NotFollowed;
use super::effort::Effort;
use super::module::{Imported, Module, Signature};
use crate::component::assembly::{Assembly, CoreFunction, CoreInstance, CoreThing};

/// What can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Node {
    /// A function of a core instance, by number: one that has code.
    Code { instance: usize, function: u32 },
    /// One with a component's types, in [`Assembly::functions`].
    Function(usize),
    /// One that concerns nobody but the component: it leads nowhere.
    Builtin,
}

/// A table: the core instance that made it, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Table {
    instance: usize,
    table: u32,
}

/// See the module.
pub(super) struct Links<'a> {
    pub(super) modules: Vec<Module<'a>>,
    pub(super) assembly: Assembly<'a>,
}

impl<'a> Links<'a> {
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

    /// The function of this number of an instance, with its type. None of one that isn't known.
    pub(super) fn function(
        &self,
        instance: usize,
        function: u32,
        effort: &mut Effort,
    ) -> Result<Option<(Node, Signature)>, NotFollowed> {
        let Some(module) = self.module(instance) else {
            return Ok(None);
        };
        let Some(signature) = module.functions.get(function as usize) else {
            return Ok(None);
        };
        let node = match module.imported_functions.get(function as usize) {
            None => Some(Node::Code { instance, function }),
            Some(imported) => match effort.function(instance, function) {
                Some(known) => known,
                None => {
                    let found = match self.given(instance, imported, effort)? {
                        Some((from, name)) => self.resolve(CoreFunction::Export(from, name), effort)?,
                        None => None,
                    };
                    effort.found_function(instance, function, found)?
                }
            },
        };
        Ok(node.map(|node| (node, *signature)))
    }

    /// What a core function is, through however many hands it has gone.
    pub(super) fn resolve(
        &self,
        mut function: CoreFunction<'a>,
        effort: &mut Effort,
    ) -> Result<Option<Node>, NotFollowed> {
        // Each turn leads to an instance that was made earlier.
        loop {
            let (instance, name) = match function {
                CoreFunction::Builtin => return Ok(Some(Node::Builtin)),
                CoreFunction::Lowered(function) => return Ok(Some(Node::Function(function))),
                CoreFunction::Export(instance, name) => (instance, name),
            };
            effort.spend(1 + name.len())?;
            if let Some(CoreInstance::Bundle(things)) = self.assembly.core_instances.get(instance) {
                let Some(CoreThing::Function(found)) = things.get(name) else {
                    return Ok(None);
                };
                function = *found;
                continue;
            }
            let Some(module) = self.module(instance) else {
                return Ok(None);
            };
            let Some(found) = module.exported_function(name) else {
                return Ok(None);
            };
            let Some(imported) = module.imported_functions.get(found as usize) else {
                return Ok(Some(Node::Code {
                    instance,
                    function: found,
                }));
            };
            let Some((from, name)) = self.given(instance, imported, effort)? else {
                return Ok(None);
            };
            function = CoreFunction::Export(from, name);
        }
    }

    /// The table of this number of an instance. None of one that isn't known.
    pub(super) fn table(&self, instance: usize, table: u32, effort: &mut Effort) -> Result<Option<Table>, NotFollowed> {
        let Some(module) = self.module(instance) else {
            return Ok(None);
        };
        let Some(imported) = module.imported_tables.get(table as usize) else {
            return Ok(Some(Table { instance, table }));
        };
        if let Some(known) = effort.table(instance, table) {
            return Ok(known);
        }
        let found = match self.given(instance, imported, effort)? {
            Some((from, name)) => self.exported_table(from, name, effort)?,
            None => None,
        };
        effort.found_table(instance, table, found)
    }

    /// The table that an instance exports under this name, through however many hands it has gone.
    fn exported_table(
        &self,
        mut instance: usize,
        mut name: &'a str,
        effort: &mut Effort,
    ) -> Result<Option<Table>, NotFollowed> {
        // Each turn leads to an instance that was made earlier.
        loop {
            effort.spend(1 + name.len())?;
            if let Some(CoreInstance::Bundle(things)) = self.assembly.core_instances.get(instance) {
                let Some(CoreThing::Table(from, there)) = things.get(name) else {
                    return Ok(None);
                };
                (instance, name) = (*from, there);
                continue;
            }
            let Some(module) = self.module(instance) else {
                return Ok(None);
            };
            let Some(table) = module.exported_table(name) else {
                return Ok(None);
            };
            let Some(imported) = module.imported_tables.get(table as usize) else {
                return Ok(Some(Table { instance, table }));
            };
            let Some(next) = self.given(instance, imported, effort)? else {
                return Ok(None);
            };
            (instance, name) = next;
        }
    }

    /// The core instance that an instance was given for an import, with the import's name there.
    fn given(
        &self,
        instance: usize,
        imported: &Imported<'a>,
        effort: &mut Effort,
    ) -> Result<Option<(usize, &'a str)>, NotFollowed> {
        effort.spend(1 + imported.module.len())?;
        Ok(match self.assembly.core_instances.get(instance) {
            Some(CoreInstance::Of(_, given)) => given.get(imported.module).map(|from| (*from, imported.name)),
            _ => None,
        })
    }
}
