//! The order in which guests get turns: without threads, and without a clock.
//!
//! Families share alike, whatever their number of guests. Each has an account of the time that its guests had, and the next turn
//! goes to the family whose account is lowest; within a family, to the guest that has waited the longest. A family that was away
//! has no claim to all the time that it did not use, but it comes before those that never rest.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

static NEXT_ACCOUNT: AtomicU64 = AtomicU64::new(0);

/// What the guests of one family have had, in nanoseconds of a time that only moves on while guests run.
#[derive(Debug)]
pub(crate) struct Account {
    id: u64,
    /// Changed under the lock of the queue only.
    used: AtomicU64,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            id: NEXT_ACCOUNT.fetch_add(1, Ordering::Relaxed),
            used: AtomicU64::new(0),
        }
    }
}

impl Account {
    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// What became of a wish for a turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entered {
    /// The turn begins now.
    Given,
    /// The turn comes later, to the guest that waits under this number.
    Waits {
        number: u64,
        /// Its family has had so much less than those that run that one of them should give way now.
        overdue: bool,
    },
}

/// A turn that was given to a guest that waited for it.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) waker: Waker,
    /// Turns that were given while it waited.
    pub(super) waited: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct TurnQueue {
    places: usize,
    running: usize,
    /// The longest turn, in nanoseconds. It is charged when a turn begins, and put right when it ends.
    tick: u64,
    /// Where the account of the family that got the last turn was.
    now: u64,
    next_number: u64,
    given: u64,
    /// Families of which somebody waits.
    families: HashMap<u64, Line>,
    /// The same families: what each has used, when it came in line, and its account.
    order: BTreeSet<(u64, u64, u64)>,
    /// Everybody who waits; and, without a waker, everybody who has a turn and doesn't know it yet.
    waiting: HashMap<u64, Option<Waker>>,
}

/// The guests of one family that wait.
#[derive(Debug)]
struct Line {
    account: Arc<Account>,
    since: u64,
    /// Each with how many turns had been given when it came. Those that have gone since are still here.
    guests: VecDeque<(u64, u64)>,
}

impl Line {
    fn key(&self) -> (u64, u64, u64) {
        (self.account.used(), self.since, self.account.id)
    }
}

impl TurnQueue {
    /// A queue of guests of which this many may run at once, each for no longer than `tick`, in nanoseconds.
    pub(super) fn new(places: usize, tick: u64) -> Self {
        Self {
            places: places.max(1),
            running: 0,
            tick,
            now: 0,
            next_number: 0,
            given: 0,
            families: HashMap::new(),
            order: BTreeSet::new(),
            waiting: HashMap::new(),
        }
    }

    /// How many turns have been given.
    pub(super) fn given(&self) -> u64 {
        self.given
    }

