//! From places in a component's code to lines of its source, for components that were built with what debuggers read (DWARF).
//!
//! A component may say of itself whatever it likes, so what is read has bounds, and what makes no sense is left out.

use std::collections::HashMap;
use std::ops::Range;

use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId, UnitRef};
use addr2line::{Context, LookupResult};
use wasmparser::{Encoding, Parser, Payload, TypeRef};

use super::reach::function_name;
use crate::policy::text::tidy;

/// The sections of one module for debuggers, in bytes together, beyond which they are not read.
const MOST_BYTES: usize = 64 << 20;

/// Of them the one with the lines, of which a byte can be a line that takes 24 of memory.
const MOST_LINES: usize = 4 << 20;

/// The depth of what a function consists of, as far as it is followed. The library that reads it calls itself for each level.
const DEEPEST: isize = 200;

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
    /// Where the code of each function is in the file.
    bodies: Vec<Range<usize>>,
    /// Where the section with the code begins, which is what places are counted from.
    code: usize,
    sections: HashMap<&'a str, &'a [u8]>,
}

/// The lines that a place stands for, each as `function in file:line`, or `file:line` if `name` is to come before it: first that of the
/// innermost function that was compiled into the one at the place. None of a place whose line isn't known.
pub(crate) fn lines(bytes: &[u8], places: &[Place]) -> Vec<Option<Vec<Line>>> {
    let modules = modules(bytes);
    let mut contexts = HashMap::new();
    let lines = places.iter().map(|place| {
        let (number, module) = modules.iter().enumerate().find(|(_, module)| module.has(*place))?;
        let context = contexts.entry(number).or_insert_with(|| module.context());
        lines_at(context.as_ref()?, place.offset.checked_sub(module.code)? as u64)
    });
    lines.collect()
}

/// A line of source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The function as its author wrote it, if it is known.
    pub(crate) function: Option<String>,
    /// `file:line`.
    pub(crate) at: String,
}

type Slice<'a> = EndianSlice<'a, LittleEndian>;

impl<'a> Module<'a> {
    fn has(&self, place: Place) -> bool {
        let own = place.function.checked_sub(self.imported_functions);
        let body = own.and_then(|own| self.bodies.get(own as usize));
        body.is_some_and(|body| body.contains(&place.offset))
    }

    fn context(&self) -> Option<Context<Slice<'a>>> {
        let bytes: usize = self.sections.values().map(|section| section.len()).sum();
        let lines = self.sections.get(SectionId::DebugLine.name())?;
        if bytes > MOST_BYTES || lines.len() > MOST_LINES {
            return None;
        }
        let section = |id: SectionId| self.sections.get(id.name()).copied().unwrap_or_default();
        let dwarf = Dwarf::load(|id| Ok::<_, addr2line::gimli::Error>(EndianSlice::new(section(id), LittleEndian)));
        Context::from_dwarf(dwarf.ok()?).ok()
    }
}

fn lines_at(context: &Context<Slice<'_>>, address: u64) -> Option<Vec<Line>> {
    let unit = context.find_dwarf_and_unit(address).skip_all_loads()?;
    let folder = unit.comp_dir.map(|folder| folder.to_string_lossy().into_owned());
    let at = |location: addr2line::Location<'_>| {
        let path = shortened(location.file?, folder.as_deref());
        Some(match location.line {
            Some(line) => format!("{path}:{line}"),
            None => path,
        })
    };
    if !is_flat(unit) {
        let at = at(context.find_location(address).ok()??)?;
        return Some(vec![Line { function: None, at }]);
    }
    let mut frames = match context.find_frames(address) {
        LookupResult::Output(frames) => frames.ok()?,
        lookup @ LookupResult::Load { .. } => lookup.skip_all_loads().ok()?,
    };
    let mut lines = Vec::new();
    while let Ok(Some(frame)) = frames.next() {
        let Some(at) = frame.location.and_then(at) else {
            continue;
        };
        let name = frame.function.as_ref().and_then(|function| function.raw_name().ok());
        let function = name.map(|name| function_name(&name));
        lines.push(Line { function, at });
    }
    (!lines.is_empty()).then_some(lines)
}

/// True if nothing in the unit is so deep within another that reading it could take more stack than there is.
fn is_flat(unit: UnitRef<'_, Slice<'_>>) -> bool {
    let Ok(mut entries) = unit.entries_raw(None) else {
        return false;
    };
    while !entries.is_empty() {
        if entries.next_depth() > DEEPEST {
            return false;
        }
        match entries.read_abbreviation() {
            Ok(Some(abbreviation)) => {
                if entries.skip_attributes(abbreviation.attributes()).is_err() {
                    return false;
                }
            }
            Ok(None) => {}
            Err(_) => return false,
        }
    }
    true
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

fn modules(bytes: &[u8]) -> Vec<Module<'_>> {
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
            module.payload(&payload);
        }
        if matches!(payload, Payload::End(_)) {
            open.pop();
        }
    }
    modules
}

impl<'a> Module<'a> {
    fn payload(&mut self, payload: &Payload<'a>) {
        match payload {
            Payload::ImportSection(section) => {
                let imports = section.clone().into_imports().map_while(Result::ok);
                let functions = imports.filter(|import| matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                self.imported_functions = u32::try_from(functions.count()).unwrap_or(u32::MAX);
            }
            Payload::CodeSectionStart { range, .. } => self.code = range.start,
            Payload::CodeSectionEntry(body) => self.bodies.push(body.range()),
            Payload::CustomSection(section) if section.name().starts_with(".debug_") => {
                self.sections.insert(section.name(), section.data());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use gimli::write::{Address, AttributeValue, DwarfUnit, EndianVec, LineProgram, LineString, Sections};
    use gimli::{Encoding, Format, LineEncoding};

    use super::*;

    /// What compilers say of code that is in lines 7 and 8 of a file: 8 from the eighth byte on.
    fn sections(deep: usize) -> Vec<(&'static str, Vec<u8>)> {
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
        let modules = modules(bytes);
        Place {
            function: 1,
            offset: modules[1].bodies[0].start + at,
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
