//! Which file and line an address is of.

use gimli::{IncompleteLineProgram, LineProgramHeader, LineRows, Reader, Section};

use super::debug::{Debug, Slice, Unit};

/// The part of a unit's lines that has the names of its files, in bytes. One of these may take more than a hundred of memory.
const MOST_FILES: usize = 256 << 10;

/// The lines of a unit.
pub(super) struct Rows<'a> {
    rows: LineRows<Slice<'a>, IncompleteLineProgram<Slice<'a>>>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(debug: &mut Debug<'a, '_>, unit: &Unit<'a>) -> Option<Self> {
        let offset = unit.program?;
        let mut section = *debug.dwarf.debug_line.reader();
        section.skip(offset.0).ok()?;
        let (length, format) = section.read_initial_length().ok()?;
        let rest = section.len();
        if section.read_u16().ok()? >= 5 {
            // The sizes of addresses and of segments.
            section.skip(2).ok()?;
        }
        let files = section.read_length(format).ok()?;
        if files > MOST_FILES || length > rest {
            return None;
        }
        debug.budget.spend(length.saturating_add(4 * files))?;
        let program = debug
            .dwarf
            .debug_line
            .program(offset, unit.unit.header.address_size(), None, None);
        Some(Self {
            rows: program.ok()?.rows(),
        })
    }

    /// The numbers of the file and of the line of each address. Line 0 stands for none.
    pub(super) fn find(&mut self, addresses: &[u64]) -> Vec<Option<(u64, u64)>> {
        let mut found = vec![None; addresses.len()];
        let mut before: Option<(u64, (u64, u64))> = None;
        while let Ok(Some((_, row))) = self.rows.next_row() {
            if let Some((begin, place)) = before {
                let code = begin..row.address();
                for (address, found) in addresses.iter().zip(&mut found) {
                    if found.is_none() && code.contains(address) {
                        *found = Some(place);
                    }
                }
            }
            let line = row.line().map_or(0, |line| line.get());
            before = (!row.end_sequence()).then(|| (row.address(), (row.file_index(), line)));
        }
        found
    }

    /// The path of a file.
    pub(super) fn path(&self, debug: &mut Debug<'a, '_>, unit: &Unit<'a>, file: u64) -> Option<String> {
        let header: &LineProgramHeader<Slice<'a>> = self.rows.header();
        let file = header.file(file)?;
        let mut path = match unit.folder {
            Some(folder) => debug.text(unit, folder)?,
            None => String::new(),
        };
        // The first is the one that was compiled in.
        if file.directory_index() != 0
            && let Some(directory) = file.directory(header)
        {
            append(&mut path, &debug.text(unit, directory)?);
        }
        append(&mut path, &debug.text(unit, file.path_name())?);
        Some(path)
    }
}

/// Goes from a folder to what is in it, or elsewhere if that begins at the root, on Windows or not.
fn append(path: &mut String, next: &str) {
    let is_windows = |path: &str| path.starts_with('\\') || path.get(1..3) == Some(":\\");
    if next.starts_with('/') || next.get(1..3) == Some(":/") || is_windows(next) {
        path.clear();
    }
    let between = if is_windows(path) { '\\' } else { '/' };
    if !path.is_empty() && !path.ends_with(between) {
        path.push(between);
    }
    path.push_str(next);
}
