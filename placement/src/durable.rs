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
    /// Of these changes, those that are in a state which was taken to be written.
    taken: u64,
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
            taken: 0,
            durable: 0,
            in_flight: None,
            held: VecDeque::new(),
            held_bytes: 0,
            limit,
            is_refused: false,
        }
    }

    /// A message changes the state: what it does follows from a state that nobody has taken yet.
    pub fn handle_change(&mut self) {
        self.changes += 1;
    }

    /// The state of now was taken, to be written at the next opportunity.
    pub fn handle_taken(&mut self) {
        self.taken = self.changes;
    }

    /// The state of now was looked at, and is the one that was taken last: no message since has changed it.
    pub fn handle_unchanged(&mut self) {
        let on_its_way = self.in_flight.map_or(self.durable, |one| one.covers);
        // Otherwise what was taken waits yet, and is written for these changes, too.
        if self.taken == on_its_way {
            match &mut self.in_flight {
                Some(in_flight) => in_flight.covers = self.changes,
                None => self.durable = self.changes,
            }
        }
        self.taken = self.changes;
    }

    /// The message that is being handled goes on later, and until then there is no state to take. What it has done so far follows from
    /// the state before it, as far as a later one can tell.
    ///
    /// Those that `stay` wait for the state all the same, behind the others: a reply says that something was done.
    pub fn handle_unfinished(&mut self, stay: impl Fn(&Output) -> bool) {
        let taken = self.taken;
        let first = self.held.partition_point(|held| held.after <= taken);
        let (stays, leaves): (Vec<_>, Vec<_>) = self
            .held
            .split_off(first)
            .into_iter()
            .partition(|held| stay(&held.output));
        self.held
            .extend(leaves.into_iter().map(|held| Held { after: taken, ..held }));
        self.held.extend(stays);
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

    /// What to write now: the state that was taken last.
    pub fn poll_write(&mut self) -> Option<WriteTurn> {
        if self.is_refused {
            return None;
        }
        if let Some(in_flight) = &mut self.in_flight {
            let version = in_flight.version;
            return std::mem::take(&mut in_flight.is_unknown).then_some(WriteTurn::Again { version });
        }
        if self.taken == self.durable {
            return None;
        }
        self.version += 1;
        self.in_flight = Some(InFlight {
            version: self.version,
            covers: self.taken,
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

    /// True if an output may leave.
    pub fn may_leave(&self) -> bool {
        let is_durable = self.held.front().is_some_and(|held| held.after <= self.durable);
        is_durable && (!self.is_refused || broken(Mutation::HeldSentAfterRefusal))
    }

    /// The next output that may leave.
    pub fn poll_output(&mut self) -> Option<Output> {
        let may_leave = self.may_leave();
        let held = self.held.pop_front_if(|_| may_leave)?;
        self.held_bytes -= held.bytes;
        Some(held.output)
    }

    /// The instance has trapped. What follows from changes since the state was taken is dropped and handed back; the state to go on with is
    /// the one in the store, once [`Durable::is_settled`].
    pub fn handle_trap(&mut self) -> Vec<Output> {
        let covered = self.taken;
        self.changes = covered;
        let keeps = self.held.iter().take_while(|held| held.after <= covered).count();
        let dropped = self.held.split_off(keeps);
        self.held_bytes -= dropped.iter().map(|held| held.bytes).sum::<usize>();
        dropped.into_iter().map(|held| held.output).collect()
    }

    /// The activation is over: hands back what is held, none of which is ever sent.
    pub fn handle_end(&mut self) -> Vec<Output> {
        self.is_refused = true;
        self.held_bytes = 0;
        std::mem::take(&mut self.held)
            .into_iter()
            .map(|held| held.output)
            .collect()
    }

    /// True if everything is durable and has left.
    pub fn is_settled(&self) -> bool {
        self.in_flight.is_none() && self.changes == self.durable && self.held.is_empty()
    }

    /// True if the state of now was taken: nothing has changed it since.
    pub fn is_taken(&self) -> bool {
        self.taken == self.changes
    }

    /// True if all that was done before the message that is being handled now is durable.
    pub fn is_durable_before(&self) -> bool {
        self.durable + 1 >= self.changes
    }

    /// Bytes of the outputs that wait.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
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
        assert_eq!(entity.poll_write(), None, "no state was taken");
        entity.handle_taken();
        assert_eq!(entity.poll_write(), written((1 << 32) + 1));
        entity.handle_change();
        entity.handle_output("b", 1).unwrap();
        entity.handle_taken();
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
        entity.handle_taken();
        let Some(WriteTurn::New { version }) = entity.poll_write() else {
            panic!("nothing to write")
        };
        entity.handle_written(version, None);
        entity.handle_change();
        entity.handle_taken();
        assert_eq!(entity.poll_write(), Some(WriteTurn::Again { version }));
        assert_eq!(entity.poll_write(), None);
    }

    #[test]
    fn after_a_refusal_nothing_leaves() {
        let mut entity = Durable::new(1, 100);
        entity.handle_change();
        entity.handle_output("a", 1).unwrap();
        entity.handle_taken();
        entity.poll_write();
        entity.handle_written((1 << 32) + 1, Some(WriteOutcome::Refused));
        assert_eq!((entity.poll_output(), entity.poll_write()), (None, None));
        assert!(entity.is_refused());
    }

    #[test]
    fn a_trap_drops_what_no_write_covers() {
        let mut entity = Durable::new(1, 100);
        entity.handle_change();
        entity.handle_output("a", 1).unwrap();
        entity.handle_taken();
        entity.poll_write();
        entity.handle_change();
        entity.handle_output("b", 1).unwrap();
        assert_eq!(entity.handle_trap(), ["b"]);
        assert!(!entity.is_settled());
        entity.handle_written((1 << 32) + 1, Some(WriteOutcome::Accepted));
        assert_eq!((entity.poll_output(), entity.poll_output()), (Some("a"), None));
        assert!(entity.is_settled());
    }

    #[test]
    fn a_state_that_is_still_the_same_needs_no_write() {
        let mut entity = Durable::new(1, 100);
        entity.handle_change();
        entity.handle_output("read", 1).unwrap();
        assert_eq!(entity.poll_output(), None, "it isn't known yet");
        entity.handle_unchanged();
        assert_eq!((entity.poll_write(), entity.poll_output()), (None, Some("read")));
        // The state that it is the same as is on its way, or waits for its turn.
        for waits in [false, true] {
            let mut entity = Durable::new(1, 100);
            let mut version = 1 << 32;
            for _ in 0..=usize::from(waits) {
                entity.handle_change();
                entity.handle_taken();
                entity.poll_write();
            }
            entity.handle_change();
            entity.handle_output("read", 1).unwrap();
            entity.handle_unchanged();
            for _ in 0..=usize::from(waits) {
                assert_eq!(entity.poll_output(), None, "{waits}");
                version += 1;
                entity.handle_written(version, Some(WriteOutcome::Accepted));
                entity.poll_write();
            }
            assert_eq!(entity.poll_output(), Some("read"), "{waits}");
            assert!(entity.is_settled(), "{waits}");
        }
    }

    #[test]
    fn what_a_message_does_before_it_waits_follows_from_the_state_before_it() {
        let mut entity = Durable::new(1, 100);
        entity.handle_change();
        entity.handle_output("reply before", 1).unwrap();
        entity.handle_output("ask", 1).unwrap();
        assert!(entity.is_durable_before());
        entity.handle_unfinished(|output| output.starts_with("reply"));
        assert_eq!((entity.poll_output(), entity.poll_output()), (Some("ask"), None));
        entity.handle_change();
        entity.handle_output("reply", 1).unwrap();
        entity.handle_taken();
        assert_eq!(entity.poll_output(), None);
        entity.handle_change();
        assert!(!entity.is_durable_before());
        entity.handle_output("second ask", 1).unwrap();
        entity.handle_unfinished(|output| output.starts_with("reply"));
        assert_eq!(entity.poll_output(), None, "the one before it isn't durable");
        entity.poll_write();
        entity.handle_written((1 << 32) + 1, Some(WriteOutcome::Accepted));
        let outputs: Vec<_> = std::iter::from_fn(|| entity.poll_output()).collect();
        assert_eq!(outputs, ["reply before", "reply", "second ask"]);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut entity = Durable::new(1, 10);
        entity.handle_change();
        entity.handle_output((), 10).unwrap();
        assert_eq!(entity.handle_output((), 1), Err(HeldTooMuch { held: 11, limit: 10 }));
    }
}
