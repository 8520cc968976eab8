//! What callers do while things go wrong, what they see, and what must hold of that.

pub(crate) mod bank;
pub(crate) mod counter;
pub(crate) mod log;
pub(crate) mod register;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ractor_host_tests::random::Random;
use serde_json::Value;

use crate::caller::{Caller, Outcome};
use crate::linear::{self, Model, Of, Operation, Returned, Verdict};

/// The entities of each kind.
pub(crate) const KEYS: usize = 4;
/// Of these, as many are in use at a time. The others rest, so that they are gone from memory, and read again, now and then.
const IN_USE: usize = 2;
/// The time for which the same are in use. Longer than an entity stays in memory without a message.
const TURN: Duration = Duration::from_millis(2_500);

/// Callers of each kind.
const COUNTER_CALLERS: usize = 2;
const BANK_CALLERS: usize = 2;
const LOG_SENDERS: usize = 3;

/// The time after the faults within which whoever repeats a call has its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause before a call is repeated.
const AGAIN: Duration = Duration::from_millis(200);

/// One run, as its callers know it.
pub(crate) struct Run {
    started: Instant,
    is_over: AtomicBool,
    /// When those give up who still repeat a call.
    give_up_at: Mutex<Option<Instant>>,
    /// What nobody answered, in words.
    unanswered: Mutex<Vec<String>>,
    /// What was said in place of replies, and how often.
    said: Mutex<BTreeMap<String, usize>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            is_over: AtomicBool::new(false),
            give_up_at: Mutex::default(),
            unanswered: Mutex::default(),
            said: Mutex::default(),
        }
    }

    /// The time since it began, in microseconds.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// One of those that are in use now.
    fn key(&self, random: &mut Random) -> usize {
        let turn = self.started.elapsed().as_millis() / TURN.as_millis();
        (usize::try_from(turn).unwrap_or_default() + random.below(IN_USE)) % KEYS
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::SeqCst)
    }

    /// Nothing new is called any more.
    fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        lock(&self.give_up_at).get_or_insert_with(|| Instant::now() + PATIENCE);
    }

    /// From now on nothing goes wrong, and all that is called has its answer within some time.
    fn is_whole(&self, is_whole: bool) {
        *lock(&self.give_up_at) = is_whole.then(|| Instant::now() + PATIENCE);
    }

    /// What nobody answered though nothing went wrong any more.
    pub(crate) fn unanswered(&self) -> Vec<String> {
        lock(&self.unanswered).clone()
    }

    fn pause(&self, pause: Duration) {
        if self.goes_on() {
            thread::sleep(pause);
        }
    }

    /// What was said in place of replies, by how often it was.
    pub(crate) fn said(&self) -> Vec<(String, usize)> {
        let mut said: Vec<_> = lock(&self.said).clone().into_iter().collect();
        said.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        said
    }

    fn note(&self, outcome: &Outcome) {
        let text = match outcome {
            Outcome::Done(_) => return,
            Outcome::NotHandled(said) => format!("not handled: {said}"),
            Outcome::Unknown(said) => format!("not known: {said}"),
        };
        // Of which entity it was doesn't matter here.
        let text = text.replace(|letter: char| letter.is_ascii_digit(), "#");
        *lock(&self.said).entry(text).or_default() += 1;
    }

    /// A call with its times. None if it was not handled.
    fn operation<Call, Reply>(
        &self,
        client: usize,
        call: Call,
        send: impl FnOnce() -> Outcome,
        read: impl Fn(&Value) -> Option<Reply>,
    ) -> Option<Operation<Call, Reply>> {
        let called_at = self.now();
        let outcome = send();
        let at = self.now();
        self.note(&outcome);
        let returned = match outcome {
            Outcome::NotHandled(_) => return None,
            Outcome::Unknown(_) => None,
            Outcome::Done(reply) => match read(&reply) {
                Some(reply) => Some(Returned { at, reply }),
                None => panic!("an unexpected reply: {reply}"),
            },
        };
        Some(Operation {
            client,
            call,
            called_at,
            returned,
        })
    }

    /// Makes a call again until it is answered, or until it is too long since the faults have ended.
    fn repeat(&self, what: &str, mut attempt: impl FnMut() -> Outcome) -> Outcome {
        let mut last = None;
        loop {
            let is_late = lock(&self.give_up_at).is_some_and(|end| Instant::now() > end);
            if is_late {
                let unanswered = format!("{what} has no answer {PATIENCE:?} after the faults; the last time: {last:?}");
                lock(&self.unanswered).push(unanswered);
                return Outcome::Unknown("given up".to_owned());
            }
            let outcome = attempt();
            self.note(&outcome);
            if matches!(outcome, Outcome::Done(_)) {
                return outcome;
            }
            last = Some(outcome);
            thread::sleep(AGAIN);
        }
    }
}

