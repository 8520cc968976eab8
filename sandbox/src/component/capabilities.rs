//! Which capabilities a component uses, as far as its imports tell.

use std::borrow::Cow;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::policy::grants::Capability;

/// A capability that a component could use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityUse {
    /// Its key in `[actors.capabilities]`, or `interfaces.KEY` for an interface that the program adds.
    pub capability: Cow<'static, str>,
    /// The imports that tell, as `interface` or `interface#function`.
    pub imports: Vec<String>,
    /// How sure it is.
    pub certainty: Certainty,
}

/// How sure it is that a component uses a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Without the grant the component is refused.
    Required,
    /// The component calls functions that fail without the grant.
    Called,
    /// Its language imports this for every program, whether that uses it or not. Without the grant each use fails.
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
                    certainty: told.certainty,
                }),
            }
        }
    }
    uses
}
