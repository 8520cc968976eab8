//! Locks of rows: shared or exclusive, in the order in which they were asked for.

use std::collections::{BTreeMap, VecDeque};

use super::rows::Key;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Shared,
    Exclusive,
}

#[derive(Debug, Default)]
struct Lock {
    holders: Vec<(u64, Mode)>,
    queue: VecDeque<(u64, Mode)>,
}

impl Lock {
    fn admits(&self, mode: Mode) -> bool {
        self.holders.is_empty() || (mode == Mode::Shared && self.holders.iter().all(|(_, held)| *held == Mode::Shared))
    }
}

#[derive(Debug, Default)]
pub(super) struct Locks {
    locks: BTreeMap<Key, Lock>,
}

impl Locks {
    /// Takes a lock, or a place in its queue.
    pub(super) fn ask(&mut self, key: Key, mode: Mode, transaction: u64, waits: bool) -> bool {
        let lock = self.locks.entry(key).or_default();
        if lock.queue.is_empty() && lock.admits(mode) {
            lock.holders.push((transaction, mode));
            return true;
        }
        if waits {
            lock.queue.push_back((transaction, mode));
        }
        false
    }

    /// Gives back all that a transaction holds and waits for. Returns those who got a lock by that.
    pub(super) fn release(&mut self, transaction: u64, keys: impl IntoIterator<Item = Key>) -> Vec<u64> {
        let mut woken = Vec::new();
        for key in keys {
            let Some(lock) = self.locks.get_mut(&key) else {
                continue;
            };
            lock.holders.retain(|(holder, _)| *holder != transaction);
            lock.queue.retain(|(waiter, _)| *waiter != transaction);
            while let Some((waiter, mode)) = lock.queue.front().copied().filter(|(_, mode)| lock.admits(*mode)) {
                lock.queue.pop_front();
                lock.holders.push((waiter, mode));
                woken.push(waiter);
            }
            if lock.holders.is_empty() {
                self.locks.remove(&key);
            }
        }
        woken
    }
}
