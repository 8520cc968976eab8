//! Text that comes from elsewhere, made fit for errors and logs.

use std::borrow::Cow;
use std::fmt::Write as _;

/// True for a character that does more to what shows it than to appear there: a control character, a line separator, one that turns the
/// direction of what follows (so that `gpj.exe` reads `exe.jpg`), or one that can't be seen, so that two names look the same. Those
/// which scripts and emoji are joined by are none.
pub fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// At most `limit` bytes of `text`, cut between characters, with a note if anything was cut off; characters that
/// [act](acts) are escaped, so that one event stays one line and nobody can forge another.
pub fn tidy(text: &str, limit: usize) -> Cow<'_, str> {
    let kept = text.get(..text.floor_char_boundary(limit)).unwrap_or(text);
    let cut = text.len().saturating_sub(kept.len());
    let unsafe_character = |character: char| acts(character) && character != '\t';
    if cut == 0 && !kept.contains(unsafe_character) {
        return Cow::Borrowed(text);
    }
    let mut tidied = String::with_capacity(kept.len() + 32);
    for character in kept.chars() {
        if unsafe_character(character) {
            tidied.extend(character.escape_default());
        } else {
            tidied.push(character);
        }
    }
    if cut > 0 {
        // Writing to a string can't fail.
        _ = write!(tidied, "... ({cut} more bytes)");
    }
    Cow::Owned(tidied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_plain_text_alone() {
        assert!(matches!(
            tidy("tab\tand ünïcode", 64),
            Cow::Borrowed("tab\tand ünïcode")
        ));
    }

    #[test]
    fn cuts_between_characters_and_says_so() {
        assert_eq!(tidy("aüb", 2), "a... (3 more bytes)");
        assert_eq!(tidy("aüb", 4), "aüb");
    }

    #[test]
    fn escapes_what_would_forge_a_line() {
        assert_eq!(tidy("one\ntwo\u{1b}[2J", 64), "one\\ntwo\\u{1b}[2J");
        assert_eq!(
            tidy("one\u{2028}two\u{202e}\u{2066}", 64),
            "one\\u{2028}two\\u{202e}\\u{2066}"
        );
    }

    #[test]
    fn text_of_all_scripts_is_left_alone() {
        for text in ["שלום", "مرحبا", "می\u{200c}خواهم", "👩\u{200d}🔬", "naïve e\u{301}"] {
            assert_eq!(tidy(text, 64), text);
        }
    }
}
