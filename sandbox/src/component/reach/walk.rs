//! Follows every call, from what the host calls on.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use wasmparser::Operator;

use super::effort::Effort;
use super::graph::Graph;
use super::links::{Node, Table};
use super::module::Signature;
use super::name::function_name;
use super::{HostCall, NotFollowed, Through};
use crate::component::assembly::{CoreFunction, Function};

/// The number of functions that are looked at.
const MOST_FUNCTIONS: usize = 1_000_000;

/// The number of bytes of code and of names that are read, and of calls, places and hands that are followed.
pub(super) const MOST_WORK: usize = 400_000_000;

/// The number of functions that are named as those which lead to a call.
const NAMED: usize = 3;

/// The number of functions on the way to a call that are asked for their names.
const LOOKED_AT: usize = 100;

/// The work that it takes to find a place among all that are filled.
const SEARCH: usize = 25;

/// How a function came to be looked at.
#[derive(Clone, Copy)]
struct Arrival {
    /// Who calls it. None if the host does, or if it is called through a pointer, which many may have.
    from: Option<Node>,
    through: Through,
}

/// See the module.
pub(super) struct Walk<'g, 'a> {
    graph: &'g Graph<'a>,
    arrivals: HashMap<Node, Arrival>,
    next: VecDeque<Node>,
    /// What can be reached without pointers comes first, so that what is left can't.
    stage: Through,
    /// What is called through pointers, until the first stage is over.
    pointed: Vec<Node>,
    waiting: HashSet<Node>,
    /// What is called through tables, by table and type.
    asked: HashMap<Table, BTreeSet<Signature>>,
    /// The same of calls whose place in the table is known.
    placed: HashMap<Table, BTreeSet<Signature>>,
    /// Tables that code changes.
    changing: HashSet<Table>,
    /// Of what may be anywhere, the types that are called.
    loose: HashSet<Signature>,
    /// What code takes pointers of, beside what is in tables.
    pointers: HashMap<Signature, BTreeSet<Node>>,
    /// Functions that hand on to a place of a table, and nothing else that is worth naming.
    trampolines: HashSet<Node>,
    calls: Vec<(usize, Node)>,
    /// Of functions, by module.
    names: HashMap<usize, HashMap<u32, &'a str>>,
    effort: Effort,
}

impl<'g, 'a> Walk<'g, 'a> {
    pub(super) fn new(graph: &'g Graph<'a>, effort: Effort) -> Self {
        Self {
            graph,
            arrivals: HashMap::new(),
            next: VecDeque::new(),
            stage: Through::Calls,
            pointed: Vec::new(),
            waiting: HashSet::new(),
            asked: HashMap::new(),
            placed: HashMap::new(),
            changing: HashSet::new(),
            loose: HashSet::new(),
            pointers: HashMap::new(),
            trampolines: HashSet::new(),
            calls: Vec::new(),
            names: HashMap::new(),
            effort,
        }
    }

    /// All functions of the host that are called.
    pub(super) fn calls(mut self) -> Result<Vec<HostCall>, NotFollowed> {
        for root in self.graph.roots(&mut self.effort)? {
            self.arrive(root, None, Through::Calls)?;
        }
        self.follow()?;
        self.stage = Through::Pointers;
        for node in std::mem::take(&mut self.pointed) {
            self.arrive(node, None, Through::Pointers)?;
        }
        self.follow()?;
        self.found()
    }

    fn follow(&mut self) -> Result<(), NotFollowed> {
        while let Some(node) = self.next.pop_front() {
            self.leave(node, self.stage)?;
        }
        Ok(())
    }

    fn found(mut self) -> Result<Vec<HostCall>, NotFollowed> {
        let mut calls: Vec<HostCall> = Vec::new();
        let mut named = HashSet::new();
        for (function, node) in std::mem::take(&mut self.calls) {
            let Some((interface, name)) = self.graph.of_host(function) else {
                continue;
            };
            // Each line that names a function of the host is one of its own.
            self.effort.spend(interface.len() + name.len())?;
            if !named.insert((interface, name)) {
                continue;
            }
            let through = self
                .arrivals
                .get(&node)
                .map_or(Through::Pointers, |arrival| arrival.through);
            self.effort.keep()?;
            calls.push(HostCall {
                interface: interface.to_owned(),
                function: name.to_owned(),
                through,
                by: self.leading_to(node)?,
            });
        }
        Ok(calls)
    }

