//! Which messages of other nodes wait for an activation.

use std::collections::{BTreeMap, VecDeque};

use ractor_host_placement::routing::{Header, SessionId};
use ractor_host_placement::words::{Incarnation, ShardId};

use super::frame::Origin;

/// A sender hears when its message is begun. Some never are: a mailbox drops them to make room, or ends with what is in it. They come to light
/// when a later one is begun, or with the end of the activation.
#[derive(Debug, Default)]
pub(crate) struct Marks(BTreeMap<(Incarnation, SessionId, ShardId), VecDeque<Header>>);

impl Marks {
    /// A message waits from now on, behind all before it.
    pub(super) fn handle_waits(&mut self, origin: Origin) {
        let Origin { from, session, header } = origin;
        self.0
            .entry((from, session, header.shard))
            .or_default()
            .push_back(header);
    }

    /// A message waits no more, and says nothing of others: it was not taken, or was given back.
    pub(super) fn handle_taken_back(&mut self, origin: &Origin) {
        let Origin { from, session, header } = *origin;
        if let Some(waiting) = self.0.get_mut(&(from, session, header.shard)) {
            waiting.retain(|one| *one != header);
        }
    }

    /// A message is begun. Gives those before it of its sender, which were dropped.
    pub(super) fn handle_begun(&mut self, origin: &Origin) -> Vec<Origin> {
        let Origin { from, session, header } = *origin;
        let lane = (from, session, header.shard);
        let Some(waiting) = self.0.get_mut(&lane) else {
            return Vec::new();
        };
        let Some(at) = waiting.iter().position(|one| *one == header) else {
            return Vec::new();
        };
        let dropped = waiting.drain(..=at).take(at).collect::<Vec<_>>();
        if waiting.is_empty() {
            self.0.remove(&lane);
        }
        let dropped = dropped.into_iter();
        dropped.map(|header| Origin { from, session, header }).collect()
    }

    /// All that are left, of an activation that has ended.
    pub(super) fn take_rest(&mut self) -> Vec<Origin> {
        let rest = std::mem::take(&mut self.0).into_iter();
        rest.flat_map(|((from, session, _), headers)| {
            headers.into_iter().map(move |header| Origin { from, session, header })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use ractor_host_placement::words::{Epoch, TypeId};

    use super::*;

    fn origin(from: u64, number: u64) -> Origin {
        Origin {
            from: Incarnation(NonZeroU64::new(from).unwrap()),
            session: SessionId(1),
            header: Header {
                shard: ShardId {
                    type_id: TypeId(1),
                    shard: 7,
                },
                epoch: Epoch(1),
                number,
                round: 1,
            },
        }
    }

    #[test]
    fn what_was_dropped_comes_to_light_with_the_next_that_is_begun_and_at_the_end() {
        let mut marks = Marks::default();
        for number in 1..=5 {
            marks.handle_waits(origin(1, number));
        }
        marks.handle_waits(origin(2, 9));
        assert_eq!(marks.handle_begun(&origin(1, 1)), []);
        assert_eq!(marks.handle_begun(&origin(1, 4)), [origin(1, 2), origin(1, 3)]);
        assert_eq!(marks.handle_begun(&origin(1, 4)), []);
        assert_eq!(marks.take_rest(), [origin(1, 5), origin(2, 9)]);
        assert_eq!(marks.take_rest(), []);
    }

    #[test]
    fn one_that_was_not_taken_says_nothing_of_those_before_it() {
        let mut marks = Marks::default();
        for number in 1..=3 {
            marks.handle_waits(origin(1, number));
        }
        // The mailbox was full.
        marks.handle_taken_back(&origin(1, 3));
        assert_eq!(marks.handle_begun(&origin(1, 1)), []);
        assert_eq!(marks.take_rest(), [origin(1, 2)]);
    }
}
