//! One argument of a message, as a person writes it.

use std::str::FromStr;

use serde_json::Value;

use crate::config::{Literal, LiteralError, Type};

/// A literal that says its type, `u64:5`, or a value whose type the actor's description says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// Its type is said.
    Typed(Literal),
    /// Its type isn't.
    Text(String),
    /// A value of JSON, whose type isn't said either.
    Json(Value),
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
    pub(crate) fn literal(&self) -> Result<Literal, LiteralError> {
        match self {
            Self::Typed(literal) => Ok(literal.clone()),
            Self::Text(text) => text.parse(),
            Self::Json(value) => Err(LiteralError::NoType(value.to_string())),
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
        for text in ["5", "", "unit", "hello: there", "u46:5", "http://a", "@a", "str@:a"] {
            assert_eq!(text.parse(), Ok(Argument::Text(text.to_owned())), "{text}");
        }
        assert!("u64:many".parse::<Argument>().is_err());
        let verbatim = "str:@a".parse().unwrap();
        assert_eq!(
            "str:@a".parse(),
            Ok(Argument::Typed(verbatim)),
            "what follows `str:` is the text"
        );
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
