//! What the linear memories of one instance have grown to, and what of that takes memory of the machine.
//!
//! wasmtime tells how far memories grow, but not where they are. An instance finds that out when it is given its first arguments, which
//! are written into the memory that its messages go to. Looking at that memory from outside needs its address alone: the operating
//! system says of each page whether it is there, and nothing of the guest is read.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::page_map::PageMap;

/// Not looked at yet.
const NEVER: usize = usize::MAX;

/// See the module. All in bytes.
#[derive(Debug)]
pub(crate) struct InstanceMemory {
    /// What one memory can grow to: behind that, another instance's may begin.
    reserved: usize,
    /// What all memories have grown to.
    grown: AtomicUsize,
    /// The address of the memory that messages go to; zero until it is known.
    base: AtomicUsize,
    /// What the other memories had when it became known.
    elsewhere: AtomicUsize,
    /// As of the last look.
    resident: AtomicUsize,
    ended: AtomicBool,
}

impl InstanceMemory {
    pub(super) fn new(reserved: usize) -> Self {
        Self {
            reserved,
            grown: AtomicUsize::new(0),
            base: AtomicUsize::new(0),
            elsewhere: AtomicUsize::new(0),
            resident: AtomicUsize::new(NEVER),
            ended: AtomicBool::new(false),
        }
    }

    pub(super) fn grew(&self, bytes: usize) {
        self.grown.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn shrank(&self, bytes: usize) {
        self.grown.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn grown(&self) -> usize {
        self.grown.load(Ordering::Relaxed)
    }

    /// The memory that messages go to begins at this address, and is this long now. It never moves.
    pub(crate) fn locate(&self, base: usize, bytes: usize) {
        self.elsewhere
            .store(self.grown().saturating_sub(bytes), Ordering::Relaxed);
        // After what belongs to it, for whoever reads both.
        self.base.store(base, Ordering::Release);
    }

    /// The memory is about to be freed, and somebody else's will be at the same address.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// None until it was looked at.
    pub(super) fn resident(&self) -> Option<usize> {
        Some(self.resident.load(Ordering::Relaxed)).filter(|bytes| *bytes != NEVER)
    }

    /// Looks at it. What isn't located counts as far as it has grown.
    ///
    /// # Errors
    /// The operating system doesn't say.
    pub(super) fn look(&self, pages: &mut PageMap) -> io::Result<()> {
        let base = self.base.load(Ordering::Acquire);
        let grown = self.grown();
        let resident = if base == 0 {
            grown
        } else {
            let elsewhere = self.elsewhere.load(Ordering::Relaxed);
            let bytes = grown.saturating_sub(elsewhere).min(self.reserved);
            elsewhere + pages.resident(base, bytes)?
        };
        // Asked after the look: what it saw may have been the memory of the next instance.
        if !self.ended.load(Ordering::Acquire) {
            self.resident.store(resident, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn memories_that_are_not_located_count_as_far_as_they_have_grown() {
        let mut pages = PageMap::open().unwrap();
        // Every page is written to, so that the system has to have it.
        let bytes = vec![1_u8; 1 << 20];
        let memory = InstanceMemory::new(1 << 20);
        memory.grew((1 << 20) + 500);
        assert_eq!(memory.resident(), None);
        memory.look(&mut pages).unwrap();
        assert_eq!(memory.resident(), Some((1 << 20) + 500));
        memory.locate(bytes.as_ptr().addr(), 1 << 20);
        memory.look(&mut pages).unwrap();
        let resident = memory.resident().unwrap();
        // The allocation begins and ends within a page.
        assert!(((1 << 20)..=(1 << 20) + 2 * 65_536).contains(&resident), "{resident}");
    }

    #[test]
    fn what_is_seen_after_its_end_does_not_count() {
        let mut pages = PageMap::open().unwrap();
        let memory = InstanceMemory::new(1 << 20);
        memory.grew(500);
        memory.end();
        memory.look(&mut pages).unwrap();
        assert_eq!(memory.resident(), None);
    }
}
