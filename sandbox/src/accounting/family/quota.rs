//! What a family may take together: an actor that no guest spawned and all that descend from it, whatever each of them may take
//! alone.
//!
//! The limits of one guest bound one guest. With `spawn` it has as many times that as it has descendants, so what they hold is
//! charged to the family as well, and given back when it is freed.
//!
//! Measured on a node: a family of up to 41 that filled its memory, start arguments, timers, mailboxes and groups in turn stayed
//! within what it is charged and 32 MiB for all the rest, and within the 32 MiB once its members had ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::policy::limits::{Common, Limit, Limits};

/// What the members of a family have taken, and may.
#[derive(Debug)]
pub(crate) struct Quota {
    accounts: [Account; Common::ALL.len()],
    /// A message was refused for want of room since somebody was last told that there is some.
    wanted: AtomicBool,
    room: Notify,
}

#[derive(Debug)]
struct Account {
    most: usize,
    used: AtomicUsize,
}

/// Something that was taken, until dropped.
#[derive(Debug)]
pub(crate) struct Share {
    quota: Arc<Quota>,
    of: Common,
    amount: usize,
}

impl Quota {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            accounts: Common::ALL.map(|of| Account {
                most: limits.of_family(of),
                used: AtomicUsize::new(0),
            }),
            wanted: AtomicBool::new(false),
            room: Notify::new(),
        }
    }

    /// Takes so much, to be given back.
    ///
    /// # Errors
    /// The family has less left. Whoever waits for [`room`](Self::room) since before this call hears when it is worth another.
    pub(crate) fn take(&self, of: Common, amount: usize) -> Result<(), Limit> {
        let account = self.account(of);
        if account.take(amount) {
            return Ok(());
        }
        // Said first and tried again then: what is given back from now on wakes those who wait.
        self.wanted.store(true, Ordering::SeqCst);
        if account.take(amount) {
            return Ok(());
        }
        Err(Limit::OfFamily(of, account.most))
    }

    /// Takes what must not be refused.
    pub(crate) fn take_anyway(&self, of: Common, amount: usize) {
        self.account(of).used.fetch_add(amount, Ordering::SeqCst);
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&self, of: Common, amount: usize) {
        if amount == 0 {
            return;
        }
        // Before the flag is read: whoever sets it from now on tries once more, and finds this.
        self.account(of).used.fetch_sub(amount, Ordering::SeqCst);
        // A load alone in the usual case, when nobody waits. `SeqCst` keeps it behind the subtraction; one of the two
        // sides sees the other.
        if self.wanted.load(Ordering::SeqCst) && self.wanted.swap(false, Ordering::SeqCst) {
            // Everybody: the amounts differ, and the one that is woken may be one for whom this is too little.
            self.room.notify_waiters();
        }
    }

    /// As [`take`](Self::take), given back when it is dropped.
    pub(crate) fn share(self: &Arc<Self>, of: Common, amount: usize) -> Result<Share, Limit> {
        self.take(of, amount)?;
        Ok(Share {
            quota: self.clone(),
            of,
            amount,
        })
    }

    /// Done when something was given back after somebody was refused.
    pub(crate) fn room(&self) -> tokio::sync::futures::Notified<'_> {
        self.room.notified()
    }

    fn account(&self, of: Common) -> &Account {
        let [
            memory,
            mailboxes,
            timers,
            monitors,
            groups,
            replies,
            asks,
            requests,
            handles,
        ] = &self.accounts;
        match of {
            Common::Memory => memory,
            Common::MailboxBytes => mailboxes,
            Common::Timers => timers,
            Common::Monitors => monitors,
            Common::Groups => groups,
            Common::DeferredReplies => replies,
            Common::Asks => asks,
            Common::HttpRequests => requests,
            Common::Handles => handles,
        }
    }
}

impl Account {
    fn take(&self, amount: usize) -> bool {
        // Nothing is taken that goes beyond: whoever took first and gave back after would refuse others meanwhile.
        let more = |used: usize| used.checked_add(amount).filter(|used| *used <= self.most);
        self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota.give_back(self.of, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn quota(timers: usize) -> Arc<Quota> {
        let limits = Limits {
            timers: 1,
            family_timers: Some(timers),
            ..Limits::default()
        };
        Arc::new(Quota::new(&limits))
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_no_more() {
        let quota = quota(2);
        let one = quota.share(Common::Timers, 1).unwrap();
        let refused = Limit::OfFamily(Common::Timers, 2);
        assert_eq!(quota.share(Common::Timers, 2).map(drop), Err(refused));
        assert!(quota.share(Common::Monitors, 2).is_ok(), "an account by itself");
        drop(one);
        assert!(quota.share(Common::Timers, 2).is_ok());
        assert!(quota.take(Common::Timers, usize::MAX).is_err());
    }

    #[test]
    fn each_account_has_the_limit_of_its_name() {
        let limits = Limits::default();
        let quota = Quota::new(&limits);
        for of in Common::ALL {
            assert_eq!(quota.account(of).most, limits.of_family(of), "{}", of.key());
            assert!(quota.take(of, limits.of_family(of)).is_ok());
            assert!(quota.take(of, 1).is_err());
        }
    }

    #[tokio::test]
    async fn who_was_refused_is_told_of_room() {
        let quota = quota(1);
        let one = quota.share(Common::Timers, 1).unwrap();
        let mut room = pin!(quota.room());
        room.as_mut().enable();
        assert!(quota.take(Common::Timers, 1).is_err());
        drop(one);
        room.await;
        assert!(quota.take(Common::Timers, 1).is_ok());
    }
}
