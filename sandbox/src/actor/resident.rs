//! How much of the machine's memory guests have: looked at from outside, for whoever asks, and no more often than is cheap.
//!
//! A look takes some microseconds for each MiB that guests have grown to. So nobody looks again before fifty times as long has passed as
//! the last look took: however many ask, and however many guests there are, looking takes a fiftieth of one processor. Guests that
//! were never looked at are looked at whenever somebody asks.

use std::io;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::guest_cell::GuestRef;
use super::modules::Modules;
use crate::accounting::page_map::PageMap;

/// The number of times that passes between looks what a look takes.
const PAUSE: u32 = 50;

/// When guests were looked at last, and how long that took.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<Option<(Instant, Duration)>>);

impl Modules {
    /// Brings up to date what [`GuestFigures`](crate::GuestFigures) say of resident memory, unless that is still fresh. Blocks; the guests
    /// notice nothing. Where the system doesn't tell, the figures say nothing.
    pub fn look_at_memory(&self) {
        self.look_at_memory_of(&self.all_guests());
    }

    /// The same of these guests, which are [all of them](Self::all_guests).
    pub fn look_at_memory_of(&self, guests: &[GuestRef]) {
        // Whoever asks meanwhile waits, and finds what was seen just now.
        let mut last = self.looks().0.lock();
        let begun = Instant::now();
        let is_fresh = last.is_some_and(|(at, took)| begun.duration_since(at) < took.saturating_mul(PAUSE));
        match look(guests, is_fresh) {
            Ok(()) if !is_fresh => {
                let now = Instant::now();
                *last = Some((now, now.duration_since(begun)));
            }
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, "the system doesn't say what memory guests have"),
        }
    }
}

fn look(guests: &[GuestRef], new_only: bool) -> io::Result<()> {
    let mut pages = PageMap::open()?;
    let mut tallies = guests.iter().map(|guest| &guest.0.tally);
    tallies.try_for_each(|tally| tally.look_at_memory(&mut pages, new_only))
}
