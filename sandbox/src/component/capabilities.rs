//! Which capabilities a component wants, as far as its imports tell.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// A capability that a component could use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Its key in `[actors.capabilities]`.
    pub capability: &'static str,
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

/// What tells of a capability: the beginning of an interface's name and, if not the whole interface does, functions of it.
struct Sign {
    capability: &'static str,
    interface: &'static str,
    functions: &'static [&'static str],
    need: Need,
}

const SIGNS: [Sign; 9] = [
    sign("messages", "ractor:actor/messaging@", &["cast", "call"], Need::Called),
    sign(
        "messages",
        "ractor:actor/timers@",
        &["send-after", "send-interval"],
        Need::Called,
    ),
    sign("spawn", "ractor:actor/lifecycle@", &["spawn"], Need::Called),
    sign("directories", "wasi:filesystem/preopens@", &[], Need::Perhaps),
    sign(
        "environment",
        "wasi:cli/environment@",
        &["get-environment"],
        Need::Perhaps,
    ),
    sign("tcp", "wasi:sockets/tcp-create-socket@", &[], Need::Perhaps),
    sign("udp", "wasi:sockets/udp-create-socket@", &[], Need::Perhaps),
    sign("dns", "wasi:sockets/ip-name-lookup@", &[], Need::Perhaps),
    sign("http", "wasi:http/", &[], Need::Required),
];

const fn sign(
    capability: &'static str,
    interface: &'static str,
    functions: &'static [&'static str],
    need: Need,
) -> Sign {
    Sign {
        capability,
        interface,
        functions,
        need,
    }
}

/// What the component wants, in the order of the table above.
pub(crate) fn of(engine: &wasmtime::Engine, component: &Component) -> Vec<Want> {
    let ty = component.component_type();
    let mut wants: Vec<Want> = Vec::new();
    for sign in &SIGNS {
        for (name, import) in ty.imports(engine) {
            if !name.starts_with(sign.interface) {
                continue;
            }
            let mut imports = Vec::new();
            if sign.functions.is_empty() {
                imports.push(name.to_owned());
            } else if let ComponentItem::ComponentInstance(interface) = import.ty {
                let functions = interface.exports(engine).map(|(function, _)| function);
                let telling = functions.filter(|function| sign.functions.contains(function));
                imports.extend(telling.map(|function| format!("{name}#{function}")));
            }
            if imports.is_empty() {
                continue;
            }
            match wants.iter_mut().find(|want| want.capability == sign.capability) {
                Some(want) => want.imports.extend(imports),
                None => wants.push(Want {
                    capability: sign.capability,
                    imports,
                    need: sign.need,
                }),
            }
        }
    }
    wants
}
