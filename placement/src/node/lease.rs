//! The node's lease as the node sees it: until when it may act, and for how long it has seen the store serve.

use crate::mutation::{Mutation, broken};
use crate::words::BootTime;

use super::Timing;

#[derive(Debug)]
pub(super) struct Lease {
    timing: Timing,
    /// When the last renewal that was confirmed had been sent.
    confirmed: Option<BootTime>,
    /// When the first of the renewals that were confirmed without a gap had been sent.
    unbroken_since: Option<BootTime>,
}

impl Lease {
    pub(super) fn new(timing: Timing) -> Self {
        Self {
            timing,
            confirmed: None,
            unbroken_since: None,
        }
    }

    /// A renewal that was sent at that time was confirmed.
    pub(super) fn confirm(&mut self, sent: BootTime, now: BootTime) {
        let was_slow = now.since(sent) > self.timing.renew_timeout;
        // A pause of this process, in which nothing failed, because nothing was tried.
        let is_gap = self
            .confirmed
            .is_none_or(|before| sent.since(before) > self.timing.lease / 2);
        if self.unbroken_since.is_none() || ((was_slow || is_gap) && !broken(Mutation::GapsIgnored)) {
            // The store may have been away until the answer came.
            self.unbroken_since = Some(if was_slow { now } else { sent });
        }
        // The store counts from the start of its statement, which is later than this and earlier than the answer.
        self.confirmed = self.confirmed.max(Some(if broken(Mutation::DeadlineFromConfirmation) {
            now
        } else {
            sent
        }));
    }

    /// A renewal failed, or wasn't answered in time.
    pub(super) fn miss(&mut self) {
        if !broken(Mutation::GapsIgnored) {
            self.unbroken_since = None;
        }
    }

    /// From when on the node may not act.
    pub(super) fn deadline(&self) -> Option<BootTime> {
        let confirmed = self.confirmed?;
        if broken(Mutation::DeadlineFromConfirmation) {
            return Some(confirmed.after(self.timing.lease));
        }
        Some(confirmed.after(self.timing.lease.saturating_sub(self.timing.margin)))
    }

    pub(super) fn is_good(&self, now: BootTime) -> bool {
        self.deadline().is_some_and(|deadline| now < deadline)
    }

    /// When the node will have seen the store serve for long enough to end another, if no renewal fails until then.
    pub(super) fn may_end_from(&self) -> Option<BootTime> {
        if broken(Mutation::EndsAtOnce) {
            return self.confirmed;
        }
        Some(self.unbroken_since?.after(self.timing.served_for))
    }

    /// True if the node has seen the store serve, up to its last renewal, for long enough to end another.
    pub(super) fn has_seen_the_store_serve(&self) -> bool {
        self.confirmed
            .zip(self.may_end_from())
            .is_some_and(|(last, from)| last >= from)
    }
}
