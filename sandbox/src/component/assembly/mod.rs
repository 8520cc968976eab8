//! How a component is put together: who instantiates which, and which functions and tables each is handed, followed as the compiler
//! will.
//!
//! A few nested components that instantiate each other twice are a thousand instances, so the way has an end.

mod items;
mod outline;
mod scope;

use std::collections::{HashMap, HashSet};

use self::items::{CoreKind, Item, Named};
use self::outline::Definition;
pub(crate) use self::outline::Outline;
use self::scope::{Closure, Kind, Scope, Thing};
use super::complexity::TooComplex;
use super::needs::Needs;

/// The number of steps that are followed: each definition, instance, argument, import, export and alias of each instance is one.
const MOST_STEPS: usize = 500_000;

/// The depth to which components may instantiate each other.
const DEEPEST: usize = 100;

/// What the host keeps for each instance of a component, in bytes.
const COMPONENT: u64 = 128;

/// What one guest of a component consists of.
#[derive(Debug, Default)]
pub(crate) struct Assembly<'a> {
    /// What its instances need together.
    pub(super) needs: Needs,
    /// In the order in which they are made, so that each refers to earlier ones only.
    pub(super) core_instances: Vec<CoreInstance<'a>>,
    pub(super) functions: Vec<Function<'a>>,
    /// The functions that whoever has the guest can call, by number.
    pub(super) exported: Vec<usize>,
    /// The functions that the guest's own resources end with.
    pub(super) destructors: Vec<CoreFunction<'a>>,
}

/// An instance of a module, or of what there was.
#[derive(Debug)]
pub(super) enum CoreInstance<'a> {
    /// Of the module of this number, with the core instances that it is given by name. None of a module that isn't known.
    Of(Option<usize>, HashMap<&'a str, usize>),
    Bundle(HashMap<&'a str, CoreThing<'a>>),
}

/// What a core instance of what there was has under a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum CoreThing<'a> {
    Function(CoreFunction<'a>),
    /// The export of this name of the core instance with this number.
    Table(usize, &'a str),
}

/// A core function, before it is known what its instance exports.
#[derive(Debug, Clone, Copy)]
pub(super) enum CoreFunction<'a> {
    /// The export of this name of the core instance with this number.
    Export(usize, &'a str),
    /// Calls the function of the first number, in [`Assembly::functions`], for the guest.
    Lowered(usize),
    /// What concerns nobody but the component, and what isn't known.
    Builtin,
}

/// A function with a component's types.
#[derive(Debug)]
pub(super) enum Function<'a> {
    /// The host's: of this interface, with this name.
    Host(&'a str, &'a str),
    /// The guest's: what is called, and what may be called around it.
    Lifted(Vec<CoreFunction<'a>>),
    /// A lowered one: the function, and what may be called around it.
    Lowered(Option<usize>, Vec<CoreFunction<'a>>),
}

impl Outline {
    /// Follows how it is put together.
    ///
    /// # Errors
    /// In more steps, or deeper, than is followed.
    pub(super) fn assembly(&self) -> Result<Assembly<'_>, TooComplex> {
        let mut assembling = Assembling {
            outline: self,
            assembly: Assembly::default(),
            steps: 0,
            scopes: Vec::new(),
            instances: Vec::new(),
        };
        let whole = Closure {
            component: 0,
            scope: None,
        };
        let exports = assembling.instantiate(whole, &Exports::new(), 0)?;
        assembling.export(exports);
        Ok(assembling.assembly)
    }
}

struct Assembling<'a> {
    outline: &'a Outline,
    assembly: Assembly<'a>,
    steps: usize,
    scopes: Vec<Scope<'a>>,
    instances: Vec<Instance<'a>>,
}

type Exports<'a> = HashMap<&'a str, Thing>;

