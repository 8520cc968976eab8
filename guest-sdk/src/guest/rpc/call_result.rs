//! What a call can result in.

use crate::guest::runtime::outgoing::Outcome;

/// The result of a call that was accepted.
#[derive(Debug, Eq, PartialEq)]
pub enum CallResult<T> {
    /// The reply.
    Success(T),
    /// No reply came in time.
    Timeout,
    /// The other actor dropped the call: it failed, could not decode the message, or chose not to reply. Also a reply
    /// that doesn't decode.
    SenderError,
}

impl<T> CallResult<T> {
    /// What a call comes to: its reply if there is one, otherwise what became of it.
    pub(crate) fn of(reply: Option<T>, outcome: Outcome) -> Self {
        match (reply, outcome) {
            (Some(reply), _) => Self::Success(reply),
            (None, Outcome::TimedOut) => Self::Timeout,
            (None, Outcome::Accepted | Outcome::NoReply) => Self::SenderError,
        }
    }

    /// True if there is a reply.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Success(_))
    }

    /// True if no reply came in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout)
    }

    /// True if the other actor dropped the call.
    pub fn is_send_error(&self) -> bool {
        matches!(self, Self::SenderError)
    }

    /// The reply. Panics, which fails the actor, if there is none.
    #[expect(clippy::panic, reason = "what the name promises, as in ractor")]
    pub fn unwrap(self) -> T {
        self.unwrap_or_else(|| panic!("unwrap of a call without a reply"))
    }

    /// The reply. Panics with the message, which fails the actor, if there is none.
    #[expect(clippy::panic, reason = "what the name promises, as in ractor")]
    pub fn expect(self, msg: &'static str) -> T {
        self.unwrap_or_else(|| panic!("{msg}: the call got no reply"))
    }

    /// The reply, or a default.
    pub fn unwrap_or(self, default: T) -> T {
        self.unwrap_or_else(|| default)
    }

    /// The reply, or a computed default.
    pub fn unwrap_or_else<F>(self, f: F) -> T
    where
        F: FnOnce() -> T,
    {
        match self {
            Self::Success(reply) => reply,
            Self::Timeout | Self::SenderError => f(),
        }
    }

    /// The reply, or an error.
    ///
    /// # Errors
    /// `err` if there is no reply.
    pub fn success_or<E>(self, err: E) -> Result<T, E> {
        self.success_or_else(|| err)
    }

    /// The reply, or a computed error.
    ///
    /// # Errors
    /// What `err` returns if there is no reply.
    pub fn success_or_else<E, F>(self, err: F) -> Result<T, E>
    where
        F: FnOnce() -> E,
    {
        match self {
            Self::Success(reply) => Ok(reply),
            Self::Timeout | Self::SenderError => Err(err()),
        }
    }

    /// Maps the reply.
    pub fn map<O, F>(self, mapping: F) -> CallResult<O>
    where
        F: FnOnce(T) -> O,
    {
        match self {
            Self::Success(reply) => CallResult::Success(mapping(reply)),
            Self::Timeout => CallResult::Timeout,
            Self::SenderError => CallResult::SenderError,
        }
    }

    /// Maps the reply, or gives a default.
    pub fn map_or<O, F>(self, default: O, mapping: F) -> O
    where
        F: FnOnce(T) -> O,
    {
        self.map(mapping).unwrap_or(default)
    }

    /// Maps the reply, or computes a default.
    pub fn map_or_else<O, D, F>(self, default: D, mapping: F) -> O
    where
        D: FnOnce() -> O,
        F: FnOnce(T) -> O,
    {
        self.map(mapping).unwrap_or_else(default)
    }
}
