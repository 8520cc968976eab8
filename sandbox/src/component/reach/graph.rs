//! All of a component that calls are followed through.

use wasmparser::{Encoding, Parser, Payload};

use super::NotFollowed;
use super::effort::Effort;
use super::links::{Links, Node};
use super::module::{Module, Signatures};
use super::tables::Tables;
use crate::component::assembly::{Function, Outline};

/// What is put into tables, in all modules and all instances of them, at most.
const MOST_PLACES: usize = 4_000_000;

/// Interpreters: how the names of their libraries begin, and the languages.
const INTERPRETERS: [(&str, &str); 2] = [("libpython", "Python"), ("componentize_qjs", "JavaScript")];

/// See the module.
pub(super) struct Graph<'a> {
    pub(super) links: Links<'a>,
    pub(super) tables: Tables,
    /// True if functions are handed on in ways that aren't followed, so that each table may have any that is anywhere.
    pub(super) hands_on: bool,
}

impl<'a> Graph<'a> {
    pub(super) fn of(bytes: &'a [u8], outline: &'a Outline, effort: &mut Effort) -> Result<Self, NotFollowed> {
        let mut room = MOST_PLACES;
        let links = Links {
            modules: modules(bytes, &mut room)?,
            assembly: outline.assembly()?,
        };
        Ok(Self {
            tables: Tables::filled(&links, &mut room, effort)?,
            hands_on: links.modules.iter().any(|module| module.hands_on),
            links,
        })
    }

    /// Where calls begin: what the host calls, and what runs by itself.
    pub(super) fn roots(&self, effort: &mut Effort) -> Result<Vec<Node>, NotFollowed> {
        let Links { assembly, .. } = &self.links;
        let mut roots: Vec<_> = assembly
            .exported
            .iter()
            .map(|function| Node::Function(*function))
            .collect();
        for function in &assembly.destructors {
            roots.extend(self.links.resolve(*function, effort)?);
        }
        for instance in 0..assembly.core_instances.len() {
            if let Some(start) = self.links.module(instance).and_then(|module| module.start) {
                let start = self.links.function(instance, start, effort)?;
                roots.extend(start.map(|(function, _)| function));
            }
        }
        Ok(roots)
    }

    /// The language of the interpreter among the modules, by the names of the libraries that it is linked with.
    pub(super) fn interpreter(&self) -> Option<&'static str> {
        let mut modules = self.links.modules.iter();
        modules.find_map(|module| {
            INTERPRETERS
                .iter()
                .find_map(|(library, language)| module.exports_of_library(library).then_some(*language))
        })
    }

    /// What a function of the host is called.
    pub(super) fn of_host(&self, function: usize) -> Option<(&'a str, &'a str)> {
        match self.links.assembly.functions.get(function)? {
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