enum Instance<'a> {
    Exports(Exports<'a>),
    /// The host's, of an interface with this name.
    Host(&'a str),
}

impl<'a> Assembling<'a> {
    /// The number of the new instance.
    fn instantiate(&mut self, closure: Closure, arguments: &Exports<'a>, depth: usize) -> Result<usize, TooComplex> {
        if depth > DEEPEST {
            return Err(TooComplex::Depth(DEEPEST));
        }
        let outline = self.outline;
        let scope = self.scopes.len();
        self.scopes.push(Scope::within(closure.scope));
        let mut exports = Exports::new();
        let definition = outline.components.get(closure.component);
        self.keep(COMPONENT + definition.map_or(0, |definition| definition.bytes));
        for item in definition.map(|Definition { items, .. }| items).into_iter().flatten() {
            self.steps += item.steps();
            // Before the step is followed: what doubles at each level is stopped at the limit and not after it.
            if self.steps > MOST_STEPS {
                return Err(TooComplex::Steps(MOST_STEPS));
            }
            if let Item::Export(name, kind, index) = item {
                exports.insert(name, self.find(scope, *kind, *index));
            }
            // Whatever a line names takes the next number of its kind, known or not. Otherwise those behind it would
            // be others.
            let named = match item {
                Item::Import(name, kind) if depth == 0 => self.of_host(name, *kind),
                Item::Import(name, kind) => {
                    let given = arguments.get(name.as_str()).copied();
                    given.map_or(Thing::unknown(*kind), |given| given.of_kind(*kind))
                }
                Item::Instantiate(component, arguments) => {
                    Thing::Instance(self.instance_of(scope, *component, arguments, depth)?)
                }
                item => match self.step(scope, item) {
                    Some(named) => named,
                    None => {
                        self.core_step(scope, item);
                        continue;
                    }
                },
            };
            if let Some(scope) = self.scopes.get_mut(scope) {
                scope.name(named);
            }
        }
        Ok(self.add(Instance::Exports(exports)))
    }

    /// What the host gives under this name.
    fn of_host(&mut self, name: &'a str, kind: Kind) -> Thing {
        match kind {
            Kind::Instance => Thing::Instance(Some(self.add(Instance::Host(name)))),
            Kind::Function => self.function(Function::Host(name, "")),
            Kind::Module | Kind::Component => Thing::unknown(kind),
        }
    }

    fn instance_of(
        &mut self,
        scope: usize,
        component: u32,
        arguments: &'a Named<Kind>,
        depth: usize,
    ) -> Result<Option<usize>, TooComplex> {
        let Thing::Component(Some(closure)) = self.find(scope, Kind::Component, component) else {
            return Ok(None);
        };
        let arguments = self.bundle(scope, arguments);
        self.instantiate(closure, &arguments, depth + 1).map(Some)
    }

    /// What a line names that instantiates no component, if it names anything but things of core instances.
    fn step(&mut self, scope: usize, item: &'a Item) -> Option<Thing> {
        Some(match item {
            Item::Module(module) => Thing::Module(Some(*module)),
            Item::Component(component) => Thing::Component(Some(Closure {
                component: *component,
                scope: Some(scope),
            })),
            Item::Lift(function, around) => {
                let functions = std::iter::once(function).chain(around);
                let functions = functions.map(|function| self.core_function(scope, *function));
                let lifted = Function::Lifted(functions.collect());
                self.function(lifted)
            }
            Item::Bundle(things) => {
                let exports = self.bundle(scope, things);
                Thing::Instance(Some(self.add(Instance::Exports(exports))))
            }
            Item::Export(_, kind, index) => self.find(scope, *kind, *index),
            Item::Alias(instance, name, kind) => self.exported(scope, *instance, name, *kind),
            Item::Outer(kind, levels, index) => {
                let around = (0..*levels).try_fold(scope, |scope, _| self.scopes.get(scope)?.around);
                around.map_or(Thing::unknown(*kind), |around| self.find(around, *kind, *index))
            }
            _ => return None,
        })
    }

    fn exported(&mut self, scope: usize, instance: u32, name: &'a str, kind: Kind) -> Thing {
        let Thing::Instance(Some(instance)) = self.find(scope, Kind::Instance, instance) else {
            return Thing::unknown(kind);
        };
        match self.instances.get(instance) {
            Some(Instance::Exports(exports)) => exports
                .get(name)
                .map_or(Thing::unknown(kind), |found| found.of_kind(kind)),
            Some(Instance::Host(interface)) if kind == Kind::Function => {
                let function = Function::Host(interface, name);
                self.function(function)
            }
            _ => Thing::unknown(kind),
        }
    }

    /// What a line makes that has to do with core instances.
    fn core_step(&mut self, scope: usize, item: &'a Item) {
        let function = match item {
            Item::CoreInstance(module, arguments) => return self.core_instantiate(scope, *module, arguments),
            Item::CoreBundle(things) => return self.core_bundle(scope, things),
            Item::CoreAlias(instance, name, kind) => {
                let instance = self.core_instance(scope, *instance);
                if let Some(scope) = self.scopes.get_mut(scope) {
                    scope.name_core(*kind, instance, name);
                }
                return;
            }
            Item::Destructor(function) => {
                let function = self.core_function(scope, *function);
                self.assembly.destructors.push(function);
                return;
            }
            Item::Lower(function, around) => {
                let function = match self.find(scope, Kind::Function, *function) {
                    Thing::Function(function) => function,
                    _ => None,
                };
                let around = around.iter().map(|function| self.core_function(scope, *function));
                let lowered = Function::Lowered(function, around.collect());
                self.assembly.functions.push(lowered);
                CoreFunction::Lowered(self.assembly.functions.len() - 1)
            }
            _ => CoreFunction::Builtin,
        };
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.name_core_function(function);
        }
    }

    fn core_instantiate(&mut self, scope: usize, module: u32, arguments: &'a [(String, u32)]) {
        let module = match self.find(scope, Kind::Module, module) {
            Thing::Module(module) => module,
            _ => None,
        };
        if let Some(needs) = module.and_then(|module| self.outline.modules.get(module)) {
            self.assembly.needs = self.assembly.needs.and(needs);
        }
        let given = arguments.iter();
        let given = given.filter_map(|(name, instance)| Some((name.as_str(), self.core_instance(scope, *instance)?)));
        let made = CoreInstance::Of(module, given.collect());
        self.add_core(scope, made);
    }

    fn core_bundle(&mut self, scope: usize, things: &'a Named<CoreKind>) {
        let things = things.iter();
        let things = things.filter_map(|(name, kind, index)| {
            let thing = match kind {
                CoreKind::Function => CoreThing::Function(self.core_function(scope, *index)),
                CoreKind::Table => {
                    let (instance, name) = self.scopes.get(scope)?.core_table(*index)?;
                    CoreThing::Table(instance, name)
                }
            };
            Some((name.as_str(), thing))
        });
        let made = CoreInstance::Bundle(things.collect());
        self.add_core(scope, made);
    }

    fn add_core(&mut self, scope: usize, made: CoreInstance<'a>) {
        let number = self.assembly.core_instances.len();
        self.assembly.core_instances.push(made);
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.name_core_instance(number);
        }
    }

    fn bundle(&self, scope: usize, things: &'a Named<Kind>) -> Exports<'a> {
        let things = things.iter();
        things
            .map(|(name, kind, index)| (name.as_str(), self.find(scope, *kind, *index)))
            .collect()
    }

    fn find(&self, scope: usize, kind: Kind, index: u32) -> Thing {
        let scope = self.scopes.get(scope);
        scope.map_or(Thing::unknown(kind), |scope| scope.find(kind, index))
    }

    fn core_instance(&self, scope: usize, index: u32) -> Option<usize> {
        self.scopes.get(scope)?.core_instance(index)
    }

    fn core_function(&self, scope: usize, index: u32) -> CoreFunction<'a> {
        let found = self.scopes.get(scope).and_then(|scope| scope.core_function(index));
        found.unwrap_or(CoreFunction::Builtin)
    }

    fn function(&mut self, function: Function<'a>) -> Thing {
        self.assembly.functions.push(function);
        Thing::Function(Some(self.assembly.functions.len() - 1))
    }

    /// Marks what the whole exports: its functions, and those of its instances.
    fn export(&mut self, instance: usize) {
        let mut instances = vec![instance];
        let mut seen = HashSet::new();
        while let Some(instance) = instances.pop() {
            let Some(Instance::Exports(exports)) = self.instances.get(instance) else {
                continue;
            };
            if !seen.insert(instance) {
                continue;
            }
            for thing in exports.values() {
                match thing {
                    Thing::Function(Some(function)) => self.assembly.exported.push(*function),
                    Thing::Instance(Some(instance)) => instances.push(*instance),
                    _ => {}
                }
            }
        }
        // Maps have no order, and what is told of a component is the same each time.
        self.assembly.exported.sort_unstable();
    }

    fn add(&mut self, instance: Instance<'a>) -> usize {
        self.instances.push(instance);
        self.instances.len() - 1
    }

    fn keep(&mut self, bytes: u64) {
        let kept = &mut self.assembly.needs.instance_bytes;
        *kept = kept.saturating_add(bytes);
    }
}
