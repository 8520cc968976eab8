//! What the functions on the way to a trap are called, and in which lines of source they are.
//!
//! Names come from wasmtime, which keeps them with the code. Lines come from the component's file: it is read when a guest has trapped
//! whose component has lines, which those that are built for production mostly don't.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::Instant;
use wasmtime::FrameInfo;

use crate::component::lines::{self, Line, Place};
use crate::component::reach::function_name;
use crate::component::source::{Digest, read_component};

/// The largest file that is read to find lines in it, in bytes.
const LARGEST_FILE: u64 = 256 << 20;

/// The number of places whose lines are kept, so that a guest which traps again and again costs a look into its file once.
const REMEMBERED: usize = 256;

/// The number of guests that wait for their turn to look. Others do without lines.
const WAITING: usize = 3;

/// The number of looks of a process in a minute. What traps after these does without lines.
const LOOKS: usize = 30;

/// The looks of this process.
static OF_THIS_PROCESS: Looks = Looks::new();

/// The number of functions that are looked at.
const FRAMES: usize = 32;

/// The number of functions that an error of a trap shows.
const SHOWN: usize = 8;

/// See the module.
pub(super) struct SourceLines {
    /// None of a component without lines.
    file: Option<(PathBuf, Digest)>,
    known: Mutex<Known>,
}

/// The lines of places, of which the oldest goes when there are too many.
#[derive(Default)]
struct Known {
    lines: HashMap<Place, Option<Vec<Line>>>,
    /// The places, the oldest first.
    order: VecDeque<Place>,
}

impl Known {
    fn add(&mut self, place: Place, lines: Option<Vec<Line>>) {
        if self.lines.insert(place, lines).is_none() {
            self.order.push_back(place);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.lines.remove(&oldest);
            }
        }
    }
}

/// Looks into files: one at a time, as each may take as much memory as the file has bytes, and not too many, as each takes a while.
struct Looks {
    turn: Mutex<()>,
    waiting: Mutex<usize>,
    /// When there was one in the last minute, the oldest first.
    recent: Mutex<VecDeque<Instant>>,
}

impl Looks {
    const fn new() -> Self {
        Self {
            turn: Mutex::new(()),
            waiting: Mutex::new(0),
            recent: Mutex::new(VecDeque::new()),
        }
    }

    /// Runs this when it has its turn. None if too many wait for theirs.
    fn in_turn<T>(&self, run: impl FnOnce() -> T) -> Option<T> {
        let _waits = Waits::new(&self.waiting)?;
        let _turn = self.turn.lock();
        Some(run())
    }

    /// False if there were enough in the last minute.
    fn may(&self, now: Instant) -> bool {
        let mut recent = self.recent.lock();
        let minute = Duration::from_secs(60);
        while recent
            .front()
            .is_some_and(|look| now.saturating_duration_since(*look) >= minute)
        {
            recent.pop_front();
        }
        let may = recent.len() < LOOKS;
        if may {
            recent.push_back(now);
        }
        may
    }
}

/// One that looks or waits for its turn.
struct Waits<'a>(&'a Mutex<usize>);

impl<'a> Waits<'a> {
    fn new(count: &'a Mutex<usize>) -> Option<Self> {
        let mut number = count.lock();
        if *number > WAITING {
            return None;
        }
        *number = number.saturating_add(1);
        Some(Self(count))
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut number = self.0.lock();
        *number = number.saturating_sub(1);
    }
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
        let lines = self.lines(&OF_THIS_PROCESS, &places);
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
        let mut names = from_the_programs_own(named.collect());
        names.truncate(SHOWN);
        names
    }

    fn lines(&self, looks: &Looks, places: &[Option<Place>]) -> Vec<Option<Vec<Line>>> {
        let Some((path, digest)) = &self.file else {
            return vec![None; places.len()];
        };
        let mut lines: HashMap<Place, Option<Vec<Line>>> = HashMap::new();
        // What is known joins the lines; the rest stays in the list.
        let join = |unknown: &mut Vec<Place>, lines: &mut HashMap<_, _>| {
            let known = self.known.lock();
            unknown.retain(|place| match known.lines.get(place) {
                Some(found) => {
                    lines.insert(*place, found.clone());
                    false
                }
                None => true,
            });
        };
        let mut unknown: Vec<_> = places.iter().flatten().copied().collect();
        join(&mut unknown, &mut lines);
        if !unknown.is_empty() {
            let look = || {
                // Another that trapped there may have looked meanwhile.
                join(&mut unknown, &mut lines);
                if unknown.is_empty() || !looks.may(Instant::now()) {
                    return;
                }
                let found = match read_component(path, Some(*digest), LARGEST_FILE) {
                    Ok((bytes, _)) => lines::lines(&bytes, &unknown),
                    // It is gone, or another one by now.
                    Err(_) => vec![None; unknown.len()],
                };
                let mut known = self.known.lock();
                for (place, found) in unknown.iter().zip(found) {
                    known.add(*place, found.clone());
                    lines.insert(*place, found);
                }
            };
            // None if too many wait: the names alone do.
            let _looked: Option<()> = blocking(|| looks.in_turn(look));
        }
        let lines = places.iter().map(|place| lines.get(place.as_ref()?).cloned().flatten());
        lines.collect()
    }
}

