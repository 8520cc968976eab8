//! Identifiers, comments and literals of texts that anybody may have written.

/// A name in small letters, its words joined by `_`; none if it is no identifier.
pub(super) fn snake(name: &str) -> Option<String> {
    if !is_identifier(name) {
        return None;
    }
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = '_';
    for character in name.chars() {
        if character.is_ascii_uppercase() && before != '_' && !before.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
        before = character;
    }
    Some(snake)
}

/// The tag that every SDK makes of the name of a handler: its words joined, each with a capital letter in front.
pub(super) fn tag_of(name: &str) -> String {
    let capital = |word: &str| {
        word.chars()
            .enumerate()
            .map(|(at, each)| if at == 0 { each.to_ascii_uppercase() } else { each })
            .collect()
    };
    name.split('_').map(capital).collect::<Vec<String>>().concat()
}

/// A name of a type: words joined, each with a capital letter in front; none if there is no letter to begin with.
pub(super) fn capital(name: &str) -> Option<String> {
    let is_path = |each: char| each.is_ascii_alphanumeric() || "_-.".contains(each);
    let words = tag_of(&name.replace(['-', '.'], "_"));
    (name.chars().all(is_path) && is_identifier(&words)).then_some(words)
}

/// A letter, and letters, digits and `_` behind it.
pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
}

/// Names that nothing else in a source has, by one rule in all languages: a name that the language keeps for itself, or that something has
/// already, gets `_` behind it. What travels on the wire stays as it is.
pub(super) struct FreeNames<'a> {
    reserved: &'a [&'a str],
    taken: Vec<String>,
}

impl<'a> FreeNames<'a> {
    /// Nothing has a name yet.
    pub(super) fn new(reserved: &'a [&'a str]) -> Self {
        Self {
            reserved,
            taken: Vec::new(),
        }
    }

    /// Whether nothing has the name.
    pub(super) fn is_free(&self, name: &str) -> bool {
        !self.reserved.contains(&name) && !self.taken.iter().any(|taken| taken == name)
    }

    /// The name, or one like it that is free. Nothing else gets it.
    pub(super) fn take(&mut self, mut name: String) -> String {
        while !self.is_free(&name) {
            name.push('_');
        }
        self.note(&name);
        name
    }

    /// Something has the name.
    pub(super) fn note(&mut self, name: &str) {
        self.taken.push(name.to_owned());
    }
}

/// A text for a comment of one line: no line end, nothing that ends a comment, and only what can be seen.
pub(super) fn one_line(text: &str) -> String {
    let visible = |each: char| if (' '..='~').contains(&each) { each } else { ' ' };
    let text: String = text.chars().map(visible).collect();
    text.replace("*/", "* /")
        .replace('\\', "/")
        .replace("\"\"\"", "'''")
        .trim()
        .to_owned()
}

/// The lines of a documentation, each as [`one_line`].
pub(super) fn lines(text: &str) -> Vec<String> {
    let lines: Vec<String> = text.lines().map(one_line).collect();
    if lines.iter().all(String::is_empty) {
        Vec::new()
    } else {
        lines
    }
}

/// A literal in double quotes, which Python, TypeScript and C read alike: what isn't plain is left out.
pub(super) fn literal(text: &str) -> String {
    let text = text.lines().map(one_line).collect::<Vec<_>>().join(" ");
    format!("\"{}\"", text.replace('"', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_and_a_name_lead_to_each_other() {
        for (tag, name) in [("Add", "add"), ("AddAll", "add_all"), ("EchoU64", "echo_u64")] {
            assert_eq!(snake(tag).unwrap(), name);
            assert_eq!(tag_of(name), tag);
        }
        assert_eq!(snake("HTTPGet").unwrap(), "httpget");
        assert_eq!((snake("Add all"), snake(""), snake("1st")), (None, None, None));
        assert_eq!(capital("shop.Order").unwrap(), "ShopOrder");
        assert_eq!(capital("line-item").unwrap(), "LineItem");
        assert_eq!(capital("Order)"), None);
    }
}
