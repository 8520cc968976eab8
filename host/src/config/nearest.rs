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

/// The most candidates that are suggested at once.
const SUGGESTED: usize = 3;

/// The question whether one of these was meant, the likeliest first: "did you mean `a` or `b`?". None if none is near enough.
pub(crate) fn did_you_mean<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut left: Vec<&str> = candidates.into_iter().collect();
    let mut meant: Vec<String> = Vec::new();
    while meant.len() < SUGGESTED {
        let Some(near) = nearest(wrong, left.iter().copied()) else {
            break;
        };
        meant.push(format!("`{}`", near.escape_debug()));
        left.retain(|other| *other != near);
    }
    let (last, others) = meant.split_last()?;
    Some(if others.is_empty() {
        format!("did you mean {last}?")
    } else {
        format!("did you mean {} or {last}?", others.join(", "))
    })
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
    fn up_to_three_names_are_suggested_the_likeliest_first() {
        let names = ["orders-3", "orders-1", "mail", "orders-10", "orders-2", "orders-2"];
        assert_eq!(
            did_you_mean("order-1", names).as_deref(),
            Some("did you mean `orders-1`, `orders-3` or `orders-10`?")
        );
        assert_eq!(did_you_mean("maul", names).as_deref(), Some("did you mean `mail`?"));
        assert_eq!(did_you_mean("unlike", names), None);
    }

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
