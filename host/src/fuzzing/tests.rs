//! The corpora of the fuzzer and mutations of them, through the very functions that it calls. Needs no fuzzer.

use std::path::Path;

use super::{control, frame, handshake};

const CORPORA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus");

/// How many mutations of the files of a corpus are tried.
const MUTATIONS: u64 = 5_000;

/// Says which bytes it was, if a target panics on them.
struct Reported<'a>(&'a [u8]);

impl Drop for Reported<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the input was {:02x?}", self.0);
        }
    }
}

fn run(target: fn(&[u8]), bytes: &[u8]) {
    let reported = Reported(bytes);
    target(reported.0);
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(CORPORA).join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the corpora are in fuzz/corpus")
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no file", folder.display());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Splitmix64: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % limit.max(1)
    }

    /// Changes, removes, inserts or repeats a few bytes, or goes on with another file.
    fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(5) {
                0 => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.below(256) as u8;
                    }
                }
                1 => drop(bytes.drain(at..bytes.len().min(at + self.below(8)))),
                2 => bytes.insert(at, self.below(256) as u8),
                3 => bytes.extend_from_within(at..bytes.len().min(at + self.below(64))),
                _ => bytes
                    .splice(at.., other.iter().copied().skip(self.below(other.len())))
                    .for_each(drop),
            }
        }
    }
}

fn check(name: &str, target: fn(&[u8])) {
    let corpus = corpus(name);
    corpus.iter().for_each(|bytes| run(target, bytes));
    let mut numbers = Numbers(7);
    for _ in 0..MUTATIONS {
        let other = numbers.below(corpus.len());
        let mut bytes = corpus[numbers.below(corpus.len())].clone();
        numbers.mutate(&mut bytes, &corpus[other]);
        run(target, &bytes);
    }
}

#[test]
fn bytes_of_a_connection() {
    check("frame", frame);
}

#[test]
fn what_strangers_say() {
    check("handshake", handshake);
}

#[test]
fn what_peers_say() {
    check("control", control);
}