/// Ends the run when it is dropped: whoever panics must not leave the callers calling.
struct Over<'a>(&'a Run);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// All that callers saw.
#[derive(Default)]
pub(crate) struct Seen {
    registers: register::History,
    counters: counter::History,
    logs: log::History,
    transfers: Vec<bank::Transfer>,
    /// What each node says of the accounts in the end.
    accounts: Vec<Vec<bank::Account>>,
}

/// Has everybody call while `work` is done, and reads everything by each node afterwards. The work ends with a cluster that is whole.
pub(crate) fn run_during(run: &Run, callers: &[Caller], seed: u64, work: impl FnOnce()) -> Seen {
    let mut seen = Seen::default();
    run.is_whole(true);
    if let Some(caller) = callers.first() {
        bank::open(run, caller);
    }
    run.is_whole(false);
    // Each caller has choices of its own, and a number.
    let mut clients = (0..).map(|client: usize| {
        (
            client,
            Random::new(seed.wrapping_mul(1_000).wrapping_add(client as u64)),
        )
    });
    let mut next = || clients.next().unwrap_or_else(|| unreachable!("it has no end"));
    thread::scope(|scope| {
        let over = Over(run);
        let registers: Vec<_> = callers
            .iter()
            .map(|caller| (caller, next()))
            .map(|(caller, (client, mut random))| scope.spawn(move || register::call(run, caller, client, &mut random)))
            .collect();
        let readers: Vec<_> = callers
            .iter()
            .map(|caller| (caller, next()))
            .map(|(caller, (client, _))| scope.spawn(move || register::read(run, caller, client)))
            .collect();
        let counters: Vec<_> = (0..COUNTER_CALLERS)
            .map(|_| next())
            .map(|(client, mut random)| scope.spawn(move || counter::call(run, callers, client, &mut random)))
            .collect();
        let transfers: Vec<_> = (0..BANK_CALLERS)
            .map(|_| next())
            .map(|(client, mut random)| scope.spawn(move || bank::call(run, callers, client, &mut random)))
            .collect();
        let senders: Vec<_> = callers
            .iter()
            .cycle()
            .step_by(2)
            .take(LOG_SENDERS)
            .map(|caller| (caller, next()))
            .map(|(caller, (client, mut random))| scope.spawn(move || log::send(run, caller, client, &mut random)))
            .collect();
        let (_, mut random) = next();
        let reader = scope.spawn(move || log::read(run, callers, &mut random));

        work();
        drop(over);

        seen.registers
            .extend(registers.into_iter().chain(readers).flat_map(|one| joined(one.join())));
        seen.counters
            .extend(counters.into_iter().flat_map(|one| joined(one.join())));
        seen.transfers
            .extend(transfers.into_iter().flat_map(|one| joined(one.join())));
        for logs in senders.into_iter().chain([reader]) {
            log::merge(&mut seen.logs, joined(logs.join()));
        }
    });
    let (client, _) = next();
    run.is_whole(true);
    for caller in callers {
        seen.registers.extend(register::read_all(run, caller, client));
        seen.counters.extend(counter::read_all(run, caller, client));
        log::merge(&mut seen.logs, log::read_all(run, caller));
        seen.accounts.extend(bank::read_all(run, caller));
    }
    seen
}

fn joined<T>(ended: thread::Result<T>) -> T {
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Seen {
    /// Everything that is wrong with it.
    pub(crate) fn check(&self) -> Vec<String> {
        let mut found = register::check(&self.registers);
        found.extend(counter::check(&self.counters));
        found.extend(log::check(&self.logs));
        for accounts in &self.accounts {
            found.extend(bank::check(&self.transfers, accounts));
        }
        found.dedup();
        found
    }

    /// What there was of each kind.
    pub(crate) fn counted(&self) -> String {
        let (sent, reads): (usize, usize) = self.logs.iter().fold((0, 0), |(sent, reads), log| {
            (sent + log.sent.len(), reads + log.reads.len())
        });
        format!(
            "{} calls of registers, {} of counters, {} transfers, {sent} messages to logs and {reads} reads of these",
            self.registers.len(),
            self.counters.len(),
            self.transfers.len()
        )
    }
}

/// What is wrong with entities of one kind, each of which the model is to explain.
fn judged<M: Model>(
    initial: &M,
    history: &[(usize, Of<M>)],
    prepared: impl Fn(usize, Vec<Of<M>>) -> (String, Vec<Of<M>>),
) -> Vec<String> {
    let mut by_key: BTreeMap<usize, Vec<Of<M>>> = BTreeMap::new();
    for (number, operation) in history {
        by_key.entry(*number).or_default().push(operation.clone());
    }
    let verdict = |(number, operations)| {
        let (key, operations) = prepared(number, operations);
        match linear::check(initial, &operations) {
            Verdict::Linearizable => None,
            Verdict::Wrong(why) => Some(format!("{key}: {why}")),
            Verdict::Undecided => Some(format!(
                "{key}: whether an order explains its {} calls was not found out",
                operations.len()
            )),
        }
    };
    by_key.into_iter().filter_map(verdict).collect()
}
