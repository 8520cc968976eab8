//! The request `PAGEMAP_SCAN` to `/proc/self/pagemap`, which Linux knows from 6.7 on: it says which ranges of pages are there, and doesn't
//! look at the pages themselves to say so.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// The page is in memory.
const PRESENT: u64 = 1 << 3;

/// It is the page of zeros, which all share and nobody is charged for.
const ZEROS: u64 = 1 << 5;

/// The ranges that are told at once.
const RANGES: usize = 256;

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
#[derive(Debug, Default)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    /// Up to where it has come.
    walk_end: u64,
    ranges: u64,
    ranges_length: u64,
    most_pages: u64,
    /// What a page must not be, among what it must be.
    inverted: u64,
    required: u64,
    any_of: u64,
    told: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
struct Range {
    start: u64,
    end: u64,
    categories: u64,
}

const _: () = assert!(size_of::<Scan>() == 96 && size_of::<Range>() == 24, "as Linux has them");

/// `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: u32 = 3 << 30 | 96 << 16 | (b'f' as u32) << 8 | 16;

/// Room for what Linux says.
#[derive(Debug)]
pub(super) struct PageScan {
    ranges: Vec<Range>,
}

impl PageScan {
    pub(super) fn new() -> Self {
        Self {
            ranges: vec![Range::default(); RANGES],
        }
    }

    /// The bytes of the pages between these addresses, of which both are those of pages, that take memory of the machine.
    ///
    /// # Errors
    /// This Linux doesn't know the request, or somebody forbids it.
    pub(super) fn resident(&mut self, file: &File, mut start: u64, end: u64) -> io::Result<u64> {
        let mut resident = 0;
        while start < end {
            let (told, walked) = self.next(file, start, end)?;
            let told = self.ranges.get(..told).unwrap_or_default();
            resident += told
                .iter()
                .map(|range| range.end.saturating_sub(range.start))
                .sum::<u64>();
            if walked <= start {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            start = walked;
        }
        Ok(resident)
    }

    /// The number of ranges that are told, and the address up to where they are all.
    fn next(&mut self, file: &File, start: u64, end: u64) -> io::Result<(usize, u64)> {
        let mut scan = Scan {
            size: size_of::<Scan>() as u64,
            start,
            end,
            ranges: self.ranges.as_mut_ptr().expose_provenance() as u64,
            ranges_length: self.ranges.len() as u64,
            inverted: ZEROS,
            required: PRESENT | ZEROS,
            told: PRESENT,
            ..Scan::default()
        };
        #[expect(
            unsafe_code,
            reason = "no safe interface has this request; Linux writes to the request and to as many ranges as there is room for, and both \
                      outlive the call"
        )]
        let told = unsafe { libc::ioctl(file.as_raw_fd(), PAGEMAP_SCAN as _, &raw mut scan) };
        match usize::try_from(told) {
            Ok(told) => Ok((told, scan.walk_end)),
            Err(_) => Err(io::Error::last_os_error()),
        }
    }
}
