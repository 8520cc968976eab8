//! Lists that may be too long for an answer.

/// The most bytes of the names in an answer, as they would be if each of their characters were escaped: such an answer fits into a frame.
const MOST_NAMES: usize = 12 << 20;

/// The longest escape in JSON of a byte: `\u001b`.
const ESCAPE: usize = 6;

/// What JSON has around a name, in bytes.
pub(super) const SYNTAX: usize = 32;

/// What JSON has of a row besides its names, in bytes, rounded up.
const ROW: usize = 400;

/// Leaves out what does not fit into an answer. `names` gives the bytes of a row's names. Gives how many rows are left out.
pub(super) fn shorten<R>(rows: &mut Vec<R>, names: impl Fn(&R) -> usize) -> usize {
    let mut bytes = 0;
    let fits = |row: &R| {
        bytes += ROW + names(row) * ESCAPE;
        bytes <= MOST_NAMES
    };
    let fitting = rows.iter().map(fits).take_while(|fits| *fits).count();
    let left_out = rows.len() - fitting;
    rows.truncate(fitting);
    left_out
}
