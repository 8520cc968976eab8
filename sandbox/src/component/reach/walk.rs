//! Follows every call, from what the host calls on.

use std::collections::{HashMap, HashSet, VecDeque};

use wasmparser::Operator;

use super::graph::{Graph, Node, Table};
use super::module::Signature;
use super::name::function_name;
use super::{HostCall, NotFollowed, Through};
use crate::component::assembly::{CoreFunction, Function};

/// The number of functions that are looked at.
const MOST_FUNCTIONS: usize = 1_000_000;

/// The number of bytes of code that are read, and of calls that are followed.
pub(super) const MOST_WORK: usize = 400_000_000;

/// The number of functions that are named as those which lead to a call.
const NAMED: usize = 3;

/// The number of functions on the way to a call that are asked for their names.
const LOOKED_AT: usize = 100;

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
    /// What is called through tables, by table and type.
    asked: HashMap<Table, HashSet<Signature>>,
    /// The same of calls whose place in the table is known.
    placed: HashMap<Table, HashSet<Signature>>,
    /// Tables that code changes.
    changing: HashSet<Table>,
    /// Of what may be anywhere, the types that are called.
    loose: HashSet<Signature>,
    /// What code takes pointers of, beside what is in tables.
    pointers: HashMap<Signature, Vec<Node>>,
    /// Functions that hand on to a place of a table, and nothing else that is worth naming.
    trampolines: HashSet<Node>,
    calls: Vec<(usize, Node)>,
    /// Of functions, by module.
    names: HashMap<usize, HashMap<u32, &'a str>>,
    /// What may still be read and followed.
    work_left: usize,
}

impl<'g, 'a> Walk<'g, 'a> {
    pub(super) fn new(graph: &'g Graph<'a>, work_left: usize) -> Self {
        Self {
            graph,
            arrivals: HashMap::new(),
            next: VecDeque::new(),
            stage: Through::Calls,
            pointed: Vec::new(),
            asked: HashMap::new(),
            placed: HashMap::new(),
            changing: HashSet::new(),
            loose: HashSet::new(),
            pointers: HashMap::new(),
            trampolines: HashSet::new(),
            calls: Vec::new(),
            names: HashMap::new(),
            work_left,
        }
    }

    /// All functions of the host that are called.
    pub(super) fn calls(mut self) -> Result<Vec<HostCall>, NotFollowed> {
        for root in self.graph.roots() {
            self.arrive(root, None, Through::Calls)?;
        }
        self.follow()?;
        self.stage = Through::Pointers;
        for node in std::mem::take(&mut self.pointed) {
            self.arrive(node, None, Through::Pointers)?;
        }
        self.follow()?;
        Ok(self.found())
    }

    fn follow(&mut self) -> Result<(), NotFollowed> {
        while let Some(node) = self.next.pop_front() {
            self.leave(node, self.stage)?;
        }
        Ok(())
    }

    fn found(mut self) -> Vec<HostCall> {
        let mut calls: Vec<HostCall> = Vec::new();
        for (function, node) in std::mem::take(&mut self.calls) {
            let Some((interface, name)) = self.graph.of_host(function) else {
                continue;
            };
            let through = self
                .arrivals
                .get(&node)
                .map_or(Through::Pointers, |arrival| arrival.through);
            // Each line that names a function of the host is one of its own.
            if calls
                .iter()
                .any(|call| call.interface == interface && call.function == name)
            {
                continue;
            }
            calls.push(HostCall {
                interface: interface.to_owned(),
                function: name.to_owned(),
                through,
                by: self.leading_to(node),
            });
        }
        calls
    }

    fn arrive(&mut self, node: Node, from: Option<Node>, through: Through) -> Result<(), NotFollowed> {
        self.spend(1)?;
        if self.arrivals.contains_key(&node) {
            return Ok(());
        }
        if through > self.stage {
            // It may yet be called without a pointer.
            self.pointed.push(node);
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
        };
        let graph = self.graph;
        let around = match graph.assembly.functions.get(function) {
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
        match self.graph.resolve(function) {
            Some(node) => self.arrive(node, Some(from), through),
            None => Ok(()),
        }
    }

    fn code(&mut self, node: Node, instance: usize, function: u32, through: Through) -> Result<(), NotFollowed> {
        let graph = self.graph;
        let Some(module) = graph.module(instance) else {
            return Ok(());
        };
        let Some(body) = module.body(function) else {
            return Ok(());
        };
        self.spend(body.range().len())?;
        let mut place = None;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            match operator {
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    if let Some((called, _)) = graph.function(instance, function_index) {
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
                    if let Some(table) = graph.table(instance, table_index) {
                        self.call_through(node, table, signature, place, through)?;
                    }
                }
                Operator::CallRef { type_index } | Operator::ReturnCallRef { type_index } => {
                    self.call_loose(module.signature(type_index))?;
                }
                Operator::RefFunc { function_index } => self.point_at(instance, function_index)?,
                Operator::TableSet { table }
                | Operator::TableGrow { table }
                | Operator::TableFill { table }
                | Operator::TableInit { table, .. }
                | Operator::TableCopy { dst_table: table, .. } => {
                    if let Some(table) = graph.table(instance, table) {
                        self.change(table)?;
                    }
                }
                _ => {}
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
        if let Some(place) = place
            && !self.has_anything(table)
            && !graph.unplaced.contains(&table)
        {
            self.placed.entry(table).or_default().insert(signature);
            self.trampolines.insert(node);
            return match graph.places.get(&(table, place)) {
                Some(called) => self.arrive(*called, Some(node), through),
                None => Ok(()),
            };
        }
        self.ask(table, signature)
    }

    /// Takes all functions of this type in the table for called.
    fn ask(&mut self, table: Table, signature: Signature) -> Result<(), NotFollowed> {
        if !self.asked.entry(table).or_default().insert(signature) {
            return Ok(());
        }
        let graph = self.graph;
        for called in graph.tables.get(&(table, signature)).into_iter().flatten() {
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
        let pointers = self.pointers.remove(&signature).unwrap_or_default();
        let graph = self.graph;
        for called in graph.loose.get(&signature).into_iter().flatten().chain(&pointers) {
            self.arrive(*called, None, Through::Pointers)?;
        }
        Ok(())
    }

    /// Notes that code takes a pointer of a function.
    fn point_at(&mut self, instance: usize, function: u32) -> Result<(), NotFollowed> {
        let Some((function, signature)) = self.graph.function(instance, function) else {
            return Ok(());
        };
        if self.loose.contains(&signature) {
            return self.arrive(function, None, Through::Pointers);
        }
        self.pointers.entry(signature).or_default().push(function);
        Ok(())
    }

    fn spend(&mut self, work: usize) -> Result<(), NotFollowed> {
        self.work_left = self.work_left.checked_sub(work).ok_or(NotFollowed::TooMuch)?;
        Ok(())
    }

    /// The names of the functions that lead to this one, innermost first, as far as they have names.
    fn leading_to(&mut self, mut node: Node) -> Vec<String> {
        let mut found = Vec::new();
        for _ in 0..LOOKED_AT {
            if let Node::Code { instance, function } = node
                && !self.trampolines.contains(&node)
                && let Some(number) = self.graph.module_of(instance)
                && let Some(module) = self.graph.module(instance)
            {
                let names = self.names.entry(number).or_insert_with(|| module.names());
                found.extend(names.get(&function).map(|name| function_name(name)));
            }
            match self.arrivals.get(&node).and_then(|arrival| arrival.from) {
                Some(from) if found.len() < NAMED => node = from,
                _ => break,
            }
        }
        found
    }
}
