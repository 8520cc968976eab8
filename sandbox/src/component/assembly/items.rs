//! The lines of a component that make or name something which its code could be called through.

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentType, ExternalKind, Instance,
};

/// A kind of thing that is numbered by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Module,
    Component,
    Instance,
    Function,
}

/// A kind of thing of core instances that is numbered by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CoreKind {
    Function,
    Table,
}

/// Things by name: each with its kind and its number.
pub(super) type Named<K> = Vec<(String, K, u32)>;

/// A line of a component.
#[derive(Debug)]
pub(super) enum Item {
    /// Defines the module of this number in [`Outline::modules`](super::Outline::modules).
    Module(usize),
    /// Defines the component of this number in [`Outline::components`](super::Outline::components).
    Component(usize),
    /// Instantiates a module with the core instances that have these names to it.
    CoreInstance(u32, Vec<(String, u32)>),
    /// Makes a core instance of what there is.
    CoreBundle(Named<CoreKind>),
    /// Takes an export of a core instance.
    CoreAlias(u32, String, CoreKind),
    /// Makes a function of a core function. The further ones may be called around it.
    Lift(u32, Vec<u32>),
    /// Makes a core function of a function. The further ones, which are core functions, may be called around it.
    Lower(u32, Vec<u32>),
    /// Makes a core function that concerns nobody but the component itself.
    Builtin,
    /// Names the core function that is called when a resource ends.
    Destructor(u32),
    /// Instantiates a component with arguments.
    Instantiate(u32, Named<Kind>),
    /// Makes an instance of what there is.
    Bundle(Named<Kind>),
    Import(String, Kind),
    Export(String, Kind, u32),
    /// Takes an export of an instance.
    Alias(u32, String, Kind),
    /// Takes something of a component around this one: how many levels up, and its number there.
    Outer(Kind, u32, u32),
}

impl Item {
    /// The number of steps that it takes to follow it.
    pub(super) fn steps(&self) -> usize {
        match self {
            Self::Instantiate(_, things) | Self::Bundle(things) => 1 + things.len(),
            Self::CoreBundle(things) => 1 + things.len(),
            Self::CoreInstance(_, arguments) => 1 + arguments.len(),
            _ => 1,
        }
    }
}

pub(super) fn kind(kind: ComponentExternalKind) -> Option<Kind> {
    match kind {
        ComponentExternalKind::Module => Some(Kind::Module),
        ComponentExternalKind::Component => Some(Kind::Component),
        ComponentExternalKind::Instance => Some(Kind::Instance),
        ComponentExternalKind::Func => Some(Kind::Function),
        _ => None,
    }
}

fn core_kind(kind: ExternalKind) -> Option<CoreKind> {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => Some(CoreKind::Function),
        ExternalKind::Table => Some(CoreKind::Table),
        _ => None,
    }
}

pub(super) fn core_instance(instance: Instance<'_>) -> Item {
    match instance {
        Instance::Instantiate { module_index, args } => {
            let arguments = args.iter().map(|argument| (argument.name.to_owned(), argument.index));
            Item::CoreInstance(module_index, arguments.collect())
        }
        Instance::FromExports(exports) => {
            let named = exports
                .iter()
                .filter_map(|export| Some((export.name.to_owned(), core_kind(export.kind)?, export.index)));
            Item::CoreBundle(named.collect())
        }
    }
}

pub(super) fn instance(instance: ComponentInstance<'_>) -> Item {
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

pub(super) fn alias(alias: &ComponentAlias<'_>) -> Option<Item> {
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
        ComponentAlias::CoreInstanceExport {
            kind,
            instance_index,
            name,
        } => Some(Item::CoreAlias(instance_index, name.to_owned(), core_kind(kind)?)),
    }
}

pub(super) fn canonical(function: CanonicalFunction) -> Item {
    let around = |options: &[CanonicalOption]| {
        let functions = options.iter().filter_map(|option| match option {
            CanonicalOption::Realloc(function)
            | CanonicalOption::PostReturn(function)
            | CanonicalOption::Callback(function) => Some(*function),
            _ => None,
        });
        functions.collect()
    };
    match function {
        CanonicalFunction::Lift {
            core_func_index,
            options,
            ..
        } => Item::Lift(core_func_index, around(&options)),
        CanonicalFunction::Lower { func_index, options } => Item::Lower(func_index, around(&options)),
        _ => Item::Builtin,
    }
}

pub(super) fn destructor(ty: &ComponentType<'_>) -> Option<Item> {
    match ty {
        ComponentType::Resource { dtor, .. } => dtor.map(Item::Destructor),
        _ => None,
    }
}
