//! What becomes of the children of guests, as the history of the node is told it: within limits, so that a guest which spawns in a loop
//! pushes nobody else's events out of it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::events::{EventHistory, NodeEvent};
use crate::guest::{ChildChange, ChildEvent, ChildObserver};

/// The events that a family can have at once, and the time after which it can have another one.
const OF_FAMILY: Rate = Rate {
    most: 20,
    each: Duration::from_secs(30),
};

/// The same of all families together: an eighth of the history at once, and then less than it keeps in a day.
const OF_ALL: Rate = Rate {
    most: 256,
    each: Duration::from_secs(60),
};

/// The interval at which it is told how many events were left out.
const SUMMARY: Duration = Duration::from_secs(60);

/// The most families that a summary names.
const NAMED: usize = 8;

/// The most families whose events are counted apart. Those of further ones are left out.
const MOST_FAMILIES: usize = 4096;

/// How many events there may be.
#[derive(Clone, Copy, Debug)]
struct Rate {
    most: u32,
    each: Duration,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct ToldChildren(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    history: EventHistory,
    events: Mutex<ChildEvents>,
}

/// What was told and what was left out: a machine that is given the time.
#[derive(Debug)]
struct ChildEvents {
    families: HashMap<Box<str>, FamilyEvents>,
    all: Bucket,
    /// Whether a summary is to come.
    is_due: bool,
}

#[derive(Debug)]
struct FamilyEvents {
    bucket: Bucket,
    left_out: u64,
}

/// What is left of a rate.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    rate: Rate,
    left: u32,
    /// When it was filled last.
    filled: Instant,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Told,
    LeftOut,
    /// And it is the first one since the last summary.
    FirstLeftOut,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        Self {
            rate,
            left: rate.most,
            filled: now,
        }
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled).as_nanos() / self.rate.each.as_nanos().max(1);
        let new = u32::try_from(passed).unwrap_or(u32::MAX);
        if new >= self.rate.most - self.left {
            (self.left, self.filled) = (self.rate.most, now);
        } else {
            self.left += new;
            // The rest of an interval counts for the next one.
            self.filled += self.rate.each * new;
        }
    }

    fn is_full(&self) -> bool {
        self.left == self.rate.most
    }
}

impl ChildEvents {
    fn new(now: Instant) -> Self {
        Self {
            families: HashMap::new(),
            all: Bucket::new(OF_ALL, now),
            is_due: false,
        }
    }

    fn handle_event(&mut self, family: &str, now: Instant) -> Verdict {
        let name = if self.families.len() < MOST_FAMILIES || self.families.contains_key(family) {
            family
        } else {
            "others"
        };
        self.all.fill(now);
        let family = self.families.entry(name.into()).or_insert_with(|| FamilyEvents {
            bucket: Bucket::new(OF_FAMILY, now),
            left_out: 0,
        });
        family.bucket.fill(now);
        if family.bucket.left > 0 && self.all.left > 0 {
            family.bucket.left -= 1;
            self.all.left -= 1;
            return Verdict::Told;
        }
        family.left_out += 1;
        if std::mem::replace(&mut self.is_due, true) {
            Verdict::LeftOut
        } else {
            Verdict::FirstLeftOut
        }
    }

    /// What was left out since the last summary.
    fn summary(&mut self, now: Instant) -> NodeEvent {
        self.is_due = false;
        let mut left_out: Vec<(u64, String)> = Vec::new();
        self.families.retain(|name, family| {
            let events = std::mem::take(&mut family.left_out);
            if events > 0 {
                left_out.push((events, name.to_string()));
            }
            family.bucket.fill(now);
            // One that has been quiet for long is as one that was never heard of.
            !family.bucket.is_full()
        });
        left_out.sort_by_key(|(events, name)| (Reverse(*events), name.clone()));
        NodeEvent::ChildEventsLeftOut {
            events: left_out.iter().map(|(events, _)| events).sum(),
            families: left_out.into_iter().map(|(_, name)| name).take(NAMED).collect(),
        }
    }
}

impl ToldChildren {
    pub(super) fn new(history: EventHistory) -> Self {
        Self(Arc::new(Shared {
            history,
            events: Mutex::new(ChildEvents::new(Instant::now())),
        }))
    }

