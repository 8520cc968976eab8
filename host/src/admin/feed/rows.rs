//! Rows of one kind, such as links, as far as readers know them: those that change are told in turn, within a room of their own.

use std::collections::BTreeMap;

use serde::Serialize;

/// The most bytes of rows of one kind in one update. One row that is larger than that has room, too.
const ROWS_ROOM: usize = 2 << 10;

/// The bytes that a row takes besides itself.
const SPAN: usize = 24;

/// A row of figures.
pub(super) trait Row: Clone + PartialEq + Serialize {
    /// What tells it from others of its kind.
    type Key: Clone + Ord;

    fn key(&self) -> Self::Key;

    /// False if it was asked for and has not been said: what readers know holds until then.
    fn is_said(&self) -> bool {
        true
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Rows<R: Row> {
    known: BTreeMap<R::Key, Known<R>>,
    /// The one that the next update begins with, if it had no room in the last one.
    turn: Option<R::Key>,
}

#[derive(Debug)]
struct Known<R> {
    row: R,
    /// When it was last found to be as readers know it, in milliseconds of the node's life.
    looked_ms: u64,
}

/// A row as it is told.
#[derive(Debug, Serialize)]
pub(super) struct ToldRow<R> {
    #[serde(flatten)]
    row: R,
    /// The time in which it came to differ from what readers know.
    over_ms: u64,
}

/// What is new of one kind.
#[derive(Debug)]
pub(super) struct NewRows<R: Row> {
    pub(super) rows: Vec<ToldRow<R>>,
    pub(super) gone: Vec<R::Key>,
    /// How many have changed and had no room.
    pub(super) waiting: usize,
}

impl<R: Row> Default for Rows<R> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            turn: None,
        }
    }
}

impl<R: Row> Rows<R> {
    /// All of these, at once.
    pub(super) fn of(rows: Vec<R>, looked_ms: u64) -> Self {
        let known = rows.into_iter().map(|row| (row.key(), Known { row, looked_ms }));
        Self {
            known: known.collect(),
            turn: None,
        }
    }

    /// What readers know by now.
    pub(super) fn all(&self) -> Vec<&R> {
        self.known.values().map(|known| &known.row).collect()
    }

    /// Takes over as much of what is at this time as has room, and gives that.
    pub(super) fn take(&mut self, now: Vec<R>, at_ms: u64) -> NewRows<R> {
        let now: BTreeMap<R::Key, R> = now.into_iter().map(|row| (row.key(), row)).collect();
        let gone: Vec<R::Key> = self
            .known
            .keys()
            .filter(|key| !now.contains_key(key))
            .cloned()
            .collect();
        for key in &gone {
            self.known.remove(key);
        }
        let mut new = NewRows {
            rows: Vec::new(),
            gone,
            waiting: 0,
        };
        let turn = self.turn.take();
        let is_behind = |key: &R::Key| turn.as_ref().is_some_and(|turn| key < turn);
        let (later, first): (Vec<_>, Vec<_>) = now.into_iter().partition(|(key, _)| is_behind(key));
        let mut room = ROWS_ROOM;
        for (key, row) in first.into_iter().chain(later) {
            if let Some(known) = self.known.get_mut(&key) {
                if !row.is_said() {
                    continue;
                }
                if known.row == row {
                    known.looked_ms = at_ms;
                    continue;
                }
            }
            let cost = json_bytes(&row) + SPAN;
            if cost > room && !new.rows.is_empty() {
                self.turn.get_or_insert(key);
                new.waiting += 1;
                // Those behind it wait as well, so that nobody is passed over for ever.
                room = 0;
                continue;
            }
            room = room.saturating_sub(cost);
            let known = Known {
                row: row.clone(),
                looked_ms: at_ms,
            };
            let before = self.known.insert(key, known);
            let over_ms = before.map_or(0, |before| at_ms.saturating_sub(before.looked_ms));
            new.rows.push(ToldRow { row, over_ms });
        }
        new
    }
}

/// The bytes that something takes as JSON.
pub(super) fn json_bytes(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize)]
    struct Link {
        session: u64,
        name: String,
        messages: Option<u64>,
    }

    impl Row for Link {
        type Key = u64;

        fn key(&self) -> u64 {
            self.session
        }

        fn is_said(&self) -> bool {
            self.messages.is_some()
        }
    }

    fn links(count: u64, messages: u64) -> Vec<Link> {
        let link = |session| Link {
            session,
            name: format!("{session:0>300}"),
            messages: Some(messages),
        };
        (0..count).map(link).collect()
    }

    #[test]
    fn busy_links_are_told_in_turn_and_none_waits_for_ever() {
        let mut rows = Rows::of(links(100, 0), 0);
        let mut told = BTreeSet::new();
        // Five of them have room each time.
        for round in 1..=20 {
            let new = rows.take(links(100, round), round * 1000);
            let bytes: usize = new.rows.iter().map(json_bytes).sum();
            assert!(bytes <= ROWS_ROOM, "{bytes} bytes");
            assert_eq!(new.rows.len() + new.waiting, 100);
            for row in &new.rows {
                // All that has waited is told with the time for which it did.
                assert_eq!(row.over_ms, round * 1000);
                assert!(told.insert(row.row.session), "{} twice", row.row.session);
            }
        }
        assert_eq!(told.len(), 100);
    }

    #[test]
    fn a_link_that_was_idle_is_told_with_the_time_since_it_was_seen_to_be() {
        let mut rows = Rows::of(links(1, 0), 0);
        assert!(rows.take(links(1, 0), 9_000).rows.is_empty());
        assert_eq!(rows.take(links(1, 5), 10_000).rows[0].over_ms, 1_000);
    }

    #[test]
    fn a_link_that_does_not_answer_is_as_it_was_known_and_one_that_is_over_is_gone() {
        let mut rows = Rows::of(links(2, 7), 0);
        let mut now = links(1, 8);
        now[0].messages = None;
        let new = rows.take(now, 1_000);
        assert!(new.rows.is_empty(), "{new:?}");
        assert_eq!(new.gone, [1]);
        assert_eq!(rows.all()[0].messages, Some(7));
        assert_eq!(rows.take(links(1, 9), 3_000).rows[0].over_ms, 3_000);
    }
}
