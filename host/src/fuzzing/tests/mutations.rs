//! Mutations of inputs, from a seed.

/// Numbers that programs get wrong.
const NUMBERS: [&str; 10] = [
    "0",
    "-1",
    "255",
    "256",
    "65536",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "1e999",
    "0.1",
];

/// The most changes of one input.
const MOST_CHANGES: usize = 5;

/// Draws choices by splitmix64: the same seed, the same mutations.
pub(super) struct Mutator(u64);

impl Mutator {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % limit.max(1)
    }

    /// One input of the corpus, changed, with parts of another.
    pub(super) fn mutation_of(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let other = &corpus[self.below(corpus.len())];
        let mut bytes = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(MOST_CHANGES) {
            self.change(&mut bytes, other);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len() + 1);
        match self.below(9) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.below(256) as u8;
                }
            }
            1 => drop(bytes.drain(at..bytes.len().min(at + self.below(8)))),
            2 => bytes.insert(at, self.below(256) as u8),
            3 => bytes.extend_from_within(at..bytes.len().min(at + self.below(64))),
            4 => bytes
                .splice(at.., other.iter().copied().skip(self.below(other.len())))
                .for_each(drop),
            5 => self.replace_number(bytes, at),
            // Lines, for what is text.
            6 => {
                let lines: Vec<&[u8]> = other.split_inclusive(|byte| *byte == b'\n').collect();
                if !lines.is_empty() {
                    let line = lines[self.below(lines.len())].to_vec();
                    let at = line_from(bytes, at).0;
                    bytes.splice(at..at, line).for_each(drop);
                }
            }
            7 => {
                let (start, end) = line_from(bytes, at);
                bytes.drain(start..end).for_each(drop);
            }
            _ => {
                let (start, end) = line_from(bytes, at);
                let line = bytes[start..end].to_vec();
                bytes.splice(start..start, line).for_each(drop);
            }
        }
    }

    /// The first number from here on becomes another.
    fn replace_number(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let Some(start) = bytes[at..].iter().position(is_digit).map(|found| at + found) else {
            return;
        };
        let length = bytes[start..].iter().take_while(|byte| is_digit(byte)).count();
        let number = NUMBERS[self.below(NUMBERS.len())];
        bytes.splice(start..start + length, number.bytes()).for_each(drop);
    }
}

/// Where the line begins that has this place, and where the next one does.
fn line_from(bytes: &[u8], at: usize) -> (usize, usize) {
    let start = bytes[..at]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n');
    (start, end.map_or(bytes.len(), |end| at + end + 1))
}

#[test]
fn the_same_seed_makes_the_same_mutations() {
    let corpus = [b"a = 1\nb = 2\n".to_vec(), b"[table]\nc = 30\n".to_vec()];
    let mutations = |seed| {
        let mut mutator = Mutator::new(seed);
        (0..100).map(|_| mutator.mutation_of(&corpus)).collect::<Vec<_>>()
    };
    assert_eq!(mutations(1), mutations(1));
    assert_ne!(mutations(1), mutations(2));
    let unchanged = mutations(1).iter().filter(|bytes| corpus.contains(bytes)).count();
    assert!(unchanged < 20, "{unchanged} of 100 are not mutations");
}