    /// True if nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// A guest of this family wants a turn.
    pub(super) fn enter(&mut self, family: &Arc<Account>, waker: &Waker) -> Entered {
        // A family that rested has at most one tick ahead of the others: what it saved up beyond that would let it
        // shut them out.
        let least = self.now.saturating_sub(self.tick);
        self.set_used(family, family.used().max(least));
        if self.running < self.places {
            self.begin(family);
            return Entered::Given;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.waiting.insert(number, Some(waker.clone()));
        let line = self.families.entry(family.id).or_insert_with(|| Line {
            account: family.clone(),
            since: number,
            guests: VecDeque::new(),
        });
        // The account was set before, so the line that is entered has the key by which it is found again.
        line.guests.push_back((number, self.given));
        // If the family waits already, the key is the one that it has, and this changes nothing.
        self.order.insert(line.key());
        let overdue = family.used() + self.tick / 2 <= self.now;
        Entered::Waits { number, overdue }
    }

    /// True if the guest that waits under this number has its turn now. If not, this is how to wake it.
    pub(super) fn is_given(&mut self, number: u64, waker: &Waker) -> bool {
        if let Some(Some(known)) = self.waiting.get_mut(&number) {
            // A task may have moved to another waker since it was last polled, and the old one would wake nobody.
            known.clone_from(waker);
            return false;
        }
        self.waiting.remove(&number);
        true
    }

    /// The guest that waits under this number wants no turn any more. True if it had one already, which is to be ended.
    pub(super) fn leave(&mut self, number: u64) -> bool {
        // Its number stays in the family's line, where `next` passes over it.
        matches!(self.waiting.remove(&number), Some(None))
    }

    /// A turn of this family is over, after this many nanoseconds.
    pub(super) fn end(&mut self, family: &Account, took: u64) {
        self.running = self.running.saturating_sub(1);
        let used = family.used().saturating_sub(self.tick).saturating_add(took);
        self.set_used(family, used);
    }

    /// Gives the next turn, if there is a place for it and somebody waits.
    pub(super) fn next(&mut self) -> Option<Grant> {
        while self.running < self.places {
            let (_, _, family) = self.order.pop_first()?;
            let mut line = self.families.remove(&family)?;
            // Numbers that are no longer in `waiting` have left the line. Taking the waker is what gives the turn.
            let next = std::iter::from_fn(|| line.guests.pop_front())
                .find_map(|(number, since)| Some((self.waiting.get_mut(&number)?.take()?, since)));
            let Some((waker, since)) = next else { continue };
            let account = line.account.clone();
            // Put back before the turn begins, which charges the account and moves the line to its new place.
            if !line.guests.is_empty() {
                self.order.insert(line.key());
                self.families.insert(family, line);
            }
            let waited = self.given - since;
            self.begin(&account);
            return Some(Grant { waker, waited });
        }
        None
    }

    fn begin(&mut self, family: &Account) {
        self.running += 1;
        self.given += 1;
        // Time never goes back, also if the family that runs next is one that was away.
        self.now = self.now.max(family.used());
        self.set_used(family, family.used().saturating_add(self.tick));
    }

    /// Changes an account, and with it the place of the family among those that wait.
    fn set_used(&mut self, family: &Account, used: u64) {
        let line = self.families.get(&family.id);
        // Taken out under the old key, which can't be found any more once the account has changed.
        let waits = line.is_some_and(|line| self.order.remove(&line.key()));
        family.used.store(used, Ordering::Relaxed);
        if let Some(line) = line.filter(|_| waits) {
            self.order.insert(line.key());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: u64 = 1000;

    /// Families that want turns, and a record of who had them.
    struct World {
        queue: TurnQueue,
        families: Vec<Arc<Account>>,
        waiting: HashMap<u64, usize>,
    }

    impl World {
        fn new(places: usize, families: usize) -> Self {
            Self {
                queue: TurnQueue::new(places, TICK),
                families: (0..families).map(|_| Arc::default()).collect(),
                waiting: HashMap::new(),
            }
        }

        fn enter(&mut self, family: usize) -> Entered {
            let entered = self.queue.enter(&self.families[family], Waker::noop());
            if let Entered::Waits { number, .. } = entered {
                self.waiting.insert(number, family);
            }
            entered
        }

        fn end(&mut self, family: usize, took: u64) {
            self.queue.end(&self.families[family], took);
        }

        /// Who has the next turn, and how many it waited for.
        fn next(&mut self) -> Option<(usize, u64)> {
            let grant = self.queue.next()?;
            let queue = &mut self.queue;
            let given = self.waiting.iter().find(|(number, _)| queue.waiting[number].is_none());
            let (number, family) = given.map(|(number, family)| (*number, *family)).unwrap();
            self.waiting.remove(&number);
            assert!(queue.is_given(number, Waker::noop()));
            Some((family, grant.waited))
        }

        /// This many full turns of families that never rest; `running` has the first.
        fn spin(&mut self, mut running: usize, turns: usize) -> Vec<usize> {
            let mut had = Vec::new();
            for _ in 0..turns {
                had.push(running);
                self.end(running, TICK);
                let next = match self.next() {
                    Some((next, _)) => {
                        assert!(matches!(self.enter(running), Entered::Waits { overdue: false, .. }));
                        next
                    }
                    None => {
                        assert_eq!(self.enter(running), Entered::Given);
                        running
                    }
                };
                running = next;
            }
            had.push(running);
            had
        }
    }

    #[test]
    fn families_share_alike_whatever_their_number_of_guests() {
        let mut world = World::new(1, 2);
        assert_eq!(world.enter(0), Entered::Given);
        for _ in 0..50 {
            world.enter(0);
        }
        world.enter(1);
        let had = world.spin(0, 100);
        let of_one = had.iter().filter(|family| **family == 1).count();
        assert!((48..=52).contains(&of_one), "{of_one}: {had:?}");
    }

    #[test]
    fn who_seldom_runs_is_before_all_that_never_rest() {
        let mut world = World::new(1, 301);
        assert_eq!(world.enter(0), Entered::Given);
        for family in 1..300 {
            world.enter(family);
        }
        let had = world.spin(0, 1000);
        let mut running = *had.last().unwrap();
        for _ in 0..20 {
            assert!(matches!(world.enter(300), Entered::Waits { overdue: true, .. }));
            world.end(running, TICK / 10);
            let (next, waited) = world.next().unwrap();
            assert_eq!((next, waited), (300, 0), "it waits for the turn that runs and no other");
            world.enter(running);
            world.end(300, TICK / 100);
            running = world.next().unwrap().0;
        }
    }

    #[test]
    fn who_pretends_to_rest_gets_no_more_than_others() {
        let mut world = World::new(1, 2);
        let mut had = [0_u32; 2];
        // The second goes away after each turn, and is back before the next one ends.
        assert_eq!(world.enter(0), Entered::Given);
        let mut running = 0;
        for _ in 0..1000 {
            let other = 1 - running;
            if !world.waiting.values().any(|family| *family == other) {
                world.enter(other);
            }
            had[running] += 1;
            world.end(running, TICK);
            running = world.next().unwrap().0;
        }
        assert!(had[0].abs_diff(had[1]) <= 2, "{had:?}");
    }

    #[test]
    fn as_many_run_as_there_are_places_and_who_goes_gives_his_back() {
        let mut world = World::new(2, 5);
        assert_eq!((world.enter(0), world.enter(1)), (Entered::Given, Entered::Given));
        for family in 2..5 {
            assert!(matches!(world.enter(family), Entered::Waits { .. }));
        }
        assert!(world.next().is_none());
        let number_of = |world: &World, of: usize| *world.waiting.iter().find(|(_, family)| **family == of).unwrap().0;
        let second = number_of(&world, 2);
        assert!(!world.queue.leave(second), "it had no turn");
        world.waiting.remove(&second);
        world.end(0, TICK);
        assert_eq!(world.next().map(|(family, _)| family), Some(3));
        world.end(1, TICK);
        // The one that goes before it knows that it has a turn.
        let fourth = number_of(&world, 4);
        assert!(world.queue.next().is_some());
        assert!(world.queue.leave(fourth));
        world.end(4, 0);
        assert_eq!(world.queue.running, 1);
        assert!(world.queue.is_empty() && world.queue.waiting.is_empty());
    }
}
