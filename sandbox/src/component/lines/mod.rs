//! From places in a component's code to lines of its source, for components that were built with what debuggers read (DWARF).
//!
//! A component may say of itself whatever it likes, so what is read has bounds, and what makes no sense is left out.

mod debug;
mod functions;
mod rows;
#[cfg(test)]
mod tests;

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
    let folder = unit.folder.and_then(|folder| debug.text(unit, folder));
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
