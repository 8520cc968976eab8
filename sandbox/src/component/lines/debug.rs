//! What compilers leave for debuggers, read within a bound.
//!
//! A few bytes of it can stand for a lot: thousands of units may share a table, a list of ranges or a path. So whatever is read is paid for
//! from a [`Budget`] first, and nothing is kept for longer than it takes to answer one question.

use std::collections::HashMap;
use std::sync::Arc;

use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebugAddrBase, DebugInfoOffset, DebugLineOffset,
    DebugLocListsBase, DebugRngListsBase, DebugStrOffsetsBase, DwAt, Dwarf, EndianSlice, EntriesRaw, LittleEndian,
    Reader, Section, SectionId, UnitHeader, UnitOffset,
};

/// The sections of one module for debuggers, in bytes together, beyond which they are not read.
const MOST_BYTES: usize = 64 << 20;

/// Of them the one with the lines.
const MOST_LINES: usize = 4 << 20;

/// The table of what the entries of one unit look like, in bytes. One of these takes about thirty of memory.
const MOST_ABBREVIATIONS: usize = 256 << 10;

/// A path or a name, in bytes, beyond which it is left out.
const MOST_TEXT: usize = 4 << 10;

/// The cost of a text that has no end: looking for it may have gone through all there is.
const ENDLESS_TEXT: usize = 4 << 20;

/// The cost of a text besides its bytes. To undo what a compiler did to a name can take far longer than to read it.
const TEXT: usize = 32 << 10;

/// The cost of a unit besides what is in it.
const UNIT: usize = 16;

/// The number of entries that are followed from one without a name to one that has it.
const HOPS: usize = 16;

pub(super) type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// The steps that a look may still take, each about as long as reading a few bytes.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new(steps: usize) -> Self {
        Self(steps)
    }

    /// None if there are not as many left, from then on for good.
    pub(super) fn spend(&mut self, steps: usize) -> Option<()> {
        let left = self.0.checked_sub(steps);
        self.0 = left.unwrap_or_default();
        left.map(drop)
    }

    /// Half of what is left, which what comes next may not spend: to be given back after it.
    pub(super) fn set_aside(&mut self) -> usize {
        let half = self.0 / 2;
        self.0 = self.0.saturating_sub(half);
        half
    }

    pub(super) fn give_back(&mut self, steps: usize) {
        self.0 = self.0.saturating_add(steps);
    }
}

/// The sections of a module.
pub(super) struct Debug<'a, 'b> {
    pub(super) dwarf: Dwarf<Slice<'a>>,
    pub(super) budget: &'b mut Budget,
    /// The table that was read last: many units may have the same.
    table: Option<(DebugAbbrevOffset, Arc<Abbreviations>)>,
}

/// A part of a program that was compiled at once.
pub(super) struct Unit<'a> {
    /// Without what it takes long to read.
    pub(super) unit: gimli::Unit<Slice<'a>>,
    pub(super) folder: Option<AttributeValue<Slice<'a>>>,
    pub(super) program: Option<DebugLineOffset>,
    pub(super) code: CodeOf<'a>,
}

/// Where the code of a unit or of a function is, as its entry says it.
#[derive(Default)]
pub(super) struct CodeOf<'a> {
    low: Option<AttributeValue<Slice<'a>>>,
    high: Option<AttributeValue<Slice<'a>>>,
    ranges: Option<AttributeValue<Slice<'a>>>,
}

impl<'a> CodeOf<'a> {
    pub(super) fn take(&mut self, name: DwAt, value: AttributeValue<Slice<'a>>) {
        match name {
            gimli::DW_AT_low_pc => self.low = Some(value),
            gimli::DW_AT_high_pc => self.high = Some(value),
            gimli::DW_AT_ranges => self.ranges = Some(value),
            _ => {}
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.ranges.is_some() || (self.low.is_some() && self.high.is_some())
    }
}

impl<'a> Unit<'a> {
    /// Its entries, from this one on, or all.
    pub(super) fn entries(&self, from: Option<UnitOffset>) -> Option<EntriesRaw<'_, Slice<'a>>> {
        self.unit.header.entries_raw(&self.unit.abbreviations, from).ok()
    }
}

impl<'a, 'b> Debug<'a, 'b> {
    /// None if there are no lines, or too much of anything.
    pub(super) fn new(sections: &HashMap<&str, &'a [u8]>, budget: &'b mut Budget) -> Option<Self> {
        let bytes: usize = sections.values().map(|section| section.len()).sum();
        let lines = sections.get(SectionId::DebugLine.name())?;
        if bytes > MOST_BYTES || lines.len() > MOST_LINES {
            return None;
        }
        let section = |id: SectionId| sections.get(id.name()).copied().unwrap_or_default();
        let dwarf = Dwarf::load(|id| Ok::<_, gimli::Error>(EndianSlice::new(section(id), LittleEndian)));
        Some(Self {
            dwarf: dwarf.ok()?,
            budget,
            table: None,
        })
    }

