//! Which pages of this process take memory of the machine, as Linux says it in `/proc/self/pagemap`: as ranges, or a number for each page
//! where it is older than 6.7. No page is read or brought in by asking, and an address where nothing is has no pages. Other systems have no
//! such file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::param::page_size;

use super::page_scan::PageScan;

/// The bytes of the number of one page.
const ENTRY: usize = 8;

/// The bytes that are read at once: the numbers of 32 MiB where a page has 4 KiB.
const READ: usize = 64 << 10;

/// The page is in memory.
const PRESENT: u64 = 1 << 63;

/// The page is of a file, or shared memory. The first contents of guests are, until they write to them.
const OF_FILE: u64 = 1 << 61;

/// No other process has the page.
const EXCLUSIVE: u64 = 1 << 56;

/// See the module.
#[derive(Debug)]
pub(crate) struct PageMap {
    file: File,
    page: usize,
    /// None if this Linux doesn't tell ranges.
    scan: Option<PageScan>,
    entries: Vec<u8>,
}

impl PageMap {
    /// # Errors
    /// The system has none, or doesn't show it.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            file: File::open("/proc/self/pagemap")?,
            page: page_size(),
            scan: Some(PageScan::new()),
            entries: Vec::new(),
        })
    }

    /// What these bytes, from this address on, take of the machine's memory, in whole pages. It is what they are counted for in the
    /// process's resident set.
    ///
    /// # Errors
    /// The system doesn't say.
    pub(crate) fn resident(&mut self, base: usize, bytes: usize) -> io::Result<usize> {
        if bytes == 0 {
            return Ok(0);
        }
        let (first, end) = (base / self.page, base.saturating_add(bytes).div_ceil(self.page));
        if let Some(scan) = &mut self.scan {
            let scanned = scan.resident(&self.file, (first * self.page) as u64, (end * self.page) as u64);
            if let Ok(resident) = scanned {
                return Ok(usize::try_from(resident).unwrap_or(usize::MAX));
            }
            // Asked once: it stays so, and the numbers say the same.
            self.scan = None;
        }
        self.resident_by_numbers(first, end)
    }

    /// The same of the pages of these numbers.
    fn resident_by_numbers(&mut self, first: usize, end: usize) -> io::Result<usize> {
        self.entries.resize(READ, 0);
        let (mut at, end) = (first * ENTRY, end * ENTRY);
        let mut resident = 0;
        while at < end {
            let length = (end - at).min(READ);
            let (entries, _) = self.entries.split_at_mut(length);
            self.file.read_exact_at(entries, at as u64)?;
            let (entries, _) = entries.as_chunks::<ENTRY>();
            resident += entries
                .iter()
                .filter(|entry| is_resident(u64::from_ne_bytes(**entry)))
                .count();
            at += length;
        }
        Ok(resident * self.page)
    }
}

/// A page that was read and never written to is the page of zeros, which all share and nobody is charged for. It is the only
/// one that is neither of a file nor of a single process, because no node forks.
fn is_resident(entry: u64) -> bool {
    entry & PRESENT != 0 && entry & (OF_FILE | EXCLUSIVE) != 0
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    /// Ways to ask, of which a Linux may have one alone.
    fn ways() -> [PageMap; 2] {
        let (ranges, mut numbers) = (PageMap::open().unwrap(), PageMap::open().unwrap());
        numbers.scan = None;
        [ranges, numbers]
    }

    #[test]
    fn pages_are_there_once_they_are_written_to() {
        const PAGES: usize = 300;
        for mut map in ways() {
            let page = map.page;
            // So large that the allocator asks the system for it, which gives it untouched.
            let mut memory = vec![0_u8; (64 << 20) + page];
            let ahead = memory.as_ptr().align_offset(page);
            let base = memory.as_ptr().addr() + ahead;
            let before = map.resident(base, 64 << 20).unwrap();
            assert!(before < 1 << 20, "{before}");
            // Pages far apart, so that some are told only when Linux is asked again. A large page may come for each.
            let apart = (64 << 20) / PAGES;
            for at in 0..PAGES {
                memory[ahead + at * apart] = 1;
            }
            let after = map.resident(base, 64 << 20).unwrap();
            assert!(after >= PAGES * page, "{after}");
            assert_eq!(after % page, 0);
            memory.fill(1);
            assert_eq!(map.resident(base, 64 << 20).unwrap(), 64 << 20);
            assert_eq!(map.resident(base, 1).unwrap(), page);
            assert_eq!(map.resident(base, 0).unwrap(), 0);
        }
    }

    #[test]
    fn pages_that_were_only_read_take_nothing() {
        for mut map in ways() {
            let memory = vec![0_u8; 16 << 20];
            let sum: u64 = memory
                .iter()
                .step_by(map.page)
                .map(|byte| u64::from(std::hint::black_box(*byte)))
                .sum();
            assert_eq!(sum, 0);
            let resident = map.resident(memory.as_ptr().addr(), 16 << 20).unwrap();
            assert!(resident < 1 << 20, "{resident}");
        }
    }

    #[test]
    fn where_nothing_is_nothing_is_resident() {
        for mut map in ways() {
            assert_eq!(map.resident(map.page, 4 * map.page).unwrap(), 0);
        }
    }
}
