//! Adds up what the instances of a component need, by following who instantiates which as the compiler will.
//!
//! A few nested components that instantiate each other twice are a thousand instances, so the way has an end.

use std::collections::HashMap;

use super::Needs;
use super::outline::{COMPONENT, Definition, Item, Kind, Outline};
use crate::component::complexity::TooComplex;

/// The number of steps that are followed: each definition, instance, argument, import, export and alias of each instance is one.
const MOST_STEPS: usize = 250_000;

/// The depth to which components may instantiate each other.
const DEEPEST: usize = 100;

/// The component is put together in more steps, or deeper, than is followed.
pub(super) type Beyond = TooComplex;

impl Outline {
    /// What each guest of the component needs.
    pub(crate) fn needs(&self) -> Result<Needs, Beyond> {
        let mut counting = Counting {
            outline: self,
            needs: Needs::default(),
            steps: 0,
            scopes: Vec::new(),
            instances: Vec::new(),
        };
        if self.components.is_empty() {
            return Ok(self.modules.first().copied().unwrap_or_default());
        }
        counting.instantiate(
            Closure {
                component: 0,
                scope: None,
            },
            &HashMap::new(),
            0,
        )?;
        Ok(counting.needs)
    }
}

struct Counting<'a> {
    outline: &'a Outline,
    needs: Needs,
    steps: usize,
    scopes: Vec<Scope>,
    instances: Vec<Exports<'a>>,
}

type Exports<'a> = HashMap<&'a str, Thing>;

/// A component, and the scope that it was defined in.
#[derive(Debug, Clone, Copy)]
struct Closure {
    component: usize,
    scope: Option<usize>,
}

/// A module, a component or an instance, by its number. None of what isn't known, such as an import of the whole.
#[derive(Debug, Clone, Copy)]
enum Thing {
    Module(Option<usize>),
    Component(Option<Closure>),
    Instance(Option<usize>),
}

/// What the lines of one instance of a component have named so far, by kind.
#[derive(Default)]
struct Scope {
    around: Option<usize>,
    modules: Vec<Option<usize>>,
    components: Vec<Option<Closure>>,
    instances: Vec<Option<usize>>,
}

impl Thing {
    fn unknown(kind: Kind) -> Self {
        match kind {
            Kind::Module => Self::Module(None),
            Kind::Component => Self::Component(None),
            Kind::Instance => Self::Instance(None),
        }
    }

    /// Itself, if it is of this kind.
    fn of_kind(self, kind: Kind) -> Self {
        match (self, kind) {
            (Self::Module(_), Kind::Module)
            | (Self::Component(_), Kind::Component)
            | (Self::Instance(_), Kind::Instance) => self,
            _ => Self::unknown(kind),
        }
    }
}

impl Scope {
    fn name(&mut self, thing: Thing) {
        match thing {
            Thing::Module(module) => self.modules.push(module),
            Thing::Component(component) => self.components.push(component),
            Thing::Instance(instance) => self.instances.push(instance),
        }
    }

    fn find(&self, kind: Kind, index: u32) -> Thing {
        let index = index as usize;
        match kind {
            Kind::Module => Thing::Module(self.modules.get(index).copied().flatten()),
            Kind::Component => Thing::Component(self.components.get(index).copied().flatten()),
            Kind::Instance => Thing::Instance(self.instances.get(index).copied().flatten()),
        }
    }
}

impl<'a> Counting<'a> {
    /// The number of the new instance.
    fn instantiate(&mut self, closure: Closure, arguments: &Exports<'a>, depth: usize) -> Result<usize, Beyond> {
        if depth > DEEPEST {
            return Err(TooComplex::Depth(DEEPEST));
        }
        let outline = self.outline;
        let scope = self.scopes.len();
        self.scopes.push(Scope {
            around: closure.scope,
            ..Scope::default()
        });
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
                Item::Import(name, kind) => {
                    let given = arguments.get(name.as_str()).copied();
                    given.map_or(Thing::unknown(*kind), |given| given.of_kind(*kind))
                }
                Item::Instantiate(component, arguments) => {
                    Thing::Instance(self.instance_of(scope, *component, arguments, depth)?)
                }
                item => match self.step(scope, item) {
                    Some(named) => named,
                    None => continue,
                },
            };
            if let Some(scope) = self.scopes.get_mut(scope) {
                scope.name(named);
            }
        }
        Ok(self.add(exports))
    }

    fn instance_of(
        &mut self,
        scope: usize,
        component: u32,
        arguments: &'a [(String, Kind, u32)],
        depth: usize,
    ) -> Result<Option<usize>, Beyond> {
        let Thing::Component(Some(closure)) = self.find(scope, Kind::Component, component) else {
            return Ok(None);
        };
        let arguments = self.bundle(scope, arguments);
        self.instantiate(closure, &arguments, depth + 1).map(Some)
    }

    /// What a line names that instantiates no component, if it names anything.
    fn step(&mut self, scope: usize, item: &'a Item) -> Option<Thing> {
        Some(match item {
            Item::Module(module) => Thing::Module(Some(*module)),
            Item::Component(component) => Thing::Component(Some(Closure {
                component: *component,
                scope: Some(scope),
            })),
            // It names nothing: core instances are numbered apart, and no line here refers to one.
            Item::CoreInstance(module) => {
                if let Thing::Module(Some(module)) = self.find(scope, Kind::Module, *module)
                    && let Some(module) = self.outline.modules.get(module)
                {
                    self.needs = self.needs.and(module);
                }
                return None;
            }
            Item::Bundle(things) => {
                let exports = self.bundle(scope, things);
                Thing::Instance(Some(self.add(exports)))
            }
            Item::Export(_, kind, index) => self.find(scope, *kind, *index),
            Item::Alias(instance, name, kind) => {
                let Thing::Instance(instance) = self.find(scope, Kind::Instance, *instance) else {
                    return None;
                };
                let exports = instance.and_then(|instance| self.instances.get(instance));
                let found = exports.and_then(|exports| exports.get(name.as_str()).copied());
                found.map_or(Thing::unknown(*kind), |found| found.of_kind(*kind))
            }
            Item::Outer(kind, levels, index) => {
                let around = (0..*levels).try_fold(scope, |scope, _| self.scopes.get(scope)?.around);
                around.map_or(Thing::unknown(*kind), |around| self.find(around, *kind, *index))
            }
            Item::Import(..) | Item::Instantiate(..) => return None,
        })
    }

    fn bundle(&self, scope: usize, things: &'a [(String, Kind, u32)]) -> Exports<'a> {
        let things = things.iter();
        things
            .map(|(name, kind, index)| (name.as_str(), self.find(scope, *kind, *index)))
            .collect()
    }

    fn find(&self, scope: usize, kind: Kind, index: u32) -> Thing {
        let scope = self.scopes.get(scope);
        scope.map_or(Thing::unknown(kind), |scope| scope.find(kind, index))
    }

    fn add(&mut self, exports: Exports<'a>) -> usize {
        self.instances.push(exports);
        self.instances.len() - 1
    }

    fn keep(&mut self, bytes: u64) {
        self.needs.instance_bytes = self.needs.instance_bytes.saturating_add(bytes);
    }
}