    /// Reads what a unit says of itself.
    pub(super) fn open(&mut self, header: UnitHeader<Slice<'a>>) -> Option<Unit<'a>> {
        self.budget.spend(UNIT)?;
        let abbreviations = self.abbreviations(header.debug_abbrev_offset())?;
        let (encoding, file) = (header.encoding(), self.dwarf.file_type);
        let mut unit = gimli::Unit {
            abbreviations: Arc::clone(&abbreviations),
            name: None,
            comp_dir: None,
            low_pc: 0,
            str_offsets_base: DebugStrOffsetsBase::default_for_encoding_and_file(encoding, file),
            addr_base: DebugAddrBase(0),
            loclists_base: DebugLocListsBase::default_for_encoding_and_file(encoding, file),
            rnglists_base: DebugRngListsBase::default_for_encoding_and_file(encoding, file),
            line_program: None,
            dwo_id: None,
            header,
        };
        let mut entries = unit.header.entries_raw(&abbreviations, None).ok()?;
        let root = entries.read_abbreviation().ok()??;
        self.budget.spend(root.attributes().len())?;
        let (mut folder, mut program, mut code) = (None, None, CodeOf::default());
        for attribute in root.attributes() {
            let attribute = entries.read_attribute(*attribute).ok()?;
            match (attribute.name(), attribute.value()) {
                (gimli::DW_AT_comp_dir, value) => folder = Some(value),
                (gimli::DW_AT_stmt_list, AttributeValue::DebugLineRef(offset)) => program = Some(offset),
                (_, AttributeValue::DebugStrOffsetsBase(base)) => unit.str_offsets_base = base,
                (_, AttributeValue::DebugAddrBase(base)) => unit.addr_base = base,
                (_, AttributeValue::DebugRngListsBase(base)) => unit.rnglists_base = base,
                (name, value) => code.take(name, value),
            }
        }
        if let Some(low) = code.low {
            unit.low_pc = self.dwarf.attr_address(&unit, low).ok()?.unwrap_or_default();
        }
        Some(Unit {
            unit,
            folder,
            program,
            code,
        })
    }

    fn abbreviations(&mut self, offset: DebugAbbrevOffset) -> Option<Arc<Abbreviations>> {
        if let Some((at, table)) = &self.table
            && *at == offset
        {
            return Some(Arc::clone(table));
        }
        let mut section = *self.dwarf.debug_abbrev.reader();
        section.skip(offset.0).ok()?;
        let length = section.len().min(MOST_ABBREVIATIONS);
        let section = section.split(length).ok()?;
        let table = table_length(section);
        self.budget.spend(4 * table.unwrap_or(length))?;
        table?;
        let table = DebugAbbrev::from(section).abbreviations(DebugAbbrevOffset(0)).ok()?;
        let table = Arc::new(table);
        self.table = Some((offset, Arc::clone(&table)));
        Some(table)
    }

    /// Marks which of these addresses are in the code.
    pub(super) fn covered(
        &mut self,
        unit: &Unit<'a>,
        code: &CodeOf<'a>,
        addresses: &[u64],
        hits: &mut [bool],
    ) -> Option<()> {
        hits.fill(false);
        let cost = 1 + addresses.len() / 4;
        let mut mark = |begin: u64, end: u64| {
            for (address, hit) in addresses.iter().zip(hits.iter_mut()) {
                *hit |= (begin..end).contains(address);
            }
        };
        if let Some(ranges) = code.ranges
            && let Some(offset) = self.dwarf.attr_ranges_offset(&unit.unit, ranges).ok()?
        {
            let mut ranges = self.dwarf.ranges(&unit.unit, offset).ok()?;
            // One by one, as the library would go through any number of empty ones in one step.
            while let Some(range) = ranges.next_raw().ok()? {
                self.budget.spend(cost)?;
                if let Some(range) = ranges.convert_raw(range).ok()? {
                    mark(range.begin, range.end);
                }
            }
            return Some(());
        }
        self.budget.spend(cost)?;
        let (Some(low), Some(high)) = (code.low, code.high) else {
            return Some(());
        };
        let Some(low) = self.dwarf.attr_address(&unit.unit, low).ok()? else {
            return Some(());
        };
        let high = match high.udata_value() {
            Some(size) => low.checked_add(size),
            None => self.dwarf.attr_address(&unit.unit, high).ok()?,
        };
        mark(low, high.unwrap_or_default());
        Some(())
    }

    /// A text, unless it is absurdly long.
    pub(super) fn text(&mut self, unit: &Unit<'a>, value: AttributeValue<Slice<'a>>) -> Option<String> {
        self.budget.spend(TEXT)?;
        let Ok(text) = self.dwarf.attr_string(&unit.unit, value) else {
            self.budget.spend(ENDLESS_TEXT)?;
            return None;
        };
        self.budget.spend(text.len())?;
        (text.len() <= MOST_TEXT).then(|| text.to_string_lossy().into_owned())
    }

    /// The name of a function, from its entry or from the one that this one refers to.
    pub(super) fn name(&mut self, unit: &Unit<'a>, mut entry: UnitOffset) -> Option<String> {
        let mut other = None;
        for _ in 0..HOPS {
            let unit = other.as_ref().unwrap_or(unit);
            let (name, next) = self.name_of_entry(unit, entry)?;
            if let Some(name) = name {
                return self.text(unit, name);
            }
            match next? {
                AttributeValue::UnitRef(offset) => entry = offset,
                AttributeValue::DebugInfoRef(offset) => {
                    let header = self.header_around(offset)?;
                    entry = offset.to_unit_offset(&header)?;
                    other = Some(self.open(header)?);
                }
                _ => return None,
            }
        }
        None
    }

    /// The name that an entry says, and the entry that it refers to.
    fn name_of_entry(&mut self, unit: &Unit<'a>, entry: UnitOffset) -> Option<NameAndNext<'a>> {
        let mut entries = unit.entries(Some(entry))?;
        let abbreviation = entries.read_abbreviation().ok()??;
        self.budget.spend(abbreviation.attributes().len())?;
        let (mut linked, mut name, mut next) = (None, None, None);
        for attribute in abbreviation.attributes() {
            let attribute = entries.read_attribute(*attribute).ok()?;
            match attribute.name() {
                gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => linked = Some(attribute.value()),
                gimli::DW_AT_name => name = Some(attribute.value()),
                gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => next = Some(attribute.value()),
                _ => {}
            }
        }
        self.budget.spend(entries.next_offset().0.saturating_sub(entry.0))?;
        Some((linked.or(name), next))
    }

    fn header_around(&mut self, offset: DebugInfoOffset) -> Option<UnitHeader<Slice<'a>>> {
        let mut headers = self.dwarf.units();
        while let Some(header) = headers.next().ok()? {
            self.budget.spend(1)?;
            if offset.to_unit_offset(&header).is_some() {
                return Some(header);
            }
        }
        None
    }
}

type NameAndNext<'a> = (Option<AttributeValue<Slice<'a>>>, Option<AttributeValue<Slice<'a>>>);

/// The number of bytes of the table that begins here. None if it has no end.
fn table_length(mut rest: Slice<'_>) -> Option<usize> {
    let whole = rest.len();
    while rest.read_uleb128().ok()? != 0 {
        let _tag = rest.read_uleb128().ok()?;
        let _children = rest.read_u8().ok()?;
        loop {
            let (name, form) = (rest.read_uleb128().ok()?, rest.read_uleb128().ok()?);
            if form == u64::from(gimli::DW_FORM_implicit_const.0) {
                let _value = rest.read_sleb128().ok()?;
            }
            if (name, form) == (0, 0) {
                break;
            }
        }
    }
    whole.checked_sub(rest.len())
}
