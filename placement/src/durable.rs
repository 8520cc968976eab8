//! One entity that replies only when the state that a reply follows from is durable.
//!
//! Handling goes on while a write is on its way. One write covers all changes since the last one, and outputs leave in the order in which
//! they were made.

use std::collections::VecDeque;

use crate::mutation::{Mutation, broken};
use crate::statement::WriteOutcome;

/// What the entity has to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteTurn {
    /// Its present state, at this version.
    New {
        /// The version.
        version: u64,
    },
    /// What it wrote at this version: nobody knows whether that is durable.
    Again {
        /// The version.
        version: u64,
    },
}

/// An entity holds more outputs than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{held} bytes of outputs wait for the state to be durable, and {limit} may")]
pub struct HeldTooMuch {
    /// How much there would be.
    pub held: usize,
    /// How much there may be.
    pub limit: usize,
}

#[derive(Debug)]
struct Held<Output> {
    after: u64,
    bytes: usize,
    output: Output,
}

#[derive(Debug, Clone, Copy)]
struct InFlight {
    version: u64,
    covers: u64,
    is_unknown: bool,
}

/// The outputs of one activation of an entity, and the state that they wait for.
#[derive(Debug)]
pub struct Durable<Output> {
    version: u64,
    /// How often the state has changed.
    changes: u64,
    /// Of these changes, those that are durable.
    durable: u64,
    in_flight: Option<InFlight>,
    held: VecDeque<Held<Output>>,
    held_bytes: usize,
    limit: usize,
    is_refused: bool,
}

impl<Output> Durable<Output> {
    /// An entity that was just loaded. `activation` grows with each activation of the entity in this incarnation of the node, so that no
    /// version is ever used for two states of one epoch. `limit` is how many bytes of outputs may be held.
    pub fn new(activation: u32, limit: usize) -> Self {
        Self {
            version: u64::from(activation) << 32,
            changes: 0,
            durable: 0,
            in_flight: None,
            held: VecDeque::new(),
            held_bytes: 0,
            limit,
            is_refused: false,
        }
    }

    /// A message has changed the state.
    pub fn handle_change(&mut self) {
        self.changes += 1;
    }

    /// An output of the message that was handled last, which leaves once the state of now is durable.
    pub fn handle_output(&mut self, output: Output, bytes: usize) -> Result<(), HeldTooMuch> {
        let (held, limit) = (self.held_bytes + bytes, self.limit);
        if held > limit {
            return Err(HeldTooMuch { held, limit });
        }
        self.held_bytes = held;
        let after = if broken(Mutation::RepliesNotHeld) {
            0
        } else {
            self.changes
        };
        self.held.push_back(Held { after, bytes, output });
        Ok(())
    }

    /// What to write now. The host takes the state of this moment.
    pub fn poll_write(&mut self) -> Option<WriteTurn> {
        if self.is_refused {
            return None;
        }
        if let Some(in_flight) = &mut self.in_flight {
            let version = in_flight.version;
            return std::mem::take(&mut in_flight.is_unknown).then_some(WriteTurn::Again { version });
        }
        if self.changes == self.durable {
            return None;
        }
        self.version += 1;
        self.in_flight = Some(InFlight {
            version: self.version,
            covers: self.changes,
            is_unknown: false,
        });
        Some(WriteTurn::New { version: self.version })
    }

    /// What came of the write at `version`; none if that is not known, or if it wasn't carried out.
    pub fn handle_written(&mut self, version: u64, outcome: Option<WriteOutcome>) {
        let Some(in_flight) = self.in_flight.as_mut().filter(|one| one.version == version) else {
            return;
        };
        match outcome {
            None => in_flight.is_unknown = true,
            Some(WriteOutcome::Accepted) => {
                self.durable = in_flight.covers;
                self.in_flight = None;
            }
            Some(WriteOutcome::Refused) => {
                self.is_refused = true;
                if broken(Mutation::HeldSentAfterRefusal) {
                    self.durable = self.changes;
                }
            }
        }
    }

