//! Which capabilities a component wants, as far as its imports tell.

use std::borrow::Cow;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// A capability that a component could use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Its key in `[actors.capabilities]`.
    pub capability: Cow<'static, str>,
    /// The imports that tell, as `interface` or `interface#function`.
    pub imports: Vec<String>,
    /// How sure it is.
    pub need: Need,
}

/// How sure it is that a component wants a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without the grant the component is refused.
    Required,
    /// The component calls functions that fail without the grant.
    Called,
    /// Its language imports this for every program, whether that uses it or not. Without the grant each use fails.
    Perhaps,
}

/// An import that tells of a capability.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CapabilityImport {
    capability: &'static str,
    /// How the interface's name begins.
    interface: &'static str,
    /// Those of its functions that tell. None: that it is imported at all does.
    functions: &'static [&'static str],
    need: Need,
}

impl CapabilityImport {
    pub(crate) const fn new(
        capability: &'static str,
        interface: &'static str,
        functions: &'static [&'static str],
        need: Need,
    ) -> Self {
        Self {
            capability,
            interface,
            functions,
            need,
        }
    }
}

/// What the component wants, in the order of these imports.
pub(super) fn of(engine: &wasmtime::Engine, component: &Component, telling: &[CapabilityImport]) -> Vec<Want> {
    let ty = component.component_type();
    let mut wants: Vec<Want> = Vec::new();
    for sign in telling {
        for (name, import) in ty.imports(engine) {
            if !name.starts_with(sign.interface) {
                continue;
            }
            let mut imports = Vec::new();
            if sign.functions.is_empty() {
                imports.push(name.to_owned());
            } else if let ComponentItem::ComponentInstance(interface) = import.ty {
                let functions = interface.exports(engine).map(|(function, _)| function);
                let named = functions.filter(|function| sign.functions.contains(function));
                imports.extend(named.map(|function| format!("{name}#{function}")));
            }
            if imports.is_empty() {
                continue;
            }
            match wants.iter_mut().find(|want| want.capability == sign.capability) {
                Some(want) => want.imports.extend(imports),
                None => wants.push(Want {
                    capability: sign.capability.into(),
                    imports,
                    need: sign.need,
                }),
            }
        }
    }
    wants
}
