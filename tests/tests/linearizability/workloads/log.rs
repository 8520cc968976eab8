//! Logs to which senders append numbered messages, each by one node: casts, and calls among them. Others read the logs meanwhile.
//!
//! A sender whose message was not taken, or which doesn't know, goes on as another one: the order is promised to what was sent before.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use ractor_host_tests::random::Random;
use serde_json::{Value, json};

use super::{KEYS, Run};
use crate::caller::{Caller, Outcome};
use crate::linear::Returned;

/// The pause of a sender between two messages.
const PAUSE: Duration = Duration::from_millis(120);
/// The pause of a reader between two reads.
const READ_PAUSE: Duration = Duration::from_millis(400);

/// Of this many messages one is a call.
const CALLS: usize = 4;

/// The senders that one client has been, at most.
const SENDERS: u64 = 100_000;

/// A message: its sender and its number.
pub(crate) type Entry = (u64, u64);

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A cast that was taken.
    Sent,
    /// A call that was answered at this time.
    Answered(u64),
    /// It was not handled, its sender heard.
    NotHandled,
    /// Nobody knows.
    Unknown,
}

/// What was sent to one log, and what was read of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) sent: BTreeMap<Entry, Fate>,
    pub(crate) reads: Vec<Read>,
}

/// One read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) called_at: u64,
    pub(crate) returned: Returned<Vec<Entry>>,
}

/// All logs.
pub(crate) type History = [Log; KEYS];

pub(crate) fn key(number: usize) -> String {
    format!("log-{number}")
}

/// Adds what others have seen.
pub(crate) fn merge(all: &mut History, more: History) {
    for (log, more) in all.iter_mut().zip(more) {
        log.sent.extend(more.sent);
        log.reads.extend(more.reads);
    }
}

/// One sender, until the run is over.
pub(crate) fn send(run: &Run, caller: &Caller, client: usize, random: &mut Random) -> History {
    let mut history = History::default();
    let mut sender = client as u64 * SENDERS;
    for number in 0.. {
        if !run.goes_on() {
            break;
        }
        let log = run.key(random);
        let arguments = json!([sender, number]);
        let is_call = random.below(CALLS) == 0;
        let outcome = if is_call {
            caller.call(&key(log), "AppendAndGet", &arguments, None)
        } else {
            caller.cast(&key(log), "Append", &arguments)
        };
        let fate = match outcome {
            Outcome::Done(_) if is_call => Fate::Answered(run.now()),
            Outcome::Done(_) => Fate::Sent,
            Outcome::NotHandled(_) => Fate::NotHandled,
            Outcome::Unknown(_) => Fate::Unknown,
        };
        let is_known = matches!(fate, Fate::Answered(_) | Fate::Sent);
        history[log].sent.insert((sender, number), fate);
        sender += u64::from(!is_known);
        run.pause(PAUSE);
    }
    history
}

/// One reader, until the run is over.
pub(crate) fn read(run: &Run, callers: &[Caller], random: &mut Random) -> History {
    let mut history = History::default();
    while run.goes_on() {
        let (number, caller) = (random.below(KEYS), &callers[random.below(callers.len())]);
        let called_at = run.now();
        if let Outcome::Done(reply) = caller.call(&key(number), "Log", &json!([]), None) {
            history[number].reads.push(read_at(called_at, run.now(), &reply));
        }
        run.pause(READ_PAUSE);
    }
    history
}

/// Reads all logs by this caller, when the faults have ended.
pub(crate) fn read_all(run: &Run, caller: &Caller) -> History {
    let mut history = History::default();
    for (number, log) in history.iter_mut().enumerate() {
        let called_at = run.now();
        let outcome = run.repeat("a log", || caller.call(&key(number), "Log", &json!([]), None));
        if let Outcome::Done(reply) = outcome {
            log.reads.push(read_at(called_at, run.now(), &reply));
        }
    }
    history
}

fn read_at(called_at: u64, at: u64, reply: &Value) -> Read {
    let text = reply.as_str().unwrap_or_else(|| panic!("a log isn't a text: {reply}"));
    let entry = |word: &str| {
        let (sender, number) = word.split_once(':')?;
        Some((sender.parse().ok()?, number.parse().ok()?))
    };
    let words = text.split_whitespace();
    let reply = words.map(|word| entry(word).unwrap_or_else(|| panic!("{word:?} is no entry of a log")));
    let reply = reply.collect();
    Read {
        called_at,
        returned: Returned { at, reply },
    }
}

/// What is wrong with the logs.
pub(crate) fn check(history: &History) -> Vec<String> {
    let all = history.iter().enumerate();
    all.flat_map(|(number, log)| {
        let found = check_one(log);
        found.into_iter().map(move |one| format!("{}: {one}", key(number)))
    })
    .collect()
}

/// What is wrong with one log.
pub(crate) fn check_one(log: &Log) -> Vec<String> {
    let mut found = Vec::new();
    for read in &log.reads {
        found.extend(disordered(&read.returned.reply));
        for entry in &read.returned.reply {
            match log.sent.get(entry) {
                None => found.push(format!("{entry:?} was never sent")),
                Some(Fate::NotHandled) => {
                    found.push(format!(
                        "{entry:?} is there, and its sender heard that it was not handled"
                    ));
                }
                Some(_) => {}
            }
        }
        found.extend(missing(log, read));
    }
    found.extend(forgotten(&log.reads));
    found.sort();
    found.dedup();
    found
}

/// Messages that came twice, or behind a later one of their sender.
fn disordered(entries: &[Entry]) -> Vec<String> {
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    let mut all = HashSet::new();
    let mut found = Vec::new();
    for (sender, number) in entries {
        if !all.insert((sender, number)) {
            found.push(format!("{:?} is there twice", (sender, number)));
        } else if let Some(later) = last.get(sender).filter(|last| *last > number) {
            found.push(format!("{:?} is there behind {:?}", (sender, number), (sender, later)));
        }
        let last = last.entry(*sender).or_default();
        *last = (*last).max(*number);
    }
    found
}

/// Calls that had been answered before this read began, and that it doesn't have.
fn missing(log: &Log, read: &Read) -> Vec<String> {
    let has: BTreeSet<&Entry> = read.returned.reply.iter().collect();
    let answered = log.sent.iter().filter(|(entry, fate)| match fate {
        Fate::Answered(at) => *at < read.called_at && !has.contains(entry),
        _ => false,
    });
    answered
        .map(|(entry, _)| {
            format!(
                "{entry:?} was answered, and a read that began later, at {}, lacks it",
                read.called_at
            )
        })
        .collect()
}

/// What a reader saw stays at its place for every read that began later.
fn forgotten(reads: &[Read]) -> Vec<String> {
    let mut by_end: Vec<&Read> = reads.iter().collect();
    by_end.sort_by_key(|read| read.returned.at);
    let mut by_beginning: Vec<&Read> = reads.iter().collect();
    by_beginning.sort_by_key(|read| read.called_at);
    let (mut ended, mut longest): (_, &[Entry]) = (by_end.into_iter().peekable(), &[]);
    let mut found = Vec::new();
    for read in by_beginning {
        while let Some(before) = ended.next_if(|before| before.returned.at < read.called_at) {
            if before.returned.reply.len() > longest.len() {
                longest = &before.returned.reply;
            }
        }
        if !read.returned.reply.starts_with(longest) {
            let same = longest
                .iter()
                .zip(&read.returned.reply)
                .take_while(|(one, other)| one == other);
            found.push(format!(
                "a read at {} has other messages from place {} on than one that had ended before",
                read.called_at,
                same.count()
            ));
        }
    }
    found
}
