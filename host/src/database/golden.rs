//! Files of databases as text, for tests that read what earlier versions wrote: the places that are not zero, in each line an offset and
//! bytes, both in hexadecimal.

use std::fmt::Write as _;

/// The places of a line are this far apart at least, in bytes.
const STRIDE: usize = 32;

pub(crate) fn to_text(file: &[u8]) -> String {
    let mut text = format!("{:x}\n", file.len());
    for (at, bytes) in file.chunks(STRIDE).enumerate() {
        if bytes.iter().any(|byte| *byte != 0) {
            writeln!(text, "{:x} {}", at * STRIDE, hex::encode(bytes)).unwrap();
        }
    }
    text
}

pub(crate) fn from_text(text: &str) -> Vec<u8> {
    let mut lines = text.lines();
    let mut file = vec![0; usize::from_str_radix(lines.next().unwrap(), 16).unwrap()];
    for line in lines {
        let (at, bytes) = line.split_once(' ').unwrap();
        let (at, bytes) = (usize::from_str_radix(at, 16).unwrap(), hex::decode(bytes).unwrap());
        file[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    file
}
