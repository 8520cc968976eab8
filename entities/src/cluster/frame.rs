//! What gates send each other: the arguments of ractor messages, with numbers in big-endian order.

use std::num::NonZeroU64;

use ractor_host_placement::routing::{Header, Reply, SessionId};
use ractor_host_placement::words::{BadEntity, EntityKey, Epoch, Incarnation, ShardId, TypeId};

/// The variant of a [`Hello`].
pub(super) const HELLO: &str = "Hello";
/// The variant of a cast.
pub(super) const CAST: &str = "Cast";
/// The variant of a call.
pub(super) const CALL: &str = "Call";
/// The variant of a call that bears an idempotency key.
pub(super) const KEYED: &str = "Keyed";
/// The variant of a call that gives an entity's state up.
pub(super) const DELETE: &str = "Delete";
/// The variant of [`Settled`].
pub(super) const SETTLED: &str = "Settled";

/// The variant of a [`Closing`] by which the node that opened a session asks whether it may end.
pub(super) const MAY_CLOSE: &str = "MayClose";
/// The variant of a [`Closing`] that answers that it may.
pub(super) const CLOSE: &str = "Close";
/// The variant of a [`Closing`] by which the other node asks for that question.
pub(super) const OFFER: &str = "Offer";
/// The variant of a [`Closing`] by which a node says that it ends.
pub(super) const LEAVES: &str = "Leaves";
/// The variant of a [`Closing`] that answers that nothing more is sent to it.
pub(super) const FAREWELL: &str = "Farewell";

/// The bytes of a [`Header`].
const HEADER: usize = 2 + 4 + 8 + 8 + 8;

/// The bytes in front of an answer's own.
const ANSWER: usize = 1 + HEADER + 8;

/// Bytes that are no message of a gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadFrame {
    #[error("the message of another node's gate is cut off, or has more than belongs to it")]
    Length,
    #[error("the message of another node's gate has a number that nothing has")]
    Number,
    #[error("the name of a message is not UTF-8")]
    Variant,
    #[error(transparent)]
    Key(#[from] BadEntity),
}

/// The first message of a session: whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hello {
    /// The life of the node that sends.
    pub(super) from: Incarnation,
    /// The session.
    pub(super) session: SessionId,
    /// The number that the process of the node drew when it started.
    pub(super) process: u64,
    /// The name of the node.
    pub(super) node: String,
}

/// A word about the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closing {
    /// The life of the node that sends.
    pub(super) from: Incarnation,
    /// Tells the questions of a node apart; an answer has that of its question.
    pub(super) number: u64,
}

/// Where a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// The node.
    pub(super) from: Incarnation,
    /// The session by which it came.
    pub(super) session: SessionId,
    /// What stood in front of it.
    pub(super) header: Header,
}

/// A message for an entity.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Routed {
    pub(super) origin: Origin,
    pub(super) key: EntityKey,
    pub(super) variant: String,
    pub(super) args: Vec<u8>,
}

/// Answers of a receiver to the messages of a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// The node that answers.
    pub(super) from: Incarnation,
    /// The session of what it answers.
    pub(super) session: SessionId,
    pub(super) replies: Vec<Reply>,
}

/// Reads from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadFrame> {
        let (head, rest) = self.0.split_first_chunk().ok_or(BadFrame::Length)?;
        self.0 = rest;
        Ok(*head)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], BadFrame> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(BadFrame::Length)?;
        self.0 = rest;
        Ok(head)
    }

    fn u64(&mut self) -> Result<u64, BadFrame> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn incarnation(&mut self) -> Result<Incarnation, BadFrame> {
        NonZeroU64::new(self.u64()?).map(Incarnation).ok_or(BadFrame::Number)
    }

    fn header(&mut self) -> Result<Header, BadFrame> {
        let type_id = TypeId(u16::from_be_bytes(self.array()?));
        let shard = u32::from_be_bytes(self.array()?);
        Ok(Header {
            shard: ShardId { type_id, shard },
            epoch: Epoch(self.u64()?),
            // Counted from one: a receiver looks at the number before.
            number: self
                .u64()
                .and_then(|number| (number > 0).then_some(number).ok_or(BadFrame::Number))?,
            round: self.u64()?,
        })
    }

    fn end(self) -> Result<(), BadFrame> {
        self.0.is_empty().then_some(()).ok_or(BadFrame::Length)
    }
}

fn put_header(out: &mut Vec<u8>, header: &Header) {
    out.extend_from_slice(&header.shard.type_id.0.to_be_bytes());
    out.extend_from_slice(&header.shard.shard.to_be_bytes());
    for number in [header.epoch.0, header.number, header.round] {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

impl Hello {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24 + self.node.len());
        for number in [self.from.0.get(), self.session.0, self.process] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(self.node.as_bytes());
        out
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadFrame> {
        let mut reader = Reader(bytes);
        Ok(Self {
            from: reader.incarnation()?,
            session: SessionId(reader.u64()?),
            process: reader.u64()?,
            node: String::from_utf8(reader.0.to_vec()).map_err(|_| BadFrame::Variant)?,
        })
    }
}

impl Closing {
    pub(super) fn write(self) -> Vec<u8> {
        [self.from.0.get(), self.number].map(u64::to_be_bytes).concat()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadFrame> {
        let mut reader = Reader(bytes);
        let closing = Self {
            from: reader.incarnation()?,
            number: reader.u64()?,
        };
        reader.end()?;
        Ok(closing)
    }
}

impl Origin {
    /// The bytes of an origin.
    pub(super) const BYTES: usize = 16 + HEADER;

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.from.0.get().to_be_bytes());
        out.extend_from_slice(&self.session.0.to_be_bytes());
        put_header(out, &self.header);
    }

    /// What [`write`](Self::write) wrote, at the beginning of these bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadFrame> {
        Self::take(&mut Reader(bytes))
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, BadFrame> {
        Ok(Self {
            from: reader.incarnation()?,
            session: SessionId(reader.u64()?),
            header: reader.header()?,
        })
    }
}