    /// Says in a while how many events were left out.
    fn summarize_soon(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let shared = self.0.clone();
        runtime.spawn(async move {
            tokio::time::sleep(SUMMARY).await;
            let summary = shared.events.lock().summary(Instant::now());
            shared.history.tell(summary);
        });
    }
}

impl ChildObserver for ToldChildren {
    fn happened(&self, event: &ChildEvent<'_>) {
        let verdict = self.0.events.lock().handle_event(event.family, Instant::now());
        match verdict {
            Verdict::Told => self.0.history.tell(in_words(event)),
            Verdict::FirstLeftOut => self.summarize_soon(),
            Verdict::LeftOut => {}
        }
    }
}

fn in_words(
    &ChildEvent {
        family,
        name,
        pid,
        change,
    }: &ChildEvent<'_>,
) -> NodeEvent {
    let actor = name.map_or_else(|| format!("{family}/pid:{pid}"), str::to_owned);
    match change {
        ChildChange::Started => NodeEvent::ActorStarted { actor, pid },
        ChildChange::Ended(reason) => NodeEvent::ActorEnded {
            actor,
            pid,
            reason: reason.to_owned(),
        },
        ChildChange::Failed(reason) => NodeEvent::ActorFailed {
            actor,
            pid,
            reason: reason.to_owned(),
        },
        ChildChange::Restarted(reason) => NodeEvent::ActorRestarted {
            actor,
            pid,
            reason: reason.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(events: &mut ChildEvents, family: &str, times: u32, now: Instant) -> u32 {
        let verdicts = (0..times).map(|_| events.handle_event(family, now));
        u32::try_from(verdicts.filter(|verdict| *verdict == Verdict::Told).count()).unwrap()
    }

    #[test]
    fn a_family_that_spawns_in_a_loop_has_its_share_and_takes_nobody_elses() {
        let begun = Instant::now();
        let mut events = ChildEvents::new(begun);
        assert_eq!(told(&mut events, "loop", 10_000, begun), OF_FAMILY.most);
        assert_eq!(told(&mut events, "shop", 3, begun), 3);
        let later = begun + OF_FAMILY.each * 2;
        assert_eq!(told(&mut events, "loop", 10_000, later), 2);
        assert_eq!(
            events.summary(later),
            NodeEvent::ChildEventsLeftOut {
                events: 20_000 - 2 - u64::from(OF_FAMILY.most),
                families: vec!["loop".to_owned()],
            }
        );
    }

    #[test]
    fn all_families_together_have_their_share_too() {
        let begun = Instant::now();
        let mut events = ChildEvents::new(begun);
        let all: u32 = (0..5_000)
            .map(|family| told(&mut events, &family.to_string(), 1, begun))
            .sum();
        assert_eq!(all, OF_ALL.most);
        assert!(events.families.len() <= MOST_FAMILIES + 1);
        let NodeEvent::ChildEventsLeftOut {
            events: left_out,
            families,
        } = events.summary(begun)
        else {
            unreachable!()
        };
        assert_eq!(left_out, 5_000 - u64::from(OF_ALL.most));
        assert_eq!((families.len(), families[0].as_str()), (NAMED, "others"));
        let much_later = begun + Duration::from_secs(24 * 60 * 60);
        events.summary(much_later);
        assert!(
            events.families.is_empty(),
            "nothing is kept of those that were quiet for long"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_left_out_is_told_once_in_a_while() {
        let history = EventHistory::default();
        let children = ToldChildren::new(history.clone());
        for pid in 0..100 {
            children.happened(&ChildEvent {
                family: "shop",
                name: None,
                pid,
                change: ChildChange::Started,
            });
        }
        tokio::time::sleep(SUMMARY * 3).await;
        let query = crate::events::EventQuery {
            next: Some(0),
            last: 0,
            wait_ms: 0,
        };
        let page = history.read(query).await;
        let last = page.events.last().unwrap().event.to_string();
        assert_eq!(last, "80 more events of children were left out, most of them of shop");
        assert_eq!(page.events.len(), 21);
        assert_eq!(page.events[0].event.to_string(), "shop/pid:0 (pid 0) started");
    }
}
