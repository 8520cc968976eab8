//! From places in a component's code to lines of its source, for components that were built with what debuggers read (DWARF).
//!
//! A component may say of itself whatever it likes, so what is read has bounds, and what makes no sense is left out.

mod debug;
mod functions;
mod rows;

use std::collections::HashMap;
use std::ops::Range;

use wasmparser::{Encoding, Parser, Payload, TypeRef};

use super::reach::function_name;
use crate::policy::text::tidy;
use debug::{Budget, Debug, Unit};
use functions::functions;
use rows::Rows;

/// The steps that a look may take, which are some tenths of a second.
const STEPS: usize = 64 << 20;

/// The number of functions, compiled into one another, that are told of besides the outermost.
const INNERMOST: usize = 31;

/// The number of bytes of a path that are shown.
const PATH: usize = 120;

/// A place in a component's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The number of the function in its module.
    pub(crate) function: u32,
    /// Where the instruction is in the component's file, in bytes from its beginning.
    pub(crate) offset: usize,
}

/// A module with what it has for debuggers.
#[derive(Default)]
struct Module<'a> {
    imported_functions: u32,
    own_functions: u32,
    /// Which of its functions the code of a place is of: its number, and where its code is in the file.
    bodies: Vec<(u32, Range<usize>)>,
    /// Where the section with the code begins, which is what places are counted from.
    code: usize,
    sections: HashMap<&'a str, &'a [u8]>,
}

/// The lines that a place stands for, each as `function in file:line`, or `file:line` if `name` is to come before it: first that of the
/// innermost function that was compiled into the one at the place. None of a place whose line isn't known.
pub(crate) fn lines(bytes: &[u8], places: &[Place]) -> Vec<Option<Vec<Line>>> {
    let mut budget = Budget::new(STEPS);
    let mut lines = vec![None; places.len()];
    for module in modules(bytes, places) {
        let in_module = |place: &Place| {
            module
                .has(*place)
                .then(|| place.offset.checked_sub(module.code))
                .flatten()
        };
        let addresses = places.iter().enumerate();
        let addresses: Vec<_> = addresses
            .filter_map(|(at, place)| Some((at, in_module(place)? as u64)))
            .collect();
        if !addresses.is_empty()
            && let Some(mut debug) = Debug::new(&module.sections, &mut budget)
        {
            in_units(&mut debug, &addresses, &mut lines);
        }
    }
    lines
}

/// Finds the lines of these addresses, each with its place in `lines`.
fn in_units(debug: &mut Debug<'_, '_>, addresses: &[(usize, u64)], lines: &mut [Option<Vec<Line>>]) {
    let mut headers = debug.dwarf.units();
    let mut unknown = addresses.to_vec();
    while let Ok(Some(header)) = headers.next() {
        if unknown.is_empty() || debug.budget.spend(1).is_none() {
            return;
        }
        let Some(unit) = debug.open(header) else {
            continue;
        };
        let all: Vec<_> = unknown.iter().map(|(_, address)| *address).collect();
        // A unit that doesn't say where its code is may be of any.
        let mut hits = vec![true; all.len()];
        if unit.code.is_known() && debug.covered(&unit, &unit.code, &all, &mut hits).is_none() {
            continue;
        }
        let here = unknown.iter().zip(&hits).filter(|(_, hit)| **hit).map(|(one, _)| *one);
        let (numbers, here): (Vec<_>, Vec<_>) = here.unzip();
        if here.is_empty() {
            continue;
        }
        let Some(found) = in_unit(debug, &unit, &here) else {
            continue;
        };
        for (number, found) in numbers.into_iter().zip(found) {
            if let Some(slot) = lines.get_mut(number) {
                *slot = found;
            }
        }
        unknown.retain(|(number, _)| lines.get(*number).is_some_and(Option::is_none));
    }
}