impl Routed {
    /// The arguments of a message that is written from its parts: its own are copied, because they are kept until it is begun.
    pub(super) fn write(origin: &Origin, key: &EntityKey, variant: &str, args: &[u8]) -> Vec<u8> {
        let key = key.bytes();
        let mut out = Vec::with_capacity(Origin::BYTES + 1 + key.len() + 4 + variant.len() + args.len());
        origin.write(&mut out);
        // A key has at most 255 bytes, and a variant came in a message whose length is 32 bits.
        out.push(u8::try_from(key.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(key);
        out.extend_from_slice(&u32::try_from(variant.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(variant.as_bytes());
        out.extend_from_slice(args);
        out
    }

    pub(super) fn read(mut bytes: Vec<u8>) -> Result<Self, BadFrame> {
        let mut reader = Reader(&bytes);
        let origin = Origin::take(&mut reader)?;
        let [length] = reader.array()?;
        let key = EntityKey::new(reader.slice(usize::from(length))?)?;
        let length = usize::try_from(u32::from_be_bytes(reader.array()?)).map_err(|_| BadFrame::Length)?;
        let variant = std::str::from_utf8(reader.slice(length)?).map_err(|_| BadFrame::Variant)?;
        let (variant, before) = (variant.to_owned(), bytes.len() - reader.0.len());
        bytes.drain(..before);
        Ok(Self {
            origin,
            key,
            variant,
            args: bytes,
        })
    }
}

impl Settled {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.replies.len() * ANSWER);
        out.extend_from_slice(&self.from.0.get().to_be_bytes());
        out.extend_from_slice(&self.session.0.to_be_bytes());
        for reply in &self.replies {
            let (kind, shard, epoch, number, round, hint) = match *reply {
                Reply::Acknowledged { shard, up_to, round } => (0, shard, Epoch(0), up_to, round, None),
                Reply::NotOwner {
                    shard,
                    number,
                    round,
                    epoch,
                    hint,
                } => (1, shard, epoch, number, round, hint),
            };
            out.push(kind);
            put_header(
                &mut out,
                &Header {
                    shard,
                    epoch,
                    number,
                    round,
                },
            );
            out.extend_from_slice(&hint.map_or(0, |hint: Incarnation| hint.0.get()).to_be_bytes());
        }
        out
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadFrame> {
        let mut reader = Reader(bytes);
        let (from, session) = (reader.incarnation()?, SessionId(reader.u64()?));
        let mut replies = Vec::with_capacity(reader.0.len() / ANSWER);
        while !reader.0.is_empty() {
            let [kind] = reader.array()?;
            let Header {
                shard,
                epoch,
                number,
                round,
            } = reader.header()?;
            let hint = NonZeroU64::new(reader.u64()?).map(Incarnation);
            replies.push(match kind {
                0 => Reply::Acknowledged {
                    shard,
                    up_to: number,
                    round,
                },
                1 => Reply::NotOwner {
                    shard,
                    number,
                    round,
                    epoch,
                    hint,
                },
                _ => return Err(BadFrame::Number),
            });
        }
        reader.end()?;
        Ok(Self { from, session, replies })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin(seed: u64) -> Origin {
        Origin {
            from: Incarnation(NonZeroU64::new(seed | 1).unwrap()),
            session: SessionId(seed.rotate_left(7)),
            header: Header {
                shard: ShardId {
                    type_id: TypeId(seed as u16),
                    shard: seed as u32,
                },
                epoch: Epoch(seed.rotate_left(11)),
                number: seed.rotate_left(13) | 1,
                round: seed.rotate_left(17),
            },
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            seed in any::<u64>(),
            key in prop::collection::vec(any::<u8>(), 1..=255),
            variant in ".{0,40}",
            args in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let (origin, key) = (origin(seed), EntityKey::new(&key).unwrap());
            let written = Routed::write(&origin, &key, &variant, &args);
            for end in 0..written.len() - args.len() {
                prop_assert!(Routed::read(written[..end].to_vec()).is_err());
            }
            prop_assert_eq!(Routed::read(written), Ok(Routed { origin, key, variant: variant.clone(), args }));

            let hello = Hello { from: origin.from, session: origin.session, process: seed, node: variant };
            prop_assert_eq!(Hello::read(&hello.write()), Ok(hello));

            let Header { shard, epoch, number, round } = origin.header;
            let replies = vec![
                Reply::Acknowledged { shard, up_to: number, round },
                Reply::NotOwner { shard, number, round, epoch, hint: None },
                Reply::NotOwner { shard, number, round, epoch, hint: Some(origin.from) },
            ];
            let settled = Settled { from: origin.from, session: origin.session, replies };
            let written = settled.write();
            for end in 17..16 + ANSWER {
                prop_assert!(Settled::read(&written[..end]).is_err());
            }
            prop_assert_eq!(Settled::read(&written), Ok(settled));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop((Hello::read(&bytes), Settled::read(&bytes), Routed::read(bytes)));
        }
    }
}