/// A panic is some ten functions of Rust's library deep, and it is the program's own that helps. So the first one is of the program, if
/// any is, and the next one that isn't of a library whose lines are unknown.
fn from_the_programs_own(mut names: Vec<String>) -> Vec<String> {
    let is_own = |name: &String| !is_of_library(name);
    let Some(first) = names.iter().position(is_own) else {
        return names;
    };
    let with_line = names.iter().position(|name| is_own(name) && name.contains(" in "));
    if let Some(with_line) = with_line
        && with_line > first + 1
    {
        names.drain(first + 1..with_line);
    }
    names.drain(..first);
    names
}

/// Whether a function, with its line if that is known, belongs to what Rust's library does in a panic or an abort.
fn is_of_library(name: &str) -> bool {
    let function = name.split(" in ").next().unwrap_or(name);
    // `<std::io::Stderr as …>::write` is one of them, too.
    let path = function.trim_start_matches(['<', '&', '_', '[']);
    let crates = [
        "std::",
        "core::",
        "alloc::",
        "rustc::",
        "panic_abort::",
        "wasip2::",
        "wasi::",
    ];
    let symbols = ["abort", "rust_begin_unwind", "rust_panic", "rust_start_panic"];
    name.contains(" in library/") || crates.iter().any(|of| path.starts_with(of)) || symbols.contains(&path)
}

/// Runs what reads a file, and may take some tenths of a second, while other tasks of this thread go on elsewhere.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_panic_does_in_rusts_library_is_left_out_before_the_programs_own_functions() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let own = [
            "counter::out_of_stock in src/lib.rs:70:15",
            "core::ops::function::FnOnce::call_once",
        ];
        let panics = [
            &["abort", "std::process::abort", "__rustc::__rust_abort"][..],
            &["std::panicking::panic_handler", "core::panicking::panic_fmt"][..],
            &["<core::option::Option<T>>::unwrap in library/core/src/option.rs:970:9"][..],
            &["core::option::unwrap_failed"][..],
            &[],
        ];
        for panic in panics {
            assert_eq!(from_the_programs_own(names(&[panic, &own].concat())), own);
        }
        // Without one of its own, all that is known is told.
        let panic = ["std::process::abort", "core::panicking::panic_fmt"];
        assert_eq!(from_the_programs_own(names(&panic)), panic);
        let of_c = ["out_of_stock in src/actor.c:13", "abort_order"];
        assert_eq!(from_the_programs_own(names(&of_c)), of_c);
        let of_go = ["runtime.abort", "runtime.fatal", "main.outOfStock in actor.go:9:3"];
        assert_eq!(from_the_programs_own(names(&of_go)), [of_go[0], of_go[2]]);
    }

    #[test]
    fn a_look_has_to_wait_for_a_few_at_most() {
        let looks = Looks::new();
        let mut waiting = Vec::new();
        for _ in 0..=WAITING {
            waiting.push(Waits::new(&looks.waiting).unwrap());
        }
        assert_eq!(looks.in_turn(|| ()), None);
        waiting.pop();
        assert_eq!(looks.in_turn(|| ()), Some(()));
        assert_eq!(looks.in_turn(|| ()), Some(()), "one that ended counts no more");
    }

    #[test]
    fn there_are_so_many_looks_in_a_minute() {
        let (looks, begin) = (Looks::new(), Instant::now());
        let may = |after: u64| looks.may(begin + Duration::from_secs(after));
        assert!((0..LOOKS).all(|_| may(0)));
        assert!(!may(59));
        assert!(may(60));
    }

    #[test]
    fn the_oldest_place_is_forgotten_first() {
        let mut known = Known::default();
        let place = |offset| Place { function: 0, offset };
        for offset in 0..=REMEMBERED {
            known.add(place(offset), None);
            known.add(place(offset), None);
        }
        assert_eq!(known.lines.len(), REMEMBERED);
        assert!(!known.lines.contains_key(&place(0)) && known.lines.contains_key(&place(1)));
    }

    #[test]
    fn beyond_the_looks_of_a_minute_there_are_no_lines_and_none_are_kept() {
        let looks = Looks::new();
        let lines = SourceLines::of(true, Path::new("nowhere.wasm"), Digest::of(b""));
        while looks.may(Instant::now()) {}
        let place = Place { function: 0, offset: 0 };
        assert_eq!(lines.lines(&looks, &[Some(place), None]), [None, None]);
        assert!(lines.known.lock().lines.is_empty(), "a later trap may look");
        assert_eq!(lines.lines(&Looks::new(), &[Some(place)]), [None]);
        assert_eq!(lines.known.lock().lines.len(), 1);
    }
}
