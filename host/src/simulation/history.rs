//! What happened to messages and states, and what must hold of it.
//!
//! - Of one sender's messages to one actor none is handled twice, and none after a later one.
//! - A call that got its reply was handled.
//! - An actor starts with a state that it had. After an orderly stop that left nothing unkept, with its last one; otherwise with one
//!   that is no older than the last that its process was told is written.
//! - An actor that fails at a message goes on from the last state that the writer has taken, or a newer one. That message is lost,
//!   and no other.
//! - A reload takes nothing back: with other code, new or old, an actor goes on from the state that it had. A message at which code on
//!   trial fails is lost only if the trial says so.
//! - Everything in the mailbox of an actor is handled before it ends in order; only what is killed gives up what waits.

use std::collections::BTreeMap;

use crate::supervision::sim::Verdict;

/// One actor that sends: the computer, the number of the process there, and the actor's.
pub(super) type Sender = (usize, u32, usize);

/// A guest: the computer and its name.
pub(super) type Name = (usize, usize);

/// How many of each sender's messages a guest has handled, and the last of them: its state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Notes(pub(super) BTreeMap<Sender, (u32, u32)>);

impl Notes {
    pub(super) fn note(&mut self, from: Sender, number: u32) {
        let (count, last) = self.0.entry(from).or_default();
        *count += 1;
        *last = number;
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for ((computer, life, actor), (count, last)) in &self.0 {
            for number in [*computer as u32, *life, *actor as u32, *count, *last] {
                bytes.extend(number.to_be_bytes());
            }
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let numbers: Vec<u32> = bytes
            .chunks(4)
            .map(|number| u32::from_be_bytes(number.try_into().unwrap()))
            .collect();
        let entries = numbers.chunks(5).map(|entry| {
            let &[computer, life, actor, count, last] = entry else {
                unreachable!("a state has whole entries")
            };
            ((computer as usize, life, actor as usize), (count, last))
        });
        Self(entries.collect())
    }
}

/// How a process came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Killed,
    /// In order, but for the states of these.
    InOrder(Vec<String>),
}

/// What is known of a guest, over all processes.
#[derive(Debug, Default)]
struct Life {
    /// The last number of each sender's that was handled by anyone of this name.
    handled: BTreeMap<Sender, u32>,
    /// Its states, in the order in which it had them.
    states: Vec<Notes>,
    /// The one that it has.
    now: Notes,
    /// The place in `states` of the last one of which the process knows that it is written.
    written: usize,
    /// The place of the last one that the writer has taken, in this process.
    brought: usize,
    /// The place of the one that it went on from last, and those that it had after that one before.
    resumed: usize,
    cut: Vec<Notes>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct History {
    guests: BTreeMap<Name, Life>,
    pub(super) violations: Vec<String>,
    pub(super) handled: u64,
    /// Messages at which guests failed.
    pub(super) lost: u64,
    pub(super) replied: u64,
    pub(super) restored: u64,
    pub(super) stopped: u64,
    pub(super) resumed: u64,
    /// Rollouts that ended, with new code or with the old.
    pub(super) reloaded: u64,
    pub(super) rolled_back: u64,
    /// Messages that old code got again.
    pub(super) given_again: u64,
}

impl History {
    /// A guest has handled a message, and has this state now.
    pub(super) fn handled(&mut self, guest: Name, from: Sender, number: u32, state: &Notes) {
        self.handled += 1;
        let life = self.guests.entry(guest).or_default();
        if let Some(last) = life.handled.insert(from, number)
            && last >= number
        {
            let found = format!("guest {guest:?} handled {number} of {from:?} after {last}");
            self.violations.push(found);
        }
        life.states.push(state.clone());
        life.now = state.clone();
    }

    /// Others have noticed something of a message at which a guest failed: it must not be handled any more.
    pub(super) fn noticed(&mut self, guest: Name, from: Sender, number: u32) {
        self.guests.entry(guest).or_default().handled.insert(from, number);
    }

    /// A call got its reply.
    pub(super) fn replied(&mut self, guest: Name, from: Sender, number: u32) {
        self.replied += 1;
        let last = self.guests.get(&guest).and_then(|life| life.handled.get(&from));
        if last.is_none_or(|last| *last < number) {
            let found = format!("a call of {from:?} to {guest:?} got a reply, but {number} was not handled");
            self.violations.push(found);
        }
    }

    /// The process was told that this state is written.
    pub(super) fn written(&mut self, guest: Name, state: &Notes) {
        let life = self.guests.entry(guest).or_default();
        if let Some(place) = life.states.iter().rposition(|had| had == state) {
            life.written = life.written.max(place);
        }
    }

    /// The writer has taken this state: it is kept, or a newer one is.
    pub(super) fn brought(&mut self, guest: Name, state: &Notes) {
        let life = self.guests.entry(guest).or_default();
        if let Some(place) = life.states.iter().rposition(|had| had == state) {
            life.brought = life.brought.max(place);
        } else if life.cut.contains(state) {
            // It was on its way when its guest went on from an older one, and was taken before all that came of that.
            life.states.insert(life.resumed + 1, state.clone());
            life.brought = life.brought.max(life.resumed + 1);
        }
    }

