//! Which functions are around an address: the one that has code there, and those that were compiled into it.

use gimli::{Abbreviation, AttributeValue, EntriesRaw, UnitOffset};

use super::debug::{CodeOf, Debug, Slice, Unit};

/// The number of functions within each other, as far as they are followed.
const DEEPEST: usize = 200;

/// The cost of an entry besides what it says.
const ENTRY: usize = 4;

/// A function around an address.
#[derive(Clone, Copy)]
pub(super) struct Function {
    pub(super) entry: UnitOffset,
    /// The file and the line where it is called, if it was compiled into the one around it. Line 0 stands for none.
    pub(super) called: Option<(u64, u64)>,
    depth: isize,
}

/// The functions around an address as far as they are found, the outermost first.
#[derive(Clone)]
enum Around {
    /// The innermost is the last so far: what comes next may be in it.
    Open(Vec<Function>),
    Done(Vec<Function>),
    TooDeep,
}

/// The functions around each of these addresses, the outermost first. There are none where they are too many.
pub(super) fn functions<'a>(
    debug: &mut Debug<'a, '_>,
    unit: &Unit<'a>,
    addresses: &[u64],
) -> Option<Vec<Vec<Function>>> {
    let mut around = vec![Around::Open(Vec::new()); addresses.len()];
    let mut hits = vec![false; addresses.len()];
    let mut entries = unit.entries(None)?;
    while !entries.is_empty() {
        debug.budget.spend(ENTRY)?;
        let (entry, depth) = (entries.next_offset(), entries.next_depth());
        let Some(abbreviation) = entries.read_abbreviation().ok()? else {
            continue;
        };
        debug.budget.spend(abbreviation.attributes().len())?;
        around.iter_mut().for_each(|around| around.reach(depth));
        let within = match abbreviation.tag() {
            gimli::DW_TAG_subprogram => false,
            gimli::DW_TAG_inlined_subroutine => true,
            _ => {
                entries.skip_attributes(abbreviation.attributes()).ok()?;
                continue;
            }
        };
        let (code, called) = read(&mut entries, abbreviation)?;
        if !around.iter().any(|around| around.takes(within)) {
            continue;
        }
        debug.covered(unit, &code, addresses, &mut hits)?;
        let function = Function { entry, called, depth };
        for (around, _) in around.iter_mut().zip(&hits).filter(|(_, hit)| **hit) {
            around.add(within, function);
        }
    }
    let functions = around.into_iter().map(|around| match around {
        Around::Open(functions) | Around::Done(functions) => functions,
        Around::TooDeep => Vec::new(),
    });
    Some(functions.collect())
}

impl Around {
    /// Another entry comes, at this depth.
    fn reach(&mut self, depth: isize) {
        if let Self::Open(functions) = self
            && functions.last().is_some_and(|last| depth <= last.depth)
        {
            *self = Self::Done(std::mem::take(functions));
        }
    }

    /// True if a function may be the next: one of its own, or one that was compiled `within` another.
    fn takes(&self, within: bool) -> bool {
        matches!(self, Self::Open(functions) if functions.is_empty() != within)
    }

    fn add(&mut self, within: bool, function: Function) {
        if !self.takes(within) {
            return;
        }
        if let Self::Open(functions) = self {
            functions.push(function);
            if functions.len() > DEEPEST {
                *self = Self::TooDeep;
            }
        }
    }
}

/// Where a function's code is, and where it is called.
fn read<'a>(
    entries: &mut EntriesRaw<'_, Slice<'a>>,
    abbreviation: &Abbreviation,
) -> Option<(CodeOf<'a>, Option<(u64, u64)>)> {
    let (mut code, mut file, mut line) = (CodeOf::default(), None, 0);
    for attribute in abbreviation.attributes() {
        let attribute = entries.read_attribute(*attribute).ok()?;
        match (attribute.name(), attribute.value()) {
            (gimli::DW_AT_call_file, AttributeValue::FileIndex(index)) => file = Some(index),
            (gimli::DW_AT_call_file, value) => file = value.udata_value(),
            (gimli::DW_AT_call_line, value) => line = value.udata_value().unwrap_or_default(),
            (name, value) => code.take(name, value),
        }
    }
    Some((code, file.map(|file| (file, line))))
}
