//! The hash of a local pid, for tables that are asked for each message.
//!
//! The node counts its own pids up, so nobody can choose them to collide, and the guard of the standard hash against that would be
//! paid for nothing. The pids of a peer are the peer's choice: they need the standard hash.

use std::hash::{BuildHasherDefault, Hasher};

/// Hashes local pids and nothing else.
pub(super) type LocalPids = BuildHasherDefault<PidHasher>;

/// The factor 2^64 divided by the golden ratio, whose multiples are spread evenly.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Debug, Default)]
pub(super) struct PidHasher(u64);

impl Hasher for PidHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, pid: u64) {
        // The table looks at the lowest bits and at the highest, and multiplication mixes the highest best.
        self.0 = (self.0 ^ pid).wrapping_mul(SPREAD).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::LocalPids;

    #[test]
    fn pids_in_a_row_are_spread_over_both_ends_of_the_hash() {
        for first in [0, 1 << 52] {
            let hashes: Vec<u64> = (first..first + 4096)
                .map(|pid: u64| LocalPids::default().hash_one(pid))
                .collect();
            let distinct = |of: fn(&u64) -> u64| hashes.iter().map(of).collect::<HashSet<_>>().len();
            assert!(distinct(|hash| hash & 0xfff) > 2048, "low bits after {first}");
            assert_eq!(distinct(|hash| hash >> 57), 128, "high bits after {first}");
        }
    }
}