    /// A guest that failed goes on from this state.
    pub(super) fn resumed(&mut self, guest: Name, state: &Notes) {
        self.resumed += 1;
        let life = self.guests.entry(guest).or_default();
        life.now = state.clone();
        let place = life.states.iter().rposition(|had| had == state);
        if place.is_none_or(|place| place < life.brought) {
            self.violations.push(format!(
                "guest {guest:?} goes on from the {place:?}th state, though the writer has the {}th",
                life.brought
            ));
        }
        let place = place.unwrap_or_default();
        life.cut = life.states.split_off((place + 1).min(life.states.len()));
        (life.resumed, life.written) = (place, life.written.min(place));
    }

    /// A guest goes on with other code, with this state.
    pub(super) fn carried(&mut self, guest: Name, state: &Notes) {
        let now = self.guests.get(&guest).map(|life| &life.now);
        if now.is_some_and(|now| now != state) {
            let found = format!("guest {guest:?} goes on with other code from {state:?}, though it had {now:?}");
            self.violations.push(found);
        }
    }

    /// A rollout has ended.
    pub(super) fn rolled_out(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::RolledBack => self.rolled_back += 1,
            _ => self.reloaded += 1,
        }
    }

    /// A guest has failed for good: what it did since the last state that the writer has taken is lost with it.
    pub(super) fn gave_up(&mut self, guest: Name) {
        let life = self.guests.entry(guest).or_default();
        life.resumed = life.brought;
        life.cut = life.states.split_off((life.brought + 1).min(life.states.len()));
    }

    /// A guest starts with this state, after a process that ended like this.
    pub(super) fn restored(&mut self, guest: Name, state: &Notes, before: Option<&Ended>, name: &str) {
        let life = self.guests.entry(guest).or_default();
        if life.states.is_empty() {
            life.states.push(Notes::default());
        }
        self.restored += 1;
        life.now = state.clone();
        let place = life.states.iter().rposition(|had| had == state);
        let last = life.states.len() - 1;
        let found = match (place, before) {
            (None, _) => Some("which it never had".to_owned()),
            (Some(place), _) if place < life.written => {
                Some(format!("the {place}th, though the {}th was written", life.written))
            }
            (Some(place), Some(Ended::InOrder(unkept)))
                if place < last && !unkept.iter().any(|other| other == name) =>
            {
                Some(format!("the {place}th, though it stopped in order with the {last}th"))
            }
            _ => None,
        };
        if let Some(found) = found {
            self.violations
                .push(format!("guest {guest:?} starts with the state {state:?}, {found}"));
        }
        // It goes on from here.
        let place = place.unwrap_or(last);
        life.states.truncate(place + 1);
        life.written = life.written.min(place);
        (life.brought, life.resumed) = (place, place);
        life.cut.clear();
    }

    pub(super) fn violation(&mut self, found: String) {
        self.violations.push(found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUEST: Name = (0, 0);
    const FROM: Sender = (1, 0, 0);

    fn notes(count: u32, last: u32) -> Notes {
        Notes(BTreeMap::from([(FROM, (count, last))]))
    }

    fn after(two_messages: impl FnOnce(&mut History)) -> Vec<String> {
        let mut history = History::default();
        history.restored(GUEST, &Notes::default(), None, "g");
        history.handled(GUEST, FROM, 1, &notes(1, 1));
        history.written(GUEST, &notes(1, 1));
        history.handled(GUEST, FROM, 3, &notes(2, 3));
        two_messages(&mut history);
        history.violations
    }

    #[test]
    fn each_promise_that_is_broken_is_found() {
        let in_order = Ended::InOrder(Vec::new());
        let one_less = Ended::InOrder(vec!["g".to_owned()]);
        let broken: [fn(&mut History); 4] = [
            |history| {
                history.brought(GUEST, &notes(1, 1));
                history.resumed(GUEST, &Notes::default());
            },
            |history| history.handled(GUEST, FROM, 3, &notes(3, 3)),
            |history| history.handled(GUEST, FROM, 2, &notes(3, 2)),
            |history| history.replied(GUEST, FROM, 4),
        ];
        for broken in broken {
            assert_eq!(after(broken).len(), 1);
        }
        for (state, ended, violations) in [
            (notes(2, 3), &in_order, 0),
            (notes(1, 1), &in_order, 1),
            (notes(1, 1), &one_less, 0),
            (notes(1, 1), &Ended::Killed, 0),
            (Notes::default(), &Ended::Killed, 1),
            (Notes::default(), &one_less, 1),
            (notes(7, 7), &Ended::Killed, 1),
        ] {
            let found = after(|history| history.restored(GUEST, &state, Some(ended), "g"));
            assert_eq!(found.len(), violations, "{state:?} after {ended:?}: {found:?}");
        }
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let mut state = Notes::default();
        state.note((3, 7, 1), 9);
        state.note((3, 7, 1), 11);
        state.note((0, 1, 0), 2);
        assert_eq!(Notes::from_bytes(&state.to_bytes()), state);
    }
}
