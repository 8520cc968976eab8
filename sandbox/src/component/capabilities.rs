//! Which capabilities a component uses, as far as its imports, and what it calls of them, tell.

use std::borrow::Cow;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::reach::{HostCall, NotFollowed, Reach, Through};
use crate::policy::grants::Capability;

/// The capabilities that a component could use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Those that it needs or could come to use.
    pub uses: Vec<CapabilityUse>,
    /// Those whose functions it imports and has no call of.
    pub never_called: Vec<Cow<'static, str>>,
    /// The language that it has an interpreter of, if that is known.
    pub interpreter: Option<&'static str>,
    /// Why its calls could not be followed; then `uses` has all that it imports.
    pub not_followed: Option<String>,
}

/// A capability that a component could use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityUse {
    /// Its key in `[actors.capabilities]`, or `interfaces.KEY` for an interface that the program adds.
    pub capability: Cow<'static, str>,
    /// The imports that tell, as `interface` or `interface#function`.
    pub imports: Vec<String>,
    /// The names of the component's functions that call the first of them, innermost first, as far as they are known.
    pub by: Vec<String>,
    /// How sure it is.
    pub certainty: Certainty,
}

/// How sure it is that a component uses a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Without the grant the component is refused.
    Required,
    /// What the host calls leads to functions that fail without the grant, by nothing but calls.
    Called,
    /// The same, but a pointer to a function is on the way. Interpreters have pointers to all that they offer, whether the program uses
    /// it or not.
    Pointed,
    /// It is imported, and it is not known whether it is called.
    Imported,
}

/// An import that tells of a capability.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CapabilityImport {
    capability: Capability,
    /// How the interface's name begins.
    interface: &'static str,
    /// Those of its functions that tell. None: that it is imported at all does.
    functions: &'static [&'static str],
    certainty: Certainty,
}

impl CapabilityImport {
    pub(crate) const fn new(
        capability: Capability,
        interface: &'static str,
        functions: &'static [&'static str],
        certainty: Certainty,
    ) -> Self {
        Self {
            capability,
            interface,
            functions,
            certainty,
        }
    }
}

/// What the component uses, in the order of these imports.
pub(super) fn of(engine: &wasmtime::Engine, component: &Component, telling: &[CapabilityImport]) -> Vec<CapabilityUse> {
    let ty = component.component_type();
    let mut uses: Vec<CapabilityUse> = Vec::new();
    for told in telling {
        for (name, import) in ty.imports(engine) {
            if !name.starts_with(told.interface) {
                continue;
            }
            let mut imports = Vec::new();
            if told.functions.is_empty() {
                imports.push(name.to_owned());
            } else if let ComponentItem::ComponentInstance(interface) = import.ty {
                let functions = interface.exports(engine).map(|(function, _)| function);
                let named = functions.filter(|function| told.functions.contains(function));
                imports.extend(named.map(|function| format!("{name}#{function}")));
            }
            if imports.is_empty() {
                continue;
            }
            match uses.iter_mut().find(|found| found.capability == told.capability.key()) {
                Some(found) => found.imports.extend(imports),
                None => uses.push(CapabilityUse {
                    capability: told.capability.key().into(),
                    imports,
                    by: Vec::new(),
                    certainty: told.certainty,
                }),
            }
        }
    }
    uses
}

impl Capabilities {
    /// What is left of what a component imports, once it is known what it calls.
    pub(crate) fn of(imported: &[CapabilityUse], reach: Result<Reach, NotFollowed>) -> Self {
        let reach = match reach {
            Ok(reach) => reach,
            Err(reason) => {
                return Self {
                    uses: imported.to_vec(),
                    never_called: Vec::new(),
                    interpreter: None,
                    not_followed: Some(reason.to_string()),
                };
            }
        };
        let (mut uses, mut never_called) = (Vec::new(), Vec::new());
        for used in imported {
            match used.narrowed(&reach.calls) {
                Some(narrowed) => uses.push(narrowed),
                None => never_called.push(used.capability.clone()),
            }
        }
        Self {
            uses,
            never_called,
            interpreter: reach.interpreter,
            not_followed: None,
        }
    }
}

impl CapabilityUse {
    /// What it is with these calls. None if none of them is of it.
    fn narrowed(&self, calls: &[HostCall]) -> Option<Self> {
        let tells = |call: &&HostCall| {
            self.imports
                .iter()
                .any(|import| match import.strip_prefix(call.interface.as_str()) {
                    Some("") => true,
                    Some(rest) => rest.strip_prefix('#') == Some(call.function.as_str()),
                    None => false,
                })
        };
        let mut calls: Vec<_> = calls.iter().filter(tells).collect();
        if self.certainty == Certainty::Required {
            // It is refused for what it imports, called or not.
            let by = calls.first().map_or_else(Vec::new, |call| call.by.clone());
            return Some(Self { by, ..self.clone() });
        }
        calls.sort_by_key(|call| call.through);
        let first = calls.first()?;
        Some(Self {
            capability: self.capability.clone(),
            imports: calls
                .iter()
                .map(|call| format!("{}#{}", call.interface, call.function))
                .collect(),
            by: first.by.clone(),
            certainty: match first.through {
                Through::Calls => Certainty::Called,
                Through::Pointers => Certainty::Pointed,
            },
        })
    }
}
