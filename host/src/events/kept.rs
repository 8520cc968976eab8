//! The events that are kept, and which of them go when there are too many.

use std::collections::{HashMap, VecDeque};

use super::event::{EventPage, NodeEvent, Subject, TimedEvent};

/// The most events that are kept.
const MOST_EVENTS: usize = 2048;

/// The number of events that go at once, since it takes a look at all of them.
const LET_GO: usize = 256;

/// The most events that are given at once.
const MOST_AT_ONCE: usize = 512;

/// See the module. Their numbers grow, and those of events that are gone are missing.
#[derive(Debug, Default)]
pub(super) struct Kept {
    events: VecDeque<TimedEvent>,
    /// The number of the event to come.
    next: u64,
}

impl Kept {
    /// Gives the number of the event to come.
    pub(super) fn push(&mut self, at_ms: u64, event: NodeEvent) -> u64 {
        let number = self.next;
        self.events.push_back(TimedEvent { number, at_ms, event });
        if self.events.len() > MOST_EVENTS {
            self.make_room();
        }
        self.next += 1;
        self.next
    }

    /// Lets events go: the oldest of those subjects that have the most of them, down to where they have as many as others.
    fn make_room(&mut self) {
        let mut counts: HashMap<Subject<'_>, usize> = HashMap::new();
        for told in &self.events {
            *counts.entry(told.event.subject()).or_default() += 1;
        }
        let beyond = |share: usize| counts.values().map(|count| count.saturating_sub(share)).sum::<usize>();
        let (mut too_few, mut enough) = (0, MOST_EVENTS + 1);
        // The largest share for which enough events are beyond it.
        while too_few + 1 < enough {
            let share = usize::midpoint(too_few, enough);
            if beyond(share) >= LET_GO {
                too_few = share;
            } else {
                enough = share;
            }
        }
        for count in counts.values_mut() {
            *count = count.saturating_sub(too_few);
        }
        let mut left = LET_GO;
        let goes: Vec<bool> = self
            .events
            .iter()
            .map(|told| match counts.get_mut(&told.event.subject()) {
                Some(more) if *more > 0 && left > 0 => {
                    (*more, left) = (*more - 1, left - 1);
                    true
                }
                _ => false,
            })
            .collect();
        let mut goes = goes.into_iter();
        self.events.retain(|_| !goes.next().unwrap_or(false));
    }

    /// Events from this number on, or else the last ones.
    pub(super) fn page(&self, next: Option<u64>, last: usize) -> EventPage {
        let wanted = match next {
            // A number of the life before leads to the end: the reader begins anew.
            Some(next) => next.min(self.next),
            None => {
                let shown = last.min(self.events.len()).min(MOST_AT_ONCE);
                let first = self.events.get(self.events.len() - shown);
                first.map_or(self.next, |told| told.number)
            }
        };
        let skipped = self.events.partition_point(|told| told.number < wanted);
        let events: Vec<_> = self.events.iter().skip(skipped).take(MOST_AT_ONCE).cloned().collect();
        let next = events.last().map_or(self.next, |event| event.number + 1);
        EventPage {
            next,
            lost: (next - wanted).saturating_sub(events.len() as u64),
            events,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(node: &str) -> NodeEvent {
        NodeEvent::SessionUp { node: node.to_owned() }
    }

    fn fails(actor: &str) -> NodeEvent {
        NodeEvent::ActorFailed {
            actor: actor.to_owned(),
            pid: 1,
            reason: "boom".to_owned(),
        }
    }

    fn numbers(page: &EventPage) -> Vec<u64> {
        page.events.iter().map(|event| event.number).collect()
    }

    #[test]
    fn a_slow_reader_is_told_how_many_events_it_has_lost() {
        let mut kept = Kept::default();
        let all = MOST_EVENTS as u64 + 10;
        for at_ms in 0..all {
            kept.push(at_ms, NodeEvent::NodeLeaves);
        }
        let page = kept.page(Some(3), 0);
        assert_eq!((page.lost, page.events.len()), (LET_GO as u64 - 3, MOST_AT_ONCE));
        assert_eq!(page.events[0].number, LET_GO as u64);
        let following = kept.page(Some(page.next), 0);
        assert_eq!((following.events[0].number, following.lost), (page.next, 0));
        assert_eq!(numbers(&kept.page(None, 2)), [all - 2, all - 1]);
        let ahead = kept.page(Some(1 << 40), 0);
        assert_eq!((ahead.next, ahead.lost, ahead.events.len()), (all, 0, 0));
        let none = kept.page(None, 0);
        assert_eq!((none.next, none.lost, none.events.len()), (all, 0, 0));
    }

    #[test]
    fn who_is_in_the_news_again_and_again_pushes_nobody_else_out() {
        let mut kept = Kept::default();
        kept.push(0, NodeEvent::NodeUp { actors: 3 });
        for _ in 0..5 {
            kept.push(0, up("beta@localhost"));
            kept.push(0, fails("shop"));
        }
        for _ in 0..50_000 {
            kept.push(0, up("flaps@localhost"));
            kept.push(0, fails("flaps@localhost"));
        }
        assert!((MOST_EVENTS - LET_GO..=MOST_EVENTS).contains(&kept.events.len()));
        let page = kept.page(Some(0), 0);
        assert_eq!(page.events[0].event, NodeEvent::NodeUp { actors: 3 });
        let of = |event: &NodeEvent| kept.events.iter().filter(|told| told.event == *event).count();
        assert_eq!((of(&up("beta@localhost")), of(&fails("shop"))), (5, 5));
        // The two that had the most share what is left, and the newest of each is there.
        let (ups, failures) = (of(&up("flaps@localhost")), of(&fails("flaps@localhost")));
        assert!(ups.abs_diff(failures) <= LET_GO, "{ups} {failures}");
        assert_eq!(numbers(&kept.page(None, 2)), [kept.next - 2, kept.next - 1]);
        // What is missing within a page is counted.
        let lost = page.next - page.events.len() as u64;
        assert_eq!(page.lost, lost);
        assert!(lost > 90_000, "{lost}");
    }

    #[test]
    fn where_everybody_has_one_event_the_oldest_go() {
        let mut kept = Kept::default();
        for number in 0..=MOST_EVENTS {
            kept.push(0, up(&number.to_string()));
        }
        assert_eq!(kept.page(Some(0), 0).events[0].number, LET_GO as u64);
    }
}
