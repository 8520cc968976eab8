//! Entities: a type and a key.

use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// The most bytes in the name of a type, and in a key.
const MAX_BYTES: usize = 255;

/// What a written name begins with.
const PREFIX: &str = "entity:";

/// What of a key isn't written as it is: what ends a word in a shell or a table, what leads to another node, and `%` itself.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'@')
    .add(b'"')
    .add(b'\'')
    .add(b'`')
    .add(b'\\');

/// Why something is no entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEntity {
    /// The type has no name.
    #[error("the type of an entity has no name")]
    NoType,
    /// The name of the type is too long.
    #[error("the name of an entity's type has {0} bytes, and may have {MAX_BYTES}")]
    LongType(usize),
    /// The name of the type has a slash, an at sign, a space or a control character, which its written form `entity:TYPE/KEY` can't have.
    #[error("the name of an entity's type contains {0:?}")]
    TypeCharacter(char),
    /// The key is empty.
    #[error("the key of an entity is empty")]
    NoKey,
    /// The key is too long.
    #[error("the key of an entity has {0} bytes, and may have {MAX_BYTES}")]
    LongKey(usize),
    /// The text is not written as that of an entity is.
    #[error("an entity is written as `entity:TYPE/KEY`")]
    NotWrittenSo,
}

/// The type of an entity: `cart` in `entity:cart/4711`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityType(Arc<str>);

impl EntityType {
    /// A type by its name of 1 to 255 bytes.
    pub fn new(name: &str) -> Result<Self, BadEntity> {
        if name.is_empty() {
            return Err(BadEntity::NoType);
        }
        if name.len() > MAX_BYTES {
            return Err(BadEntity::LongType(name.len()));
        }
        let is_bad = |one: &char| matches!(one, '/' | '@') || one.is_control() || one.is_whitespace();
        match name.chars().find(is_bad) {
            Some(character) => Err(BadEntity::TypeCharacter(character)),
            None => Ok(Self(name.into())),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// The key of an entity among those of its type: 1 to 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityKey(Arc<[u8]>);

impl EntityKey {
    /// A key of these bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, BadEntity> {
        match bytes.len() {
            0 => Err(BadEntity::NoKey),
            1..=MAX_BYTES => Ok(Self(bytes.into())),
            long => Err(BadEntity::LongKey(long)),
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// An actor that exists at most once in a cluster: a type and a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entity {
    /// What it is.
    pub entity_type: EntityType,
    /// Which one it is.
    pub key: EntityKey,
}

impl Entity {
    /// The entity of this type that has this key.
    pub fn new(entity_type: &str, key: impl AsRef<[u8]>) -> Result<Self, BadEntity> {
        Ok(Self {
            entity_type: EntityType::new(entity_type)?,
            key: EntityKey::new(key.as_ref())?,
        })
    }

    /// `entity:TYPE`: what the actor is called that stands for a type on its node, and the process group that it is in.
    pub fn group_of(of: &EntityType) -> String {
        format!("{PREFIX}{}", of.0)
    }

    /// True for what is written as an entity: such names are nobody else's.
    pub fn is_written_so(text: &str) -> bool {
        text.starts_with(PREFIX)
    }
}

/// `entity:TYPE/KEY`: bytes of the key that aren't graphic, and a few that mean something elsewhere, as `%` and two digits.
impl fmt::Display for Entity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PREFIX}{}/", self.entity_type.0)?;
        // Text in other scripts stays readable, where it is text.
        match std::str::from_utf8(&self.key.0) {
            Ok(text) => text.chars().try_for_each(|each| {
                let mut bytes = [0; 4];
                let written = each.encode_utf8(&mut bytes);
                if each.is_ascii() || each.is_control() || each.is_whitespace() {
                    percent_encode(written.as_bytes(), ESCAPED).fmt(out)
                } else {
                    out.write_str(written)
                }
            }),
            Err(_) => percent_encode(&self.key.0, ESCAPED).fmt(out),
        }
    }
}

impl std::str::FromStr for Entity {
    type Err = BadEntity;

    fn from_str(text: &str) -> Result<Self, BadEntity> {
        let written = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/'));
        let (entity_type, key) = written.ok_or(BadEntity::NotWrittenSo)?;
        Self::new(entity_type, &*std::borrow::Cow::<[u8]>::from(percent_decode_str(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_and_a_key_have_bounds() {
        let long = "x".repeat(256);
        assert_eq!(EntityType::new(""), Err(BadEntity::NoType));
        assert_eq!(EntityType::new(&long), Err(BadEntity::LongType(256)));
        assert_eq!(EntityType::new("a/b"), Err(BadEntity::TypeCharacter('/')));
        assert_eq!(EntityType::new("a\nb"), Err(BadEntity::TypeCharacter('\n')));
        assert_eq!(EntityKey::new(b""), Err(BadEntity::NoKey));
        assert_eq!(EntityKey::new(long.as_bytes()), Err(BadEntity::LongKey(256)));
        assert_eq!(EntityKey::new(&[0; 255]).map(|key| key.bytes().len()), Ok(255));
    }

    #[test]
    fn an_entity_is_written_on_one_line() {
        let entity = Entity {
            entity_type: EntityType::new("cart").unwrap(),
            key: EntityKey::new(b"47\n11").unwrap(),
        };
        assert_eq!(entity.to_string(), "entity:cart/47%0A11");
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let keys: [&[u8]; 8] = [
            b"4711",
            b"a/b",
            b"50 % @home",
            "Stra\u{df}e 7".as_bytes(),
            "\u{2003}wide".as_bytes(),
            &[0, 255, 128],
            b"%41",
            b"'\"`\\",
        ];
        for key in keys {
            let entity = Entity::new("cart", key).unwrap();
            let written = entity.to_string();
            assert!(
                !written.contains(|each: char| each.is_whitespace() || each.is_control() || each == '@'),
                "{written}"
            );
            assert_eq!(written.parse(), Ok(entity), "{written}");
        }
        assert_eq!(
            Entity::new("cart", "Stra\u{df}e").unwrap().to_string(),
            "entity:cart/Stra\u{df}e"
        );
        for (text, wrong) in [
            ("cart/1", BadEntity::NotWrittenSo),
            ("entity:cart", BadEntity::NotWrittenSo),
            ("entity:cart/", BadEntity::NoKey),
            ("entity:/1", BadEntity::NoType),
        ] {
            assert_eq!(text.parse::<Entity>(), Err(wrong), "{text}");
        }
    }
}
