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
        let Some(at) = frame.location.and_then(at) else { continue };
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
    let of_rust = || path.strip_prefix("/rustc/").and_then(|rest| Some(rest.split_once('/')?.1));
    let path = within.or_else(of_rust).unwrap_or(path);
    // Its end tells more than its beginning.
    let cut = path.len().saturating_sub(PATH);
    let cut = (cut..path.len()).find(|at| path.is_char_boundary(*at)).unwrap_or_default();
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
