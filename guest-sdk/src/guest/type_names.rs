//! The names of types of an actor's own, as the grammar of docs/types.md has them.

/// `FORMAT<NAME>` for a type as the compiler calls it: without the modules that its parts are in, and with `-` for what can't be in a
/// name. `shop::Order` is `opaque<Order>`, `Option<shop::Order>` is `opaque<Option-Order>`.
pub(crate) fn named(format: &str, full: &str) -> String {
    let mut name = String::new();
    for character in short(full).chars() {
        if character.is_alphanumeric() || character == '_' {
            name.push(character);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    match name.trim_end_matches('-') {
        // The tuple without elements, in the format of `blanket_serde`.
        "" => format!("{format}<unit>"),
        name => format!("{format}<{name}>"),
    }
}

/// The name of a type without the modules that its parts are in: `Vec<String>`, as a source would write it.
fn short(full: &str) -> String {
    let mut short = String::new();
    let mut word = 0;
    for character in full.chars() {
        short.push(character);
        if !(character.is_alphanumeric() || character == '_' || character == ':') {
            word = short.len();
        } else if short.ends_with("::") {
            short.truncate(word);
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_the_actors_own_has_a_name_that_the_grammar_takes() {
        for (full, expected) in [
            ("shop::orders::Order", "opaque<Order>"),
            ("core::option::Option<shop::Order>", "opaque<Option-Order>"),
            ("alloc::vec::Vec<alloc::vec::Vec<u8>>", "opaque<Vec-Vec-u8>"),
            ("(u64, alloc::string::String)", "opaque<u64-String>"),
            ("[shop::A; 3]", "opaque<A-3>"),
            ("()", "opaque<unit>"),
            ("shop::Größe", "opaque<Größe>"),
        ] {
            assert_eq!(named("opaque", full), expected);
        }
    }
}