    fn arrive(&mut self, node: Node, from: Option<Node>, through: Through) -> Result<(), NotFollowed> {
        self.effort.spend(1)?;
        if self.arrivals.contains_key(&node) {
            return Ok(());
        }
        if through > self.stage {
            // It may yet be called without a pointer.
            if self.waiting.insert(node) {
                self.effort.keep()?;
                self.pointed.push(node);
            }
            return Ok(());
        }
        if self.arrivals.len() >= MOST_FUNCTIONS {
            return Err(NotFollowed::TooMuch);
        }
        self.arrivals.insert(node, Arrival { from, through });
        self.next.push_back(node);
        Ok(())
    }

    /// Follows the calls of one function.
    fn leave(&mut self, node: Node, through: Through) -> Result<(), NotFollowed> {
        let function = match node {
            Node::Code { instance, function } => return self.code(node, instance, function, through),
            Node::Function(function) => function,
            Node::Builtin => return Ok(()),
        };
        let graph = self.graph;
        let around = match graph.links.assembly.functions.get(function) {
            Some(Function::Host(..)) => {
                self.calls.push((function, node));
                return Ok(());
            }
            Some(Function::Lifted(around)) => around,
            Some(Function::Lowered(lowered, around)) => {
                if let Some(lowered) = lowered {
                    self.arrive(Node::Function(*lowered), Some(node), through)?;
                }
                around
            }
            None => return Ok(()),
        };
        for function in around {
            self.arrive_at(*function, node, through)?;
        }
        Ok(())
    }

    fn arrive_at(&mut self, function: CoreFunction<'a>, from: Node, through: Through) -> Result<(), NotFollowed> {
        match self.graph.links.resolve(function, &mut self.effort)? {
            Some(node) => self.arrive(node, Some(from), through),
            None => Ok(()),
        }
    }

