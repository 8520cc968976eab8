//! What it takes to follow a component, and what was found on the way, so that nothing is looked for twice.

use std::collections::HashMap;

use super::NotFollowed;
use super::links::{Node, Table};

/// The work that something counts as which is kept until the end. It keeps the memory in bounds, and not only the time.
const KEPT: usize = 100;

/// The work that is left, and what imports were found to be.
pub(super) struct Effort {
    left: usize,
    functions: HashMap<(usize, u32), Option<Node>>,
    tables: HashMap<(usize, u32), Option<Table>>,
}

impl Effort {
    pub(super) fn new(left: usize) -> Self {
        Self {
            left,
            functions: HashMap::new(),
            tables: HashMap::new(),
        }
    }

    /// Takes from what is left: a byte that is read or hashed is one, and so is a step.
    pub(super) fn spend(&mut self, work: usize) -> Result<(), NotFollowed> {
        self.left = self.left.checked_sub(work).ok_or(NotFollowed::TooMuch)?;
        Ok(())
    }

    /// Takes what something costs that is kept until the end.
    pub(super) fn keep(&mut self) -> Result<(), NotFollowed> {
        self.spend(KEPT)
    }

    /// What a function of this number that an instance imports was found to be. None if it wasn't looked for.
    pub(super) fn function(&self, instance: usize, function: u32) -> Option<Option<Node>> {
        self.functions.get(&(instance, function)).copied()
    }

    pub(super) fn found_function(
        &mut self,
        instance: usize,
        function: u32,
        found: Option<Node>,
    ) -> Result<Option<Node>, NotFollowed> {
        self.keep()?;
        self.functions.insert((instance, function), found);
        Ok(found)
    }

    /// What a table of this number that an instance imports was found to be. None if it wasn't looked for.
    pub(super) fn table(&self, instance: usize, table: u32) -> Option<Option<Table>> {
        self.tables.get(&(instance, table)).copied()
    }

    pub(super) fn found_table(
        &mut self,
        instance: usize,
        table: u32,
        found: Option<Table>,
    ) -> Result<Option<Table>, NotFollowed> {
        self.keep()?;
        self.tables.insert((instance, table), found);
        Ok(found)
    }
}
