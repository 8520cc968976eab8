//! Proof of the cookie between nodes that both announce [`CAPABILITY_IDENTITY`]: an HMAC-SHA256 under the cookie over all that
//! both ends have said of themselves and a nonce of each.
//!
//! What is proved is therefore who the prover is (its name, its address, its incarnation), what it announces, to whom it proves
//! that, and that this was never proved before. The stock digest proves that somebody has the cookie, and nothing else.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Role;
use crate::wire::{CAPABILITY_IDENTITY, CookieDigest, HandshakeNonce, NameMessage};

/// What both ends have said before either proves anything.
#[derive(Debug)]
pub(super) struct Transcript<'a> {
    /// As the initiator introduced itself.
    pub(super) initiator: &'a NameMessage,
    /// As the acceptor did; the connection's nonce is the initiator's.
    pub(super) acceptor: &'a NameMessage,
    pub(super) initiator_nonce: HandshakeNonce,
    pub(super) acceptor_nonce: HandshakeNonce,
}

impl Transcript<'_> {
    /// The proof that the end of this role gives. The other end's differs, so that none can be sent back as an answer to itself.
    pub(super) fn proof(&self, cookie: &str, by: Role) -> CookieDigest {
        let mut mac = keyed(cookie);
        put(&mut mac, b"ractor-host identity 1");
        put(
            &mut mac,
            match by {
                Role::Initiator => b"initiator",
                Role::Acceptor => b"acceptor",
            },
        );
        put(&mut mac, &self.initiator_nonce);
        put(&mut mac, &self.acceptor_nonce);
        put(&mut mac, &self.initiator.connection_id.to_be_bytes());
        for said in [self.initiator, self.acceptor] {
            let flags = said.flags.unwrap_or_default();
            put(&mut mac, said.name.as_bytes());
            put(&mut mac, said.connection_string.as_bytes());
            put(&mut mac, &flags.version.to_be_bytes());
            put(&mut mac, &flags.capabilities.to_be_bytes());
            put(&mut mac, &flags.max_frame.to_be_bytes());
            put(&mut mac, &flags.incarnation.to_be_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

/// True if a node that says this of itself proves who it is.
pub(super) fn proves_identity(name: &NameMessage) -> bool {
    name.flags.unwrap_or_default().capabilities & CAPABILITY_IDENTITY != 0
}

fn keyed(cookie: &str) -> Hmac<Sha256> {
    match Hmac::<Sha256>::new_from_slice(cookie.as_bytes()) {
        Ok(mac) => mac,
        // HMAC takes keys of any length.
        Err(_) => Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()),
    }
}

/// Each part with its length, so that no two lists of parts are the same bytes.
fn put(mac: &mut Hmac<Sha256>, part: &[u8]) {
    mac.update(&(part.len() as u64).to_be_bytes());
    mac.update(part);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::NodeFlags;

    fn named(name: &str, connection_id: u64) -> NameMessage {
        NameMessage {
            name: name.to_owned(),
            flags: Some(NodeFlags {
                version: 1,
                capabilities: CAPABILITY_IDENTITY,
                max_frame: 10,
                incarnation: 20,
            }),
            connection_string: "localhost:1".to_owned(),
            connection_id,
        }
    }

    fn proof(initiator: &NameMessage, acceptor: &NameMessage, nonces: [u8; 2], by: Role) -> CookieDigest {
        let [initiator_nonce, acceptor_nonce] = nonces.map(|nonce| [nonce; 16]);
        let transcript = Transcript {
            initiator,
            acceptor,
            initiator_nonce,
            acceptor_nonce,
        };
        transcript.proof("cookie", by)
    }

    /// Another implementation must come to the same bytes.
    #[test]
    fn the_known_value_of_a_proof() {
        let proof = proof(&named("alpha@h", 7), &named("beta@h", 0), [1, 2], Role::Initiator);
        let hex: String = proof.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "b10c788cdac5ad7436aa83b753dc3fd3bb3b22af90747788614f4490d15f1b68");
    }

    #[test]
    fn whatever_either_end_has_said_is_part_of_the_proof() {
        let (initiator, acceptor) = (named("alpha@h", 7), named("beta@h", 0));
        let own = proof(&initiator, &acceptor, [1, 2], Role::Initiator);
        let mut seen = vec![own, proof(&initiator, &acceptor, [1, 2], Role::Acceptor)];
        seen.push(proof(&initiator, &acceptor, [3, 2], Role::Initiator));
        seen.push(proof(&initiator, &acceptor, [1, 3], Role::Initiator));
        seen.push(proof(&acceptor, &initiator, [1, 2], Role::Initiator));
        let changes: [fn(&mut NameMessage); 6] = [
            |said| said.name.push('x'),
            |said| said.connection_string.push('x'),
            |said| said.flags = None,
            |said| {
                said.flags = said.flags.map(|flags| NodeFlags {
                    capabilities: 5,
                    ..flags
                })
            },
            |said| said.flags = said.flags.map(|flags| NodeFlags { max_frame: 11, ..flags }),
            |said| {
                said.flags = said.flags.map(|flags| NodeFlags {
                    incarnation: 21,
                    ..flags
                })
            },
        ];
        for change in changes {
            for changed in 0..2 {
                let mut said = [initiator.clone(), acceptor.clone()];
                change(&mut said[changed]);
                seen.push(proof(&said[0], &said[1], [1, 2], Role::Initiator));
            }
        }
        seen.push(proof(&named("alpha@h", 8), &acceptor, [1, 2], Role::Initiator));
        let different: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(different.len(), seen.len(), "two transcripts have one proof");
    }

    #[test]
    fn what_moves_from_one_part_to_the_next_is_another_proof() {
        let mut moved = named("alpha@", 7);
        moved.connection_string.insert(0, 'h');
        let acceptor = named("beta@h", 0);
        assert_ne!(
            proof(&named("alpha@h", 7), &acceptor, [1, 2], Role::Initiator),
            proof(&moved, &acceptor, [1, 2], Role::Initiator)
        );
    }
}
