//! One argument of a message, as it stands on the command line.

use std::str::FromStr;

use crate::config::{Literal, LiteralError, Type};

/// A literal that says its type, `u64:5`, or text whose type the actor's description says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// Its type is said.
    Typed(Literal),
    /// Its type isn't.
    Text(String),
}

impl FromStr for Argument {
    type Err = LiteralError;

    /// Fails only on a text that says a type and is no value of it. `unit` alone is text: it may be a word.
    fn from_str(text: &str) -> Result<Self, LiteralError> {
        match text.split_once(':') {
            Some((ty, _)) if ty.parse::<Type>().is_ok() => text.parse().map(Self::Typed),
            _ => Ok(Self::Text(text.to_owned())),
        }
    }
}

impl Argument {
    /// The bytes, if the text says its own type.
    pub(super) fn literal(&self) -> Result<Literal, LiteralError> {
        match self {
            Self::Typed(literal) => Ok(literal.clone()),
            Self::Text(text) => text.parse(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_wins_where_it_is_one() {
        assert_eq!("u64:5".parse(), Ok(Argument::Typed("u64:5".parse().unwrap())));
        assert_eq!("str:a:b".parse(), Ok(Argument::Typed("str:a:b".parse().unwrap())));
        for text in ["5", "", "unit", "hello: there", "u46:5", "http://a"] {
            assert_eq!(text.parse(), Ok(Argument::Text(text.to_owned())), "{text}");
        }
        assert!("u64:many".parse::<Argument>().is_err());
    }

    #[test]
    fn without_a_description_text_is_a_literal_or_nothing() {
        let literal = |text: &str| text.parse::<Argument>().unwrap().literal();
        assert_eq!(literal("unit"), Ok("unit".parse().unwrap()));
        assert!(literal("5").unwrap_err().to_string().contains("does not say its type"));
        assert!(
            literal("u46:5")
                .unwrap_err()
                .to_string()
                .contains("did you mean \"u64\"")
        );
    }
}
