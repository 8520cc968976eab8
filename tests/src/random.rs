//! Choices from a seed, for tests that go on from seed to seed.

/// The same seed, the same choices.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// Where the choices of the first run begin: as `RACTOR_HISTORY_SEED` says, or 1.
///
/// # Panics
/// The variable is no number.
#[track_caller]
pub fn seed() -> u64 {
    match std::env::var("RACTOR_HISTORY_SEED") {
        Ok(seed) => match seed.parse() {
            Ok(seed) => seed,
            Err(error) => panic!("RACTOR_HISTORY_SEED={seed}: {error}"),
        },
        Err(_) => 1,
    }
}

impl Random {
    /// Those of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of the numbers below this one; 0 if there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap_or(1).max(1)).unwrap_or(0)
    }
}
