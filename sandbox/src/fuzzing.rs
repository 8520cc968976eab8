//! What the fuzz target `imports` calls: what guests say, and grants that what they ask for is compared with. And what `bench/figures`
//! measures.

use std::time::Duration;

use crate::accounting::handler_times::HandlerTimes;
use crate::component::contract::Contract;
use crate::policy::grants::{Endpoint, HttpOrigin, Recipient, Variables};
use crate::policy::text::tidy;

pub use crate::store::wasi::fuzzing::{Asked, request, socket};

/// The histogram of how long handlers take, which is filled while messages are handled.
#[derive(Debug, Default)]
pub struct HandlerHistogram(HandlerTimes);

impl HandlerHistogram {
    /// A message took this long.
    pub fn record(&mut self, took: Duration) {
        self.0.record(took, 1);
    }
}

/// Text in the place of a grant. What is a grant is written as it is read.
pub fn grant(text: &str) {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => assert_eq!(endpoint.to_string().parse(), Ok(endpoint)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match text.parse::<HttpOrigin>() {
        Ok(origin) => assert_eq!(origin.to_string().parse(), Ok(origin)),
        Err(error) => {
            if let Some(instead) = error.instead {
                assert_eq!(instead.to_string().parse(), Ok(instead), "what is suggested is a grant");
            }
        }
    }
    if let Ok(recipient) = text.parse::<Recipient>() {
        assert_eq!(recipient.to_string().parse(), Ok(recipient));
    }
    if let Some((name, value)) = text.split_once('\n') {
        let mut variables = Variables::default();
        if variables.set(name, value).is_ok() {
            assert!(!format!("{variables:?}").contains("s3cret"), "values are not shown");
        }
    }
}

/// Text that a guest would have in the log: one line, and hardly longer than allowed.
pub fn line(text: &str, limit: usize) {
    let tidied = tidy(text, limit);
    let controls = |character: char| character.is_control() && character != '\t';
    assert!(!tidied.contains(controls), "{tidied:?} is more than a line");
    // A character that is escaped takes up to ten.
    assert!(tidied.len() <= limit.saturating_mul(10) + 32, "{} bytes", tidied.len());
}

/// Bytes in the place of an actor's description.
pub fn description(bytes: &[u8]) {
    let Ok(contract) = Contract::from_bytes(bytes) else {
        return;
    };
    // One of an earlier version is written in the newest one.
    let written = contract.to_bytes();
    let again = written.as_deref().map(Contract::from_bytes);
    if bytes.first() == Some(&1) {
        assert_eq!(again, Ok(Ok(contract)), "what was read can be passed on");
    } else {
        assert_eq!(written.as_deref(), Ok(bytes), "there is one way to write a description");
    }
}
