//! How long each step of a request may take: as long as the guest says, and no longer than its limit.

use std::time::Duration;

use tokio::time::timeout;
use wasmtime_wasi_http::RequestOptions;

use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::policy::limits::Limit;

/// The longest wait for one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) time: Duration,
    /// True if that is the guest's limit, false if it is what the guest wants.
    is_limit: bool,
}

/// The longest for each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waits {
    pub(super) connection: Wait,
    pub(super) first_byte: Wait,
    pub(super) next_byte: Wait,
}

impl Waits {
    pub(super) fn new(options: Option<RequestOptions>, limit: Duration) -> Self {
        let options = options.unwrap_or_default();
        let wait = |wish: Option<Duration>| match wish.filter(|wish| *wish < limit) {
            Some(time) => Wait { time, is_limit: false },
            None => Wait {
                time: limit,
                is_limit: true,
            },
        };
        Self {
            connection: wait(options.connect_timeout),
            first_byte: wait(options.first_byte_timeout),
            next_byte: wait(options.between_bytes_timeout),
        }
    }
}

impl Wait {
    /// None if it took too long.
    pub(super) async fn wait_for<T>(self, label: &Label, what: impl Future<Output = T>) -> Option<T> {
        let came = timeout(self.time, what).await.ok();
        if came.is_none() {
            self.is_over(label);
        }
        came
    }

    /// It took too long: if that was for the limit, that is said.
    pub(super) fn is_over(self, label: &Label) {
        if self.is_limit {
            telemetry::limit(label, Limit::HttpWait(self.time));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_may_only_wish_for_less() {
        let options = RequestOptions {
            connect_timeout: Some(Duration::from_secs(1)),
            first_byte_timeout: Some(Duration::from_secs(100)),
            between_bytes_timeout: None,
        };
        let waits = Waits::new(Some(options), Duration::from_secs(10));
        let limit = Wait {
            time: Duration::from_secs(10),
            is_limit: true,
        };
        assert_eq!(waits.connection.time, Duration::from_secs(1));
        assert!(!waits.connection.is_limit);
        assert_eq!((waits.first_byte, waits.next_byte), (limit, limit));
    }
}
