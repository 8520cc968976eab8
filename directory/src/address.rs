//! References to actors that travel in messages.

use ractor::{ActorCell, ActorId, ActorRef, BytesConvertable, Message};

/// Where an actor lives, in a form that means the same on every node: an argument or a reply of any cluster message.
///
/// An address doesn't keep an actor alive, and doesn't outlive it: the address of an actor that has ended resolves to nothing, also
/// when another has taken its name, and also when its node has restarted and counts its pids anew. (Only a stock node has no number
/// that tells a restart.)
///
/// As bytes, all numbers big-endian in 64 bits: the pid; the node's incarnation; the length of the node's name, and the
/// name; then, if the actor has a name, a byte 1 and that name, otherwise a byte 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActorAddress {
    /// The full name of its node, `name@hostname`.
    pub node: String,
    /// The incarnation of that node: a number that it drew when it started; 0 on a stock node.
    pub incarnation: u64,
    /// Its pid on that node.
    pub pid: u64,
    /// Its name on that node.
    pub name: Option<String>,
}

impl ActorAddress {
    /// The address of an actor, be it of this node or of a peer. None if this process has no node yet, or the session
    /// with the actor's node is over.
    pub fn of(actor: &ActorCell) -> Option<Self> {
        let crate::Node {
            name: node,
            incarnation,
        } = crate::node_of(actor.get_id())?;
        let name = actor.get_name().map(|name| match name.strip_suffix(&node) {
            // What stands in for an actor of another node carries that node in its name.
            Some(bare) if !crate::is_ours(actor.get_id()) => bare.trim_end_matches('@').to_owned(),
            _ => name,
        });
        Some(Self {
            node,
            incarnation,
            pid: actor.get_id().pid(),
            name,
        })
    }

    /// The address of an actor that was looked for.
    pub fn of_found(found: crate::FoundActor) -> Option<Self> {
        let node = crate::node_of(found.id)?;
        Some(Self {
            node: node.name,
            incarnation: node.incarnation,
            pid: found.id.pid(),
            name: found.name,
        })
    }

    /// The actor, or its stand-in here. None if it has ended, or there is no session with its node.
    pub async fn resolve(&self) -> Option<ActorCell> {
        crate::resolve(self.id()?).await
    }

    /// Whether the actor lives. No stand-in is made for it.
    pub async fn look(&self) -> Option<crate::FoundActor> {
        crate::look(self.id()?).await
    }

    fn id(&self) -> Option<ActorId> {
        let node = crate::Node {
            name: self.node.clone(),
            incarnation: self.incarnation,
        };
        crate::actor_id(&node, self.pid)
    }

    /// As [`ActorAddress::resolve`], for an actor that takes messages of type `M`. Whether it does shows only when one is
    /// sent.
    pub async fn resolve_as<M: Message>(&self) -> Option<ActorRef<M>> {
        self.resolve().await.map(ActorRef::from)
    }

    /// The bytes as an address; none if they aren't one.
    pub fn try_from_bytes(bytes: &[u8]) -> Option<Self> {
        let (pid, rest) = bytes.split_first_chunk()?;
        let (incarnation, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (node, rest) = rest.split_at_checked(length)?;
        let name = match rest.split_first()? {
            (0, []) => None,
            (1, name) => Some(std::str::from_utf8(name).ok()?.to_owned()),
            _ => return None,
        };
        let node = std::str::from_utf8(node).ok()?.to_owned();
        Some(Self {
            node,
            incarnation: u64::from_be_bytes(*incarnation),
            pid: u64::from_be_bytes(*pid),
            name,
        })
    }
}

impl BytesConvertable for ActorAddress {
    fn into_bytes(self) -> Vec<u8> {
        let name = self.name.as_deref();
        let mut bytes = Vec::with_capacity(25 + self.node.len() + name.map_or(0, str::len));
        bytes.extend(self.pid.to_be_bytes());
        bytes.extend(self.incarnation.to_be_bytes());
        bytes.extend((self.node.len() as u64).to_be_bytes());
        bytes.extend(self.node.as_bytes());
        bytes.push(u8::from(name.is_some()));
        bytes.extend(name.unwrap_or_default().as_bytes());
        bytes
    }

    #[expect(
        clippy::panic,
        reason = "the trait cannot fail; the derive macros turn a panic here into an error"
    )]
    fn from_bytes(bytes: Vec<u8>) -> Self {
        match Self::try_from_bytes(&bytes) {
            Some(address) => address,
            None => panic!("{} bytes are not the address of an actor", bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use ractor::{Actor, ActorProcessingErr, ActorRef};

    use super::{ActorAddress, BytesConvertable};

    struct Idle;

    impl Actor for Idle {
        type Msg = Vec<u8>;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<Vec<u8>>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_address_of_another_life_of_a_node_is_nobodys() {
        let (actor, _) = Actor::spawn(None, Idle, ()).await.unwrap();
        crate::set_node(crate::Node {
            name: "here@localhost".to_owned(),
            incarnation: 7,
        });
        let address = ActorAddress::of(&actor.get_cell()).unwrap();
        assert_eq!((address.node.as_str(), address.incarnation), ("here@localhost", 7));
        assert_eq!(address.resolve().await, Some(actor.get_cell()));
        let former = ActorAddress {
            incarnation: 6,
            ..address
        };
        assert_eq!(former.resolve().await, None);
        actor.stop(None);
    }

    proptest! {
        #[test]
        fn an_address_survives_its_bytes_and_no_part_of_them_is_one(
            node in ".{0,20}",
            pid in any::<u64>(),
            incarnation in any::<u64>(),
            name in proptest::option::of(".{0,20}"),
        ) {
            let address = ActorAddress { node, incarnation, pid, name };
            let bytes = address.clone().into_bytes();
            prop_assert_eq!(ActorAddress::try_from_bytes(&bytes), Some(address.clone()));
            // A name cut short is still a name: where it ends is for the enclosing message to say.
            for cut in 0..=24 + address.node.len() {
                prop_assert_eq!(ActorAddress::try_from_bytes(&bytes[..cut]), None);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            ActorAddress::try_from_bytes(&bytes);
        }
    }
}
