//! What the members of a family may take together.

use super::Limits;

/// What the members of a family share: see the fields of [`Limits`] that begin with `family_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Common {
    /// [`Limits::family_memory_bytes`].
    Memory,
    /// [`Limits::family_mailbox_bytes`].
    MailboxBytes,
    /// [`Limits::family_timers`].
    Timers,
    /// [`Limits::family_monitors`].
    Monitors,
    /// [`Limits::family_groups`].
    Groups,
    /// [`Limits::family_deferred_replies`].
    DeferredReplies,
    /// [`Limits::family_http_requests`].
    HttpRequests,
    /// [`Limits::family_handles`].
    Handles,
}

/// The multiple of one member's memory that a family may have, unless node.toml says otherwise.
const FAMILY_MEMORIES: usize = 16;

/// The same of everything else.
const FAMILY_TIMES: usize = 4;

impl Common {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Memory,
        Self::MailboxBytes,
        Self::Timers,
        Self::Monitors,
        Self::Groups,
        Self::DeferredReplies,
        Self::HttpRequests,
        Self::Handles,
    ];

    /// Its name in node.toml.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Memory => "family_memory_bytes",
            Self::MailboxBytes => "family_mailbox_bytes",
            Self::Timers => "family_timers",
            Self::Monitors => "family_monitors",
            Self::Groups => "family_groups",
            Self::DeferredReplies => "family_deferred_replies",
            Self::HttpRequests => "family_http_requests",
            Self::Handles => "family_handles",
        }
    }

    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Memory => "bytes of memory",
            Self::MailboxBytes => "bytes of waiting messages",
            Self::Timers => "timers",
            Self::Monitors => "monitored actors",
            Self::Groups => "process groups",
            Self::DeferredReplies => "calls put off",
            Self::HttpRequests => "outstanding HTTP requests",
            Self::Handles => "live handles",
        }
    }
}

impl Limits {
    /// What a family may have whose first member has these limits. It is at least what that one may have alone.
    pub fn of_family(&self, of: Common) -> usize {
        let (given, times, of_one) = match of {
            Common::Memory => (self.family_memory_bytes, FAMILY_MEMORIES, self.memory_bytes),
            Common::MailboxBytes => (self.family_mailbox_bytes, FAMILY_TIMES, self.mailbox_bytes),
            Common::Timers => (self.family_timers, FAMILY_TIMES, self.timers),
            Common::Monitors => (self.family_monitors, FAMILY_TIMES, self.monitors),
            Common::Groups => (self.family_groups, FAMILY_TIMES, self.groups),
            Common::DeferredReplies => (self.family_deferred_replies, FAMILY_TIMES, self.deferred_replies),
            Common::HttpRequests => (self.family_http_requests, FAMILY_TIMES, self.http_requests),
            Common::Handles => (self.family_handles, FAMILY_TIMES, self.handles),
        };
        given.map_or_else(|| of_one.saturating_mul(times), |given| given.max(of_one))
    }

    /// Log events that such a family may cause in one second.
    pub(crate) fn log_rate_of_family(&self) -> u32 {
        let four_times = || self.log_rate.saturating_mul(4);
        self.family_log_rate
            .map_or_else(four_times, |given| given.max(self.log_rate))
    }
}