    /// The next output that may leave.
    pub fn poll_output(&mut self) -> Option<Output> {
        let is_durable = self.held.front().is_some_and(|held| held.after <= self.durable);
        let may_leave = is_durable && (!self.is_refused || broken(Mutation::HeldSentAfterRefusal));
        let held = self.held.pop_front_if(|_| may_leave)?;
        self.held_bytes -= held.bytes;
        Some(held.output)
    }

    /// The instance has trapped. What follows from changes that no write covers is dropped and handed back; the state to go on with is the
    /// one in the store, once [`Durable::is_settled`].
    pub fn handle_trap(&mut self) -> Vec<Output> {
        let covered = self.in_flight.map_or(self.durable, |one| one.covers);
        self.changes = covered;
        let keeps = self.held.iter().take_while(|held| held.after <= covered).count();
        let dropped = self.held.split_off(keeps);
        self.held_bytes -= dropped.iter().map(|held| held.bytes).sum::<usize>();
        dropped.into_iter().map(|held| held.output).collect()
    }

    /// True if everything is durable and has left.
    pub fn is_settled(&self) -> bool {
        self.in_flight.is_none() && self.changes == self.durable && self.held.is_empty()
    }

    /// True if a write was refused: the entity ends at once, and what it held is never sent.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(version: u64) -> Option<WriteTurn> {
        Some(WriteTurn::New { version })
    }

    #[test]
    fn an_output_leaves_when_the_state_that_it_follows_from_is_durable() {
        let mut entity = Durable::new(1, 100);
        entity.handle_change();
        entity.handle_output("a", 1).unwrap();
        assert_eq!(entity.poll_write(), written((1 << 32) + 1));
        entity.handle_change();
        entity.handle_output("b", 1).unwrap();
        assert_eq!(
            (entity.poll_output(), entity.poll_write()),
            (None, None),
            "one write at a time"
        );
        entity.handle_written((1 << 32) + 1, Some(WriteOutcome::Accepted));
        assert_eq!((entity.poll_output(), entity.poll_output()), (Some("a"), None));
        assert_eq!(entity.poll_write(), written((1 << 32) + 2));
        entity.handle_written((1 << 32) + 2, Some(WriteOutcome::Accepted));
        assert_eq!(entity.poll_output(), Some("b"));
        assert!(entity.is_settled());
    }

    #[test]
    fn what_only_reads_waits_for_what_it_saw() {
        let mut entity = Durable::new(1, 100);
        entity.handle_output("nothing was changed", 1).unwrap();
        assert!(entity.poll_output().is_some());
        entity.handle_change();
        entity.handle_output("seen", 1).unwrap();
        assert_eq!(entity.poll_output(), None);
    }

    #[test]
    fn an_unknown_write_is_repeated_as_it_was() {
        let mut entity = Durable::<()>::new(1, 100);
        entity.handle_change();
        let Some(WriteTurn::New { version }) = entity.poll_write() else {
            panic!("nothing to write")
        };
        entity.handle_written(version, None);
        entity.handle_change();
        assert_eq!(entity.poll_write(), Some(WriteTurn::Again { version }));
        assert_eq!(entity.poll_write(), None);
    }

    #[test]
    fn after_a_refusal_nothing_leaves() {
        let mut entity = Durable::new(1, 100);
        entity.handle_change();
        entity.handle_output("a", 1).unwrap();
        entity.poll_write();
        entity.handle_written((1 << 32) + 1, Some(WriteOutcome::Refused));
        assert_eq!((entity.poll_output(), entity.poll_write()), (None, None));
        assert!(entity.is_refused());
    }

    #[test]
    fn a_trap_drops_what_no_write_covers() {
        let mut entity = Durable::new(1, 100);
        for output in ["a", "b"] {
            entity.handle_change();
            entity.handle_output(output, 1).unwrap();
            entity.poll_write();
        }
        assert_eq!(entity.handle_trap(), ["b"]);
        assert!(!entity.is_settled());
        entity.handle_written((1 << 32) + 1, Some(WriteOutcome::Accepted));
        assert_eq!((entity.poll_output(), entity.poll_output()), (Some("a"), None));
        assert!(entity.is_settled());
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut entity = Durable::new(1, 10);
        entity.handle_change();
        entity.handle_output((), 10).unwrap();
        assert_eq!(entity.handle_output((), 1), Err(HeldTooMuch { held: 11, limit: 10 }));
    }
}
