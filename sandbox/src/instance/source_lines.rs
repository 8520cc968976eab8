//! What the functions on the way to a trap are called, and in which lines of source they are.
//!
//! Names come from wasmtime, which keeps them with the code. Lines come from the component's file: it is read when a guest has trapped
//! whose component has lines, which those that are built for production mostly don't.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use tokio::runtime::{Handle, RuntimeFlavor};
use wasmtime::FrameInfo;

use super::code::Code;
use crate::component::lines::{self, Line, Place};
use crate::component::reach::function_name;
use crate::component::source::Digest;

/// The largest file that is read to find lines in it, in bytes.
const LARGEST_FILE: u64 = 256 << 20;

/// The number of places whose lines are kept, so that a guest which traps again and again costs a look into its file once.
const REMEMBERED: usize = 256;

/// The number of functions that are looked at.
const FRAMES: usize = 32;

/// The number of functions that an error of a trap shows.
const SHOWN: usize = 8;

/// See the module.
pub(super) struct SourceLines {
    /// None of a component without lines.
    file: Option<(PathBuf, Digest)>,
    known: Mutex<HashMap<Place, Option<Vec<Line>>>>,
}

impl SourceLines {
    pub(super) fn of(has_lines: bool, path: &Path, digest: Digest) -> Self {
        Self {
            file: has_lines.then(|| (path.to_owned(), digest)),
            known: Mutex::default(),
        }
    }

    /// The names of these functions, with their lines as far as they are known.
    pub(super) fn name(&self, frames: &[FrameInfo]) -> Vec<String> {
        let frames = frames.iter().take(FRAMES);
        let places = frames.clone().map(|frame| {
            Some(Place {
                function: frame.func_index(),
                offset: frame.module_offset()?,
            })
        });
        let places: Vec<_> = places.collect();
        let lines = self.lines(&places);
        let named = frames.zip(lines).flat_map(|(frame, lines)| {
            let name = match frame.func_name() {
                Some(name) => function_name(name),
                None => format!("function {}", frame.func_index()),
            };
            let Some(lines) = lines else { return vec![name] };
            let last = lines.len().saturating_sub(1);
            let lines = lines.into_iter().enumerate().map(|(at, line)| match line.function {
                // The function itself has the name that the component says; those that were compiled into it are before it.
                Some(function) if at < last || frame.func_name().is_none() => format!("{function} in {}", line.at),
                _ => format!("{name} in {}", line.at),
            });
            lines.collect()
        });
        let mut names: Vec<String> = named.collect();
        // A panic is eight functions of Rust's library deep; it is the program's own that helps.
        let own = |name: &String| name.contains(" in ") && !name.contains(" in library/");
        if let Some(own) = names.iter().position(own)
            && own > 1
        {
            names.drain(1..own);
        }
        names.truncate(SHOWN);
        names
    }

    fn lines(&self, places: &[Option<Place>]) -> Vec<Option<Vec<Line>>> {
        let Some((path, digest)) = &self.file else {
            return vec![None; places.len()];
        };
        let known = |place: &Place| self.known.lock().get(place).cloned();
        let mut unknown: Vec<_> = places.iter().flatten().copied().collect();
        unknown.retain(|place| known(place).is_none());
        if !unknown.is_empty() {
            let found = blocking(|| match Code::read(path, Some(*digest), LARGEST_FILE) {
                Ok((bytes, _)) => lines::lines(&bytes, &unknown),
                // It is gone, or another one by now.
                Err(_) => vec![None; unknown.len()],
            });
            let mut known = self.known.lock();
            if known.len() > REMEMBERED {
                known.clear();
            }
            known.extend(unknown.into_iter().zip(found));
        }
        let lines = places.iter().map(|place| known(place.as_ref()?).flatten());
        lines.collect()
    }
}

/// Runs what reads a file, and may take some tenths of a second, while other tasks of this thread go on elsewhere.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
