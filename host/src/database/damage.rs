//! Damaged files, for tests.

/// The places of a file that are damaged in turn.
pub(crate) const PLACES: usize = 60;

/// The file with damage at one of the places, which is named: cut off there, or with the next hundred bytes changed.
pub(crate) fn with_damage(good: &[u8], place: usize) -> (usize, Vec<u8>) {
    let mut bytes = good.to_vec();
    let at = good.len() * place / PLACES;
    if place.is_multiple_of(2) {
        bytes.truncate(at);
    } else {
        let end = (at + 100).min(bytes.len());
        bytes[at..end].iter_mut().for_each(|byte| *byte ^= 0x55);
    }
    (at, bytes)
}
