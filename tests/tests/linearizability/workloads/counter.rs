//! Counters that callers count up by calls with idempotency keys, which they repeat by one node after the other until one is answered.

use std::time::Duration;

use ractor_host_tests::random::Random;
use serde_json::{Value, json};

use super::{KEYS, Run, judged};
use crate::caller::{Caller, Outcome};
use crate::linear::{Model, Of};

/// The pause of a caller between two calls.
const PAUSE: Duration = Duration::from_millis(250);

/// A count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Counter(pub(crate) u64);

/// Each replies with the count behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Add(u64),
    Count,
}

impl Model for Counter {
    type Call = Call;
    type Reply = u64;

    fn after(&self, call: &Call) -> (Self, u64) {
        let count = match call {
            Call::Add(more) => self.0 + more,
            Call::Count => self.0,
        };
        (Self(count), count)
    }
}

/// What was called of which counter.
pub(crate) type History = Vec<(usize, Of<Counter>)>;

pub(crate) fn key(number: usize) -> String {
    format!("counter-{number}")
}

/// One caller, until the run is over.
pub(crate) fn call(run: &Run, callers: &[Caller], client: usize, random: &mut Random) -> History {
    let mut history = History::new();
    for at in 0_u64.. {
        if !run.goes_on() {
            break;
        }
        let number = run.key(random);
        let (call, idempotency_key) = (Call::Add(1 + random.below(3) as u64), format!("add-{client}-{at}"));
        let send = || {
            run.repeat("a counter", || {
                let caller = &callers[random.below(callers.len())];
                send(caller, number, call, Some(&idempotency_key))
            })
        };
        let operation = run.operation(client, call, send, Value::as_u64);
        history.extend(operation.map(|operation| (number, operation)));
        run.pause(PAUSE);
    }
    history
}

/// Reads all counters by this caller, when the faults have ended.
pub(crate) fn read_all(run: &Run, caller: &Caller, client: usize) -> History {
    let read = |number| {
        let send = || run.repeat("a counter", || send(caller, number, Call::Count, None));
        let operation = run.operation(client, Call::Count, send, Value::as_u64);
        operation.map(|operation| (number, operation))
    };
    (0..KEYS).filter_map(read).collect()
}

fn send(caller: &Caller, number: usize, call: Call, idempotency_key: Option<&str>) -> Outcome {
    let (message, arguments) = match call {
        Call::Add(more) => ("AddAndGet", json!([more])),
        Call::Count => ("Count", json!([])),
    };
    caller.call(&key(number), message, &arguments, idempotency_key)
}

/// What is wrong with the counters.
pub(crate) fn check(history: &History) -> Vec<String> {
    judged(&Counter::default(), history, |number, operations| {
        (key(number), operations)
    })
}