/// The lines of each of these addresses, which are in the code of the unit.
fn in_unit<'a>(debug: &mut Debug<'a, '_>, unit: &Unit<'a>, addresses: &[u64]) -> Option<Vec<Option<Vec<Line>>>> {
    let mut rows = Rows::of(debug, unit)?;
    let found = rows.find(addresses);
    // A line without the names of functions is better than none.
    let for_lines = debug.budget.set_aside();
    let around = match found.iter().any(Option::is_some) {
        true => functions(debug, unit, addresses),
        false => None,
    };
    debug.budget.give_back(for_lines);
    let around = around.unwrap_or_else(|| vec![Vec::new(); addresses.len()]);
    let folder = unit.folder.clone().and_then(|folder| debug.text(unit, folder));
    let at = |debug: &mut Debug<'a, '_>, (file, line): (u64, u64)| {
        let path = shortened(&rows.path(debug, unit, file)?, folder.as_deref());
        Some(match line {
            0 => path,
            line => format!("{path}:{line}"),
        })
    };
    let lines = found.into_iter().zip(around).map(|(mut place, around)| {
        let mut lines = Vec::new();
        if around.is_empty() {
            let at = at(debug, place?)?;
            lines.push(Line { function: None, at });
        }
        // What is compiled into another is called there, which is the line of that other.
        let outermost = around.len().saturating_sub(1);
        for (number, function) in around.into_iter().rev().enumerate() {
            let here = std::mem::replace(&mut place, function.called);
            if number >= INNERMOST && number < outermost {
                continue;
            }
            if let Some(at) = here.and_then(|here| at(debug, here)) {
                let function = debug.name(unit, function.entry).map(|name| function_name(&name));
                lines.push(Line { function, at });
            }
        }
        (!lines.is_empty()).then_some(lines)
    });
    Some(lines.collect())
}

/// A line of source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The function as its author wrote it, if it is known.
    pub(crate) function: Option<String>,
    /// `file:line`.
    pub(crate) at: String,
}

impl Module<'_> {
    fn has(&self, place: Place) -> bool {
        let own = place.function.checked_sub(self.imported_functions);
        let mut bodies = self.bodies.iter();
        bodies.any(|(number, body)| Some(*number) == own && body.contains(&place.offset))
    }
}

/// A path as it helps who reads it: within the folder that was compiled, or the library of a language, if it is of one of these.
fn shortened(path: &str, folder: Option<&str>) -> String {
    let within = folder.and_then(|folder| path.strip_prefix(folder)?.strip_prefix('/'));
    let of_rust = || {
        path.strip_prefix("/rustc/")
            .and_then(|rest| Some(rest.split_once('/')?.1))
    };
    let path = within.or_else(of_rust).unwrap_or(path);
    // Its end tells more than its beginning.
    let cut = path.len().saturating_sub(PATH);
    let cut = (cut..path.len())
        .find(|at| path.is_char_boundary(*at))
        .unwrap_or_default();
    tidy(path.get(cut..).unwrap_or_default(), PATH).into_owned()
}

/// The modules of a component, with what matters to these places.
fn modules<'a>(bytes: &'a [u8], places: &[Place]) -> Vec<Module<'a>> {
    let mut modules = Vec::new();
    let mut open = Vec::new();
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        if let Payload::Version { encoding, .. } = payload {
            open.push(encoding);
            if encoding == Encoding::Module {
                modules.push(Module::default());
            }
            continue;
        }
        if let (Some(Encoding::Module), Some(module)) = (open.last(), modules.last_mut()) {
            module.payload(&payload, places);
        }
        if matches!(payload, Payload::End(_)) {
            open.pop();
        }
    }
    modules
}

