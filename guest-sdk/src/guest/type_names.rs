//! The names of types as a source would write them.

/// The name of a type without the modules that its parts are in: `Vec<String>`, as a source would write it.
pub(crate) fn short(full: &str) -> String {
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
