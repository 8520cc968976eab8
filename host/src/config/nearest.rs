//! The nearest right name to a wrong one.

use std::cmp::Reverse;

/// The likeness that two words must have for one to be suggested in place of the other, when they differ by more than typing
/// errors (`cookiepath` for `cookie_file`).
const ALIKE: f64 = 0.78;

/// The candidate that was most likely meant, if any is near enough to suggest.
pub(crate) fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typing_errors = 1.max(wrong.chars().count() / 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(wrong, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= typing_errors || strsim::jaro_winkler(wrong, candidate) >= ALIKE)
        .min_by_key(|(distance, candidate)| (*distance, Reverse(same_letters(wrong, candidate))))
        .map(|(_, candidate)| candidate)
}

/// Letters that changed places are likelier than a letter mistaken for another.
fn same_letters(one: &str, other: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    sorted(one) == sorted(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_nothing_when_none_is_near() {
        let keys = ["name", "hostname", "listen", "u16", "u64"];
        let cases = [
            ("nmae", Some("name")),
            ("lisen", Some("listen")),
            ("listen_addr", Some("listen")),
            ("u46", Some("u64")),
            ("port", None),
        ];
        for (wrong, expected) in cases {
            assert_eq!(nearest(wrong, keys), expected, "{wrong}");
        }
    }
}