impl<'a> Module<'a> {
    fn payload(&mut self, payload: &Payload<'a>, places: &[Place]) {
        match payload {
            Payload::ImportSection(section) => {
                let imports = section.clone().into_imports().map_while(Result::ok);
                let functions = imports.filter(|import| matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                self.imported_functions = u32::try_from(functions.count()).unwrap_or(u32::MAX);
            }
            Payload::CodeSectionStart { range, .. } => self.code = range.start,
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                if places.iter().any(|place| range.contains(&place.offset)) {
                    self.bodies.push((self.own_functions, range));
                }
                self.own_functions = self.own_functions.saturating_add(1);
            }
            Payload::CustomSection(section) if section.name().starts_with(".debug_") => {
                self.sections.insert(section.name(), section.data());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use gimli::write::{
        Address, AttributeValue, DwarfUnit, EndianVec, LineProgram, LineString, Range, RangeList, Sections,
    };
    use gimli::{Encoding, Format, LineEncoding, LittleEndian};

    use super::*;

    /// What compilers say of code that is in lines 7 and 8 of a file: 8 from the eighth byte on.
    fn sections(deep: usize) -> Vec<(&'static str, Vec<u8>)> {
        sections_with(deep, |_| ())
    }

    /// The same, after a change.
    fn sections_with(deep: usize, change: impl FnOnce(&mut DwarfUnit)) -> Vec<(&'static str, Vec<u8>)> {
        let encoding = Encoding {
            format: Format::Dwarf32,
            version: 4,
            address_size: 4,
        };
        let text = |text: &str| LineString::String(text.into());
        let mut dwarf = DwarfUnit::new(encoding);
        let folder = text("/build/shop");
        let mut program = LineProgram::new(
            encoding,
            LineEncoding::default(),
            folder,
            None,
            text("src/shop.c"),
            None,
        );
        let directory = program.default_directory();
        let file = program.add_file(text("src/shop.c"), directory, None);
        program.begin_sequence(Some(Address::Constant(0)));
        for (offset, line) in [(0, 7), (8, 8)] {
            let row = program.row();
            (row.file, row.line, row.address_offset) = (file, line, offset);
            program.generate_row();
        }
        program.end_sequence(100);
        dwarf.unit.line_program = program;
        let root = dwarf.unit.root();
        let unit = dwarf.unit.get_mut(root);
        unit.set(gimli::DW_AT_comp_dir, AttributeValue::String(b"/build/shop".to_vec()));
        unit.set(gimli::DW_AT_name, AttributeValue::String(b"src/shop.c".to_vec()));
        unit.set(gimli::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
        unit.set(gimli::DW_AT_high_pc, AttributeValue::Udata(100));
        let mut around = dwarf.unit.add(root, gimli::DW_TAG_subprogram);
        let function = dwarf.unit.get_mut(around);
        function.set(gimli::DW_AT_name, AttributeValue::String(b"sell".to_vec()));
        function.set(gimli::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
        function.set(gimli::DW_AT_high_pc, AttributeValue::Udata(100));
        for _ in 0..deep {
            around = dwarf.unit.add(around, gimli::DW_TAG_inlined_subroutine);
            let inlined = dwarf.unit.get_mut(around);
            inlined.set(gimli::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
            inlined.set(gimli::DW_AT_high_pc, AttributeValue::Udata(100));
        }
        change(&mut dwarf);
        let mut written = Sections::new(EndianVec::new(LittleEndian));
        dwarf.write(&mut written).unwrap();
        let mut sections = Vec::new();
        let each = written.for_each(|id, data| {
            sections.push((id.name(), data.slice().to_vec()));
            Ok::<_, gimli::write::Error>(())
        });
        each.unwrap();
        sections
    }

    /// A component whose second module has a function, with these sections.
    fn component(sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let custom: String = sections
            .iter()
            .map(|(name, data)| {
                let bytes: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
                format!("(@custom \"{name}\" \"{bytes}\")")
            })
            .collect();
        let text = format!(
            "(component (core module (func)) (core module (import \"\" \"f\" (func)) (func nop nop nop nop nop nop nop nop unreachable) {custom}))"
        );
        wat::parse_str(text).unwrap()
    }

    /// The place of this byte of the function.
    fn place(bytes: &[u8], at: usize) -> Place {
        let code = Parser::new(0).parse_all(bytes).filter_map(|payload| match payload {
            Ok(Payload::CodeSectionEntry(body)) => Some(body.range()),
            _ => None,
        });
        Place {
            function: 1,
            offset: code.last().unwrap().start + at,
        }
    }

    fn line(function: Option<&str>, at: &str) -> Line {
        Line {
            function: function.map(str::to_owned),
            at: at.to_owned(),
        }
    }

    #[test]
    fn a_place_is_a_line_of_the_source() {
        let bytes = component(&sections(0));
        let places = [place(&bytes, 1), place(&bytes, 8)];
        let expected = ["src/shop.c:7", "src/shop.c:8"].map(|at| Some(vec![line(Some("sell"), at)]));
        assert_eq!(lines(&bytes, &places), expected);
        let elsewhere = Place {
            function: 0,
            ..place(&bytes, 1)
        };
        assert_eq!(lines(&bytes, &[elsewhere]), [None]);
    }

    #[test]
    fn functions_that_are_absurdly_deep_within_each_other_are_not_followed() {
        let bytes = component(&sections(1000));
        assert_eq!(
            lines(&bytes, &[place(&bytes, 1)]),
            [Some(vec![line(None, "src/shop.c:7")])]
        );
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let whole = sections(1);
        for (number, (_, data)) in whole.iter().enumerate() {
            for length in 0..data.len() {
                let mut cut = whole.clone();
                cut[number].1.truncate(length);
                let bytes = component(&cut);
                // Whatever comes of it, it ends.
                drop(lines(&bytes, &[place(&bytes, 1)]));
            }
        }
        assert_eq!(lines(&component(&[]), &[place(&component(&[]), 1)]), [None]);
    }

    /// The lines at the first byte of the code, and whether the look went on to the end.
    fn look(sections: &[(&'static str, Vec<u8>)]) -> (Option<Vec<Line>>, bool) {
        let sections = sections.iter().map(|(name, data)| (*name, data.as_slice())).collect();
        let mut budget = Budget::new(4 << 20);
        let mut lines = vec![None];
        in_units(&mut Debug::new(&sections, &mut budget).unwrap(), &[(0, 1)], &mut lines);
        (lines.remove(0), budget.spend(1).is_some())
    }

    #[test]
    fn a_huge_folder_of_many_files_is_not_written_out_for_each() {
        for (length, expected) in [(8, Some(vec![line(Some("sell"), "src/shop.c:7")])), (1 << 20, None)] {
            let sections = sections_with(0, |dwarf| {
                let root = dwarf.unit.root();
                let folder = AttributeValue::String(vec![b'a'; length]);
                dwarf.unit.get_mut(root).set(gimli::DW_AT_comp_dir, folder);
                let program = &mut dwarf.unit.line_program;
                let directory = program.default_directory();
                for number in 0..10_000 {
                    let name = LineString::String(format!("{number}.c").into());
                    program.add_file(name, directory, None);
                }
            });
            assert_eq!(look(&sections), (expected, true));
        }
    }

    /// These sections, after thousands of units with a huge table: all of them with one, or each with another than the one before.
    fn after_many_units(mut sections: Vec<(&'static str, Vec<u8>)>, tables: usize) -> Vec<(&'static str, Vec<u8>)> {
        let abbreviations = sections.iter_mut().find(|(name, _)| *name == ".debug_abbrev").unwrap();
        let begin = abbreviations.1.len();
        // A number, in three bytes.
        let code = |number: u32| [number & 0x7f | 0x80, number >> 7 & 0x7f | 0x80, number >> 14].map(|byte| byte as u8);
        for number in 1..=20_000 {
            // An entry of this number is a unit without anything in it.
            abbreviations.1.extend(code(number));
            abbreviations.1.extend([0x11, 0, 0, 0]);
        }
        abbreviations.1.push(0);
        let mut units = Vec::new();
        for number in 0..5000 {
            // The tables are one, from its first, second, … entry on.
            let table = u32::try_from(begin + 7 * (number % tables)).unwrap();
            units.extend(10_u32.to_le_bytes());
            units.extend(4_u16.to_le_bytes());
            units.extend(table.to_le_bytes());
            // The size of an address, and the only entry.
            units.push(4);
            units.extend(code(20_000));
        }
        let info = sections.iter_mut().find(|(name, _)| *name == ".debug_info").unwrap();
        info.1.splice(0..0, units);
        sections
    }

    #[test]
    fn a_huge_table_that_thousands_of_units_share_is_read_once() {
        let expected = Some(vec![line(Some("sell"), "src/shop.c:7")]);
        assert_eq!(look(&after_many_units(sections(0), 1)), (expected, true));
    }

    #[test]
    fn thousands_of_units_with_a_huge_table_each_are_given_up() {
        assert_eq!(look(&after_many_units(sections(0), 2)), (None, false));
    }

    #[test]
    fn a_long_list_of_ranges_that_thousands_of_functions_share_costs_their_names_alone() {
        let sections = sections_with(0, |dwarf| {
            let range = |number: u64| Range::StartEnd {
                begin: Address::Constant(0x1000 + 2 * number),
                end: Address::Constant(0x1001 + 2 * number),
            };
            let ranges = RangeList((0..100_000).map(range).collect());
            let ranges = dwarf.unit.ranges.add(ranges);
            let root = dwarf.unit.root();
            let sell = *dwarf.unit.get(root).children().next().unwrap();
            let elsewhere = AttributeValue::Address(Address::Constant(0x1000));
            dwarf.unit.get_mut(sell).set(gimli::DW_AT_low_pc, elsewhere);
            for _ in 0..10_000 {
                let function = dwarf.unit.add(root, gimli::DW_TAG_subprogram);
                let ranges = AttributeValue::RangeListRef(ranges);
                dwarf.unit.get_mut(function).set(gimli::DW_AT_ranges, ranges);
            }
        });
        assert_eq!(look(&sections), (Some(vec![line(None, "src/shop.c:7")]), true));
    }

    #[test]
    fn a_path_is_shown_as_it_helps() {
        let cases = [
            ("/build/shop/src/lib.rs", Some("/build/shop"), "src/lib.rs"),
            ("/build/other/lib.rs", Some("/build/shop"), "/build/other/lib.rs"),
            (
                "/rustc/0123abcd/library/core/src/option.rs",
                None,
                "library/core/src/option.rs",
            ),
        ];
        for (path, folder, expected) in cases {
            assert_eq!(shortened(path, folder), expected);
        }
        assert_eq!(shortened(&format!("/{}/a.c", "ö".repeat(100)), None).len(), PATH);
    }
}
