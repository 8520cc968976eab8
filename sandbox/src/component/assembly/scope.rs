//! What the lines of one instance of a component have named so far, by kind and number.

use super::CoreFunction;
use super::items::CoreKind;
pub(super) use super::items::Kind;

/// A component, and the scope that it was defined in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closure {
    pub(super) component: usize,
    pub(super) scope: Option<usize>,
}

/// A module, a component, an instance or a function, by its number. None of what isn't known, such as a module that is an import of
/// the whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Thing {
    Module(Option<usize>),
    Component(Option<Closure>),
    Instance(Option<usize>),
    Function(Option<usize>),
}

/// What the lines of one instance of a component have named so far, by kind.
#[derive(Default)]
pub(super) struct Scope<'a> {
    pub(super) around: Option<usize>,
    modules: Vec<Option<usize>>,
    components: Vec<Option<Closure>>,
    instances: Vec<Option<usize>>,
    functions: Vec<Option<usize>>,
    core_instances: Vec<usize>,
    core_functions: Vec<CoreFunction<'a>>,
    /// The core instance that exports it, and the name that it has there.
    core_tables: Vec<Option<(usize, &'a str)>>,
}

impl Thing {
    pub(super) fn unknown(kind: Kind) -> Self {
        match kind {
            Kind::Module => Self::Module(None),
            Kind::Component => Self::Component(None),
            Kind::Instance => Self::Instance(None),
            Kind::Function => Self::Function(None),
        }
    }

    /// Itself, if it is of this kind.
    pub(super) fn of_kind(self, kind: Kind) -> Self {
        match (self, kind) {
            (Self::Module(_), Kind::Module)
            | (Self::Component(_), Kind::Component)
            | (Self::Instance(_), Kind::Instance)
            | (Self::Function(_), Kind::Function) => self,
            _ => Self::unknown(kind),
        }
    }
}

impl<'a> Scope<'a> {
    pub(super) fn within(around: Option<usize>) -> Self {
        Self {
            around,
            ..Self::default()
        }
    }

    pub(super) fn name(&mut self, thing: Thing) {
        match thing {
            Thing::Module(module) => self.modules.push(module),
            Thing::Component(component) => self.components.push(component),
            Thing::Instance(instance) => self.instances.push(instance),
            Thing::Function(function) => self.functions.push(function),
        }
    }

    pub(super) fn find(&self, kind: Kind, index: u32) -> Thing {
        let index = index as usize;
        match kind {
            Kind::Module => Thing::Module(self.modules.get(index).copied().flatten()),
            Kind::Component => Thing::Component(self.components.get(index).copied().flatten()),
            Kind::Instance => Thing::Instance(self.instances.get(index).copied().flatten()),
            Kind::Function => Thing::Function(self.functions.get(index).copied().flatten()),
        }
    }

    pub(super) fn name_core_instance(&mut self, number: usize) {
        self.core_instances.push(number);
    }

    pub(super) fn name_core_function(&mut self, function: CoreFunction<'a>) {
        self.core_functions.push(function);
    }

    /// Names an export of a core instance.
    pub(super) fn name_core(&mut self, kind: CoreKind, instance: Option<usize>, name: &'a str) {
        match kind {
            CoreKind::Function => self
                .core_functions
                .push(instance.map_or(CoreFunction::Builtin, |instance| CoreFunction::Export(instance, name))),
            CoreKind::Table => self.core_tables.push(instance.map(|instance| (instance, name))),
        }
    }

    pub(super) fn core_instance(&self, index: u32) -> Option<usize> {
        self.core_instances.get(index as usize).copied()
    }

    pub(super) fn core_function(&self, index: u32) -> Option<CoreFunction<'a>> {
        self.core_functions.get(index as usize).copied()
    }

    pub(super) fn core_table(&self, index: u32) -> Option<(usize, &'a str)> {
        self.core_tables.get(index as usize).copied().flatten()
    }
}
