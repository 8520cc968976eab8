//! Registers that many callers read, write, and write on condition, each by another node.

use std::collections::HashSet;
use std::time::Duration;

use ractor_host_tests::random::Random;
use serde_json::{Value, json};

use super::{KEYS, Run, judged};
use crate::caller::{Caller, Outcome};
use crate::linear::{Model, Of, Operation};

/// The pause of a caller between two calls.
const PAUSE: Duration = Duration::from_millis(150);

/// The time for which registers are read or not, in microseconds, and how many of these times there are until the next one without reads. What a
/// node writes that may not act any more is refused: only a read of a register that is in its memory could give it away. Few such reads come about
/// here, and no build that ignores its deadline was ever found by them; the simulation of `placement` finds it.
const READS: u64 = 5_000_000;
const READ_PHASES: u64 = 4;

/// The values of one caller: no two callers write the same.
const VALUES: u64 = 1_000_000;

/// What is in a register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Register(pub(crate) u64);

/// Each replies with what was in the register before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Swap(u64),
    CompareAndSwap(u64, u64),
}

impl Model for Register {
    type Call = Call;
    type Reply = u64;

    fn after(&self, call: &Call) -> (Self, u64) {
        let after = match *call {
            Call::Swap(new) => new,
            Call::CompareAndSwap(old, new) if old == self.0 => new,
            Call::Read | Call::CompareAndSwap(..) => self.0,
        };
        (Self(after), self.0)
    }
}

/// What was called of which register.
pub(crate) type History = Vec<(usize, Of<Register>)>;

pub(crate) fn key(number: usize) -> String {
    format!("register-{number}")
}

/// One caller, until the run is over.
pub(crate) fn call(run: &Run, caller: &Caller, client: usize, random: &mut Random) -> History {
    let mut history = History::new();
    let mut seen = [0; KEYS];
    let mut value = client as u64 * VALUES;
    while run.goes_on() {
        let number = run.key(random);
        value += 1;
        let call = match random.below(10) {
            0..4 => Call::Read,
            4..7 => Call::Swap(value),
            _ => Call::CompareAndSwap(seen[number], value),
        };
        if let Some(operation) = run.operation(client, call, || send(caller, number, call), Value::as_u64) {
            if let Some(returned) = &operation.returned {
                seen[number] = after(call, returned.reply);
            }
            history.push((number, operation));
        }
        run.pause(PAUSE);
    }
    history
}

/// One reader, until the run is over. It keeps all registers in memory for a time, and lets them go for a time.
pub(crate) fn read(run: &Run, caller: &Caller, client: usize) -> History {
    let mut history = History::new();
    for number in (0..KEYS).cycle() {
        if !run.goes_on() {
            break;
        }
        if !(run.now() / READS).is_multiple_of(READ_PHASES) {
            let send = || send(caller, number, Call::Read);
            let operation = run.operation(client, Call::Read, send, Value::as_u64);
            history.extend(operation.map(|operation| (number, operation)));
        }
        run.pause(PAUSE);
    }
    history
}

/// Reads all registers by this caller, when the faults have ended.
pub(crate) fn read_all(run: &Run, caller: &Caller, client: usize) -> History {
    let read = |number| {
        let send = || run.repeat("a register", || send(caller, number, Call::Read));
        let operation = run.operation(client, Call::Read, send, Value::as_u64);
        operation.map(|operation| (number, operation))
    };
    (0..KEYS).filter_map(read).collect()
}

fn after(call: Call, before: u64) -> u64 {
    Register(before).after(&call).0.0
}

fn send(caller: &Caller, number: usize, call: Call) -> Outcome {
    let (message, arguments) = match call {
        Call::Read => ("Read", json!([])),
        Call::Swap(new) => ("Swap", json!([new])),
        Call::CompareAndSwap(old, new) => ("CompareAndSwap", json!([old, new])),
    };
    caller.call(&key(number), message, &arguments, None)
}

/// What is wrong with the registers.
pub(crate) fn check(history: &History) -> Vec<String> {
    judged(&Register::default(), history, |number, operations| {
        (key(number), without_unseen(operations))
    })
}

/// Without calls that may not have been handled and whose values nobody saw: an order with such a call is one without it, too, because each
/// call says what was there before.
pub(crate) fn without_unseen(operations: Vec<Of<Register>>) -> Vec<Of<Register>> {
    let replies = operations.iter().filter_map(|one| Some(one.returned.as_ref()?.reply));
    let conditions = operations.iter().filter_map(|one| match one.call {
        Call::CompareAndSwap(old, _) => Some(old),
        _ => None,
    });
    let seen: HashSet<u64> = replies.chain(conditions).collect();
    let matters = |one: &Operation<Call, u64>| match one.call {
        _ if one.returned.is_some() => true,
        Call::Read => false,
        Call::Swap(new) | Call::CompareAndSwap(_, new) => seen.contains(&new),
    };
    operations.into_iter().filter(matters).collect()
}
