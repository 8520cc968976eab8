//! Names of projects.

use std::path::Path;

use crate::error::ProjectError;

/// The most characters of a name.
const LONGEST: usize = 40;

/// Names that a compiler or a package manager keeps for itself, or that the SDK has.
const TAKEN: &[&str] = &[
    "alloc",
    "build",
    "con",
    "core",
    "deps",
    "examples",
    "nul",
    "proc-macro",
    "ractor",
    "ractor-guest",
    "std",
    "test",
    "tests",
    "tokio",
];

/// Keywords of Rust: a crate can't have their names.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The name of a project. It is good in every language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    /// The last part of the path of the project's folder.
    pub(super) fn of(folder: &Path) -> Result<Self, ProjectError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match fault(&name) {
            None => Ok(Self(name)),
            Some(reason) => Err(ProjectError::Name { name, reason }),
        }
    }

    /// A template with this name in its places: `{{name}}` is the name, `{{Type}}` what a type is called after it, and `{{ident}}` what a
    /// variable or a crate is.
    pub(super) fn fill(&self, template: &str) -> String {
        let words = self.0.split('-');
        let capital = |word: &str| {
            let mut rest = word.chars();
            let first = rest.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(rest).collect::<String>()
        };
        let filled = template
            .replace("{{name}}", &self.0)
            .replace("{{ident}}", &self.0.replace('-', "_"));
        filled.replace("{{Type}}", &words.map(capital).collect::<String>())
    }
}

/// What is wrong with a name.
fn fault(name: &str) -> Option<String> {
    let rule = "a name has lower-case letters, digits and hyphens, and begins with a letter: `counter`, `word-count`";
    let is_letter = |character: char| character.is_ascii_lowercase();
    let good = |character: char| is_letter(character) || character.is_ascii_digit() || character == '-';
    if name.len() > LONGEST {
        return Some(format!("it has {} characters, and {LONGEST} are the most", name.len()));
    }
    if !name.starts_with(is_letter) || !name.chars().all(good) || name.ends_with('-') || name.contains("--") {
        return Some(rule.to_owned());
    }
    let taken = TAKEN.contains(&name) || KEYWORDS.contains(&name);
    taken.then(|| "a language or an SDK has that name already; add a word, as in `my-NAME`".replace("NAME", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_good_in_every_language() {
        for name in ["a", "counter", "word-count", "a1-2b"] {
            assert_eq!(Name::of(Path::new(name)).unwrap().0, name);
        }
        assert_eq!(Name::of(Path::new("here/there/counter")).unwrap().0, "counter");
        let check = |name: &str, expected: &str| {
            let error = Name::of(Path::new(name)).unwrap_err();
            assert!(
                error.is_usage() && error.to_string().contains(expected),
                "{name}: {error}"
            );
        };
        for name in [
            "", "Counter", "1st", "-a", "a-", "a--b", "a_b", "ä", "a b", "..", "a.b", "a\n",
        ] {
            check(name, "lower-case letters");
        }
        check(&"a".repeat(41), "41 characters, and 40 are the most");
        for name in ["self", "test", "std", "ractor"] {
            check(name, &format!("`my-{name}`"));
        }
    }

    #[test]
    fn a_template_has_the_name_in_every_spelling() {
        let name = Name::of(Path::new("word-count")).unwrap();
        assert_eq!(
            name.fill("{{name}} {{ident}} {{Type}}"),
            "word-count word_count WordCount"
        );
    }
}
