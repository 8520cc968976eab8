//! Entities: a type and a key.

use std::fmt;
use std::sync::Arc;

/// The most bytes in the name of a type, and in a key.
const MAX_BYTES: usize = 255;

/// Why something is no entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEntity {
    /// The type has no name.
    #[error("the type of an entity has no name")]
    NoType,
    /// The name of the type is too long.
    #[error("the name of an entity's type has {0} bytes, and may have {MAX_BYTES}")]
    LongType(usize),
    /// The name of the type has a slash or a control character, which its written form `entity:TYPE/KEY` can't have.
    #[error("the name of an entity's type contains {0:?}")]
    TypeCharacter(char),
    /// The key is empty.
    #[error("the key of an entity is empty")]
    NoKey,
    /// The key is too long.
    #[error("the key of an entity has {0} bytes, and may have {MAX_BYTES}")]
    LongKey(usize),
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
        match name.chars().find(|one| *one == '/' || one.is_control()) {
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

impl fmt::Display for Entity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "entity:{}/{}", self.entity_type.0, self.key.0.escape_ascii())
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
        assert_eq!(entity.to_string(), "entity:cart/47\\n11");
    }
}
