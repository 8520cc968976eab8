//! What must hold of every history: order, at most once, and nothing lost without a reason that somebody was told.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Burst, Effect, Entry, Outcome, Receiver, Step};

/// A rule that a history breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// Messages of one sender are received in the order in which it sent them, and once.
    InOrderAndOnce,
    /// What was received was sent, and its sender wasn't told otherwise.
    OnlyWhatWasSent,
    /// What was received stays received.
    Stays,
    /// What comes back after a crash is a state that there was.
    AStateThatThereWas,
    /// What was acknowledged was received.
    Acknowledged,
    /// Where nothing went wrong, nothing is lost and nothing refused.
    NothingLost,
}

/// Where a rule is broken: in which step, and by which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    pub(crate) step: usize,
    pub(crate) receiver: Receiver,
    pub(crate) entry: Entry,
}

/// Everything that is wrong with a history.
pub(crate) fn check(steps: &[Step]) -> Vec<Violation> {
    let mut violations = BTreeSet::new();
    for receiver in [Receiver::Ledger, Receiver::Recorder] {
        let mut known = Known::default();
        for (at, step) in steps.iter().enumerate() {
            let mut found = Vec::new();
            known.step(step, receiver, &mut found);
            violations.extend(found.into_iter().map(|(rule, entry)| Violation {
                rule,
                step: at,
                receiver,
                entry,
            }));
        }
    }
    violations.into_iter().collect()
}

type Found = Vec<(Rule, Entry)>;

/// What is known of a receiver before a step.
#[derive(Default)]
struct Known {
    /// Everything that it was sent, with what became of it.
    sent: BTreeMap<Entry, Outcome>,
    /// What it had.
    had: Vec<Entry>,
}

impl Known {
    fn step(&mut self, step: &Step, receiver: Receiver, found: &mut Found) {
        let effect = step.disturbance.effect_on(receiver);
        let mut new = BTreeMap::new();
        for burst in step.bursts.iter().filter(|burst| burst.receiver == receiver) {
            new.extend(messages(burst));
        }
        self.sent.extend(&new);
        for (of, entries) in &step.reads {
            if *of == receiver {
                self.read(entries, effect, &new, found);
            }
        }
    }

    fn read(&mut self, has: &[Entry], effect: Effect, new: &BTreeMap<Entry, Outcome>, found: &mut Found) {
        in_order(has, found);
        for entry in has {
            if matches!(self.sent.get(entry), None | Some(Outcome::Refused)) {
                found.push((Rule::OnlyWhatWasSent, *entry));
            }
        }
        let same = self.had.iter().zip(has).take_while(|(had, has)| had == has).count();
        if effect == Effect::Rollback {
            // Behind the point that it went back to there is only what is new.
            let old = has.iter().skip(same).filter(|entry| !new.contains_key(entry));
            found.extend(old.map(|entry| (Rule::AStateThatThereWas, *entry)));
        } else {
            found.extend(self.had.iter().skip(same).map(|entry| (Rule::Stays, *entry)));
        }
        let received: BTreeSet<&Entry> = has.iter().collect();
        for (entry, outcome) in new {
            let is_missing = !received.contains(entry);
            match (outcome, effect) {
                (Outcome::Relayed, _) | (_, Effect::Rollback) => {}
                (Outcome::Acknowledged, _) if is_missing => found.push((Rule::Acknowledged, *entry)),
                (Outcome::Sent, Effect::None) if is_missing => found.push((Rule::NothingLost, *entry)),
                (Outcome::Refused | Outcome::Unanswered, Effect::None) => found.push((Rule::NothingLost, *entry)),
                _ => {}
            }
        }
        self.had = has.to_vec();
    }
}

fn messages(burst: &Burst) -> impl Iterator<Item = (Entry, Outcome)> + '_ {
    burst
        .messages()
        .map(|(number, outcome)| ((burst.sender, number), outcome))
}

fn in_order(entries: &[Entry], found: &mut Found) {
    let mut last: BTreeMap<u8, u64> = BTreeMap::new();
    for (sender, number) in entries {
        if last.insert(*sender, *number).is_some_and(|last| last >= *number) {
            found.push((Rule::InOrderAndOnce, (*sender, *number)));
        }
    }
}