    fn code(&mut self, node: Node, instance: usize, function: u32, through: Through) -> Result<(), NotFollowed> {
        let graph = self.graph;
        let Some(module) = graph.links.module(instance) else {
            return Ok(());
        };
        let Some(body) = module.body(function) else {
            return Ok(());
        };
        self.effort.spend(body.range().len())?;
        let mut place = None;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            match operator {
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    if let Some((called, _)) = graph.links.function(instance, function_index, &mut self.effort)? {
                        self.arrive(called, Some(node), through)?;
                    }
                }
                Operator::CallIndirect {
                    type_index,
                    table_index,
                }
                | Operator::ReturnCallIndirect {
                    type_index,
                    table_index,
                } => {
                    let signature = module.signature(type_index);
                    match graph.links.table(instance, table_index, &mut self.effort)? {
                        Some(table) => self.call_through(node, table, signature, place, through)?,
                        None => self.call_loose(signature)?,
                    }
                }
                Operator::CallRef { type_index } | Operator::ReturnCallRef { type_index } => {
                    self.call_loose(module.signature(type_index))?;
                }
                Operator::RefFunc { function_index } => self.point_at(instance, function_index)?,
                _ => {
                    if let Some(table) = changed_table(&operator)
                        && let Some(table) = graph.links.table(instance, table, &mut self.effort)?
                    {
                        self.change(table)?;
                    }
                }
            }
            // A number right before a call through a table is the place that is called.
            place = match operator {
                Operator::I32Const { value } => Some(value.cast_unsigned()),
                _ => None,
            };
        }
        Ok(())
    }

    fn call_through(
        &mut self,
        node: Node,
        table: Table,
        signature: Signature,
        place: Option<u32>,
        through: Through,
    ) -> Result<(), NotFollowed> {
        let graph = self.graph;
        let Some(place) = place else {
            return self.ask(table, signature);
        };
        if self.has_anything(table) || graph.tables.is_unplaced(table) {
            return self.ask(table, signature);
        }
        self.effort.spend(SEARCH)?;
        let mut called = graph.tables.at(table, place).peekable();
        if called.peek().is_none() {
            // Nothing that was seen is put there. That is no reason to take nothing for called.
            return self.ask(table, signature);
        }
        if self.placed.entry(table).or_default().insert(signature) {
            self.effort.keep()?;
        }
        if self.trampolines.insert(node) {
            self.effort.keep()?;
        }
        for called in called {
            self.arrive(called, Some(node), through)?;
        }
        Ok(())
    }

    /// Takes all functions of this type in the table for called.
    fn ask(&mut self, table: Table, signature: Signature) -> Result<(), NotFollowed> {
        if !self.asked.entry(table).or_default().insert(signature) {
            return Ok(());
        }
        self.effort.keep()?;
        let graph = self.graph;
        for called in graph.tables.of_type(table, signature) {
            self.arrive(*called, None, Through::Pointers)?;
        }
        if self.has_anything(table) {
            self.call_loose(signature)?;
        }
        Ok(())
    }

    fn has_anything(&self, table: Table) -> bool {
        self.graph.hands_on || self.changing.contains(&table)
    }

    /// Takes a table for one that may have anything.
    fn change(&mut self, table: Table) -> Result<(), NotFollowed> {
        if !self.changing.insert(table) {
            return Ok(());
        }
        self.effort.keep()?;
        for signature in self.asked.get(&table).cloned().into_iter().flatten() {
            self.call_loose(signature)?;
        }
        for signature in self.placed.remove(&table).into_iter().flatten() {
            self.ask(table, signature)?;
        }
        Ok(())
    }

    /// Takes all functions of this type for called that may be in some table or variable.
    fn call_loose(&mut self, signature: Signature) -> Result<(), NotFollowed> {
        if !self.loose.insert(signature) {
            return Ok(());
        }
        self.effort.keep()?;
        let pointers = self.pointers.remove(&signature).unwrap_or_default();
        let graph = self.graph;
        for called in graph.tables.anywhere(signature).iter().chain(&pointers) {
            self.arrive(*called, None, Through::Pointers)?;
        }
        Ok(())
    }

    /// Notes that code takes a pointer of a function.
    fn point_at(&mut self, instance: usize, function: u32) -> Result<(), NotFollowed> {
        let Some((function, signature)) = self.graph.links.function(instance, function, &mut self.effort)? else {
            return Ok(());
        };
        if self.loose.contains(&signature) {
            return self.arrive(function, None, Through::Pointers);
        }
        if self.pointers.entry(signature).or_default().insert(function) {
            self.effort.keep()?;
        }
        Ok(())
    }

    /// The names of the functions that lead to this one, innermost first, as far as they have names.
    fn leading_to(&mut self, mut node: Node) -> Result<Vec<String>, NotFollowed> {
        let mut found = Vec::new();
        for _ in 0..LOOKED_AT {
            if let Node::Code { instance, function } = node
                && !self.trampolines.contains(&node)
                && let Some(number) = self.graph.links.module_of(instance)
                && let Some(module) = self.graph.links.module(instance)
            {
                let names = self.names.entry(number).or_insert_with(|| module.names());
                if let Some(name) = names.get(&function) {
                    self.effort.spend(name.len())?;
                    found.push(function_name(name));
                }
            }
            match self.arrivals.get(&node).and_then(|arrival| arrival.from) {
                Some(from) if found.len() < NAMED => node = from,
                _ => break,
            }
        }
        Ok(found)
    }
}

/// The table that an operator puts something into, by number.
fn changed_table(operator: &Operator<'_>) -> Option<u32> {
    match *operator {
        Operator::TableSet { table }
        | Operator::TableGrow { table }
        | Operator::TableFill { table }
        | Operator::TableInit { table, .. }
        | Operator::TableCopy { dst_table: table, .. }
        | Operator::TableAtomicSet { table_index: table, .. }
        | Operator::TableAtomicRmwXchg { table_index: table, .. }
        | Operator::TableAtomicRmwCmpxchg { table_index: table, .. } => Some(table),
        _ => None,
    }
}
