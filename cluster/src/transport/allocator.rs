//! Keeps the allocator from giving the pages of large payloads back to the system between two of them.
//!
//! glibc gives the end of its heap back to the system once 128 KiB of it are free, and takes it again for the next payload, page by
//! page, which is half of the processor time of 64 KiB messages. It adapts by itself to programs that free larger blocks, since
//! those would be mapped and unmapped each time. A payload of 64 KiB is just too small to be such a block, so glibc doesn't adapt
//! by itself here.

use std::hint::black_box;
use std::sync::Once;

/// The size of the block that is freed once, in bytes. From then on glibc takes blocks up to this size from its heap, and keeps
/// twice as much.
const BLOCK: usize = 16 * 1024 * 1024;

/// Tells the allocator, once for the process, that large blocks are going to be freed and wanted again. Nothing is written
/// to the block that says so: it costs two system calls and no memory.
///
/// Other allocators have no such habit, and nothing to be told.
pub(super) fn expect_large_payloads() {
    static ONCE: Once = Once::new();
    if cfg!(target_env = "gnu") {
        ONCE.call_once(|| drop(black_box(Vec::<u8>::with_capacity(BLOCK))));
    }
}
