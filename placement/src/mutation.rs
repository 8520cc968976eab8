//! Switches that break one mechanism each, for tests: a simulation that finds nothing means something only if it finds these.

/// A mechanism that a test may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "tests alone break anything"))]
pub(crate) enum Mutation {
    /// Whatever a statement read is believed, also if something newer was read before.
    ViewGoesBack,
    /// A message is taken although the node's own deadline has passed.
    DeadlineIgnoredAtTake,
    /// Outputs are released although the node's own deadline has passed.
    DeadlineIgnoredAtRelease,
    /// The deadline counts from when a renewal was confirmed, and not from when it was sent, and has no margin.
    DeadlineFromConfirmation,
    /// Another's lease is ended without having seen the store serve for a lease and two seconds.
    EndsAtOnce,
    /// A gap in the confirmed renewals is not noticed.
    GapsIgnored,
    /// A shard whose release was sent is served again.
    ServedAfterRelease,
    /// A planned move releases a shard before its entities have written.
    ReleasedBeforeWritten,
    /// Replies don't wait for the state that they follow from.
    RepliesNotHeld,
    /// What was held is sent though the write was refused.
    HeldSentAfterRefusal,
    /// What was refused is sent behind what came later.
    ResentOutOfOrder,
    /// A sender doesn't wait for what is outstanding before it sends to another owner.
    NotDrained,
    /// What was unacknowledged at a lost session is sent again.
    LostSentAgain,
    /// A receiver that has refused a message takes those sent behind it.
    TakenBehindRefusal,
    /// Activations aren't limited.
    ActivationsUnlimited,
    /// A reminder that was handled is fired again by what was read before.
    StaleReminderFired,
    /// A reminder that could not be handled is forgotten.
    ReminderForgotten,
    /// The store accepts writes whoever owns the shard.
    NoFence,
    /// The store checks the owner at a write without a lock on the row of the shard.
    FenceWithoutLock,
    /// Shards are taken if the owner's lease looks run out, without ending it.
    TakenByLease,
    /// Shards are taken if no live owner is to be seen, which one that has just joined isn't.
    TakenFromUnseen,
    /// Shards are taken from anybody.
    TakenFromLive,
    /// A new owner goes on at the epoch of the one before.
    EpochNotBumped,
    /// A late write overwrites a newer one.
    WriteWithoutVersion,
    /// A late renewal makes the lease shorter.
    LeaseGoesBack,
    /// A renewal that comes after the end is accepted.
    RenewedAfterEnd,
    /// A node ends another without a look at its lease.
    EndWithoutLease,
    /// Free shards are taken by nobody.
    FreeNotTaken,
    /// A join moves whatever the hash says.
    NothingStays,
}

#[cfg(test)]
thread_local! {
    static BROKEN: std::cell::Cell<Option<Mutation>> = const { std::cell::Cell::new(None) };
}

/// True if a test has broken this mechanism in its thread.
#[cfg(test)]
pub(crate) fn broken(mechanism: Mutation) -> bool {
    BROKEN.get() == Some(mechanism)
}

/// Nothing is broken outside tests.
#[cfg(not(test))]
pub(crate) const fn broken(_: Mutation) -> bool {
    false
}

/// Breaks one mechanism in this thread, or none.
#[cfg(test)]
pub(crate) fn break_one(mechanism: Option<Mutation>) {
    BROKEN.set(mechanism);
}
