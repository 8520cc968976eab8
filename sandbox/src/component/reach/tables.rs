//! What the tables of a component's instances have from the beginning.

use std::collections::{HashMap, HashSet};

use super::NotFollowed;
use super::effort::Effort;
use super::links::{Links, Node, Table};
use super::module::{Segment, Signature};

/// See the module.
#[derive(Default)]
pub(super) struct Tables {
    by_type: HashMap<(Table, Signature), Vec<Node>>,
    /// By place, in order. Several instances may fill one place, one after the other, and what runs as they are made may call each
    /// of them.
    places: Vec<(Table, u32, Node)>,
    /// Those that are filled from places which aren't known.
    unplaced: HashSet<Table>,
    /// What is put into any table, or could be, by type.
    loose: HashMap<Signature, Vec<Node>>,
}

impl Tables {
    /// Puts functions into tables, as the instances are made. `room` is what is left of what may be put there.
    pub(super) fn filled(links: &Links<'_>, room: &mut usize, effort: &mut Effort) -> Result<Self, NotFollowed> {
        let mut tables = Self::default();
        for instance in 0..links.assembly.core_instances.len() {
            for segment in links.module(instance).into_iter().flat_map(|module| &module.segments) {
                // A segment without functions takes its time, too.
                effort.spend(1 + segment.functions.len())?;
                *room = room.checked_sub(segment.functions.len()).ok_or(NotFollowed::TooMuch)?;
                tables.fill(links, instance, segment, effort)?;
            }
        }
        tables.places.sort_unstable();
        tables.places.dedup();
        Ok(tables)
    }

    fn fill(
        &mut self,
        links: &Links<'_>,
        instance: usize,
        segment: &Segment,
        effort: &mut Effort,
    ) -> Result<(), NotFollowed> {
        let table = match segment.table {
            Some(table) => links.table(instance, table, effort)?,
            None => None,
        };
        if let (Some(table), None) = (table, segment.offset) {
            self.unplaced.insert(table);
        }
        for (at, function) in (0..).zip(&segment.functions) {
            let Some(function) = function else { continue };
            let Some((function, signature)) = links.function(instance, *function, effort)? else {
                continue;
            };
            self.loose.entry(signature).or_default().push(function);
            let Some(table) = table else { continue };
            self.by_type.entry((table, signature)).or_default().push(function);
            if let Some(offset) = segment.offset {
                self.places.push((table, offset.saturating_add(at), function));
            }
        }
        Ok(())
    }

    /// All of this type in a table.
    pub(super) fn of_type(&self, table: Table, signature: Signature) -> &[Node] {
        self.by_type.get(&(table, signature)).map_or(&[], Vec::as_slice)
    }

    /// All that are ever put at a place of a table.
    pub(super) fn at(&self, table: Table, place: u32) -> impl Iterator<Item = Node> {
        let first = self.places.partition_point(|(of, at, _)| (*of, *at) < (table, place));
        let rest = self.places.get(first..).into_iter().flatten();
        rest.take_while(move |(of, at, _)| (*of, *at) == (table, place))
            .map(|(_, _, function)| *function)
    }

    /// True if it isn't known what is where in a table.
    pub(super) fn is_unplaced(&self, table: Table) -> bool {
        self.unplaced.contains(&table)
    }

    /// All of this type that are in some table or variable, or could be.
    pub(super) fn anywhere(&self, signature: Signature) -> &[Node] {
        self.loose.get(&signature).map_or(&[], Vec::as_slice)
    }
}
