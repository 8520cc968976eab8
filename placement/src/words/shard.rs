//! From an entity to its shard.

use std::hash::Hasher;
use std::num::NonZeroU32;

use siphasher::sip::SipHasher24;

use super::Entity;

/// The number that the store gives a type of entity at its first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u16);

/// A shard: the part of a type's entities that moves between nodes as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
    /// The type.
    pub type_id: TypeId,
    /// Which of its shards, from 0.
    pub shard: u32,
}

/// The keyed hash that puts an entity into a shard: SipHash-2-4 of the type's length (one byte), the type and the key.
///
/// The secret is made once and kept in the store, so that whoever chooses keys can't choose shards.
#[derive(Debug, Clone)]
pub struct ShardHash {
    secret: [u8; 16],
}

impl ShardHash {
    /// The hash with the store's secret.
    pub fn new(secret: [u8; 16]) -> Self {
        Self { secret }
    }

    /// The shard of an entity, where its type has this many.
    pub fn shard(&self, entity: &Entity, shards: NonZeroU32) -> u32 {
        let shard = self.hash(entity) % u64::from(shards.get());
        // Below `shards`, which is a u32.
        shard as u32
    }

    fn hash(&self, entity: &Entity) -> u64 {
        let name = entity.entity_type.name().as_bytes();
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        // A type has 255 bytes at most.
        hasher.write(&[name.len() as u8]);
        hasher.write(name);
        hasher.write(entity.key.bytes());
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EntityKey, EntityType};
    use super::*;

    fn entity(entity_type: &str, key: &[u8]) -> Entity {
        Entity {
            entity_type: EntityType::new(entity_type).unwrap(),
            key: EntityKey::new(key).unwrap(),
        }
    }

    /// Computed by another implementation of SipHash-2-4. A change of these loses every entity of every store.
    #[test]
    fn a_shard_is_the_same_for_ever() {
        let secret = std::array::from_fn(|byte| byte as u8);
        let hash = ShardHash::new(secret);
        let cases: [(&str, &[u8], u64); 4] = [
            ("cart", b"4711", 0x65f9_7b40_cecc_c2c9),
            ("a", b"\0", 0x7ba1_40c5_7cb3_2fe4),
            ("orders", b"0123456789abcdef0123456789abcdef", 0x2541_e967_08c1_8efa),
            ("cart", b"4712", 0x12f4_a86d_2a70_7aa2),
        ];
        for (entity_type, key, expected) in cases {
            let entity = entity(entity_type, key);
            assert_eq!(hash.hash(&entity), expected, "{entity}");
            let shards = NonZeroU32::new(4_096).unwrap();
            assert_eq!(u64::from(hash.shard(&entity, shards)), expected % 4_096);
        }
    }

    #[test]
    fn a_type_ends_where_its_key_begins() {
        let hash = ShardHash::new([7; 16]);
        assert_ne!(hash.hash(&entity("ab", b"c")), hash.hash(&entity("a", b"bc")));
    }
}
