//! The calls that a guest has received and not answered yet.

use std::collections::HashMap;
use std::sync::Arc;

use ractor::RpcReplyPort;
use tokio::time::Instant;

use crate::accounting::family::{Quota, Share};
use crate::accounting::tally::{Counted, Held, Tally};
use crate::policy::limits::{Common, Limit};

/// Where the encoded reply to a call goes.
pub(crate) type Port = RpcReplyPort<Vec<u8>>;

/// The open calls of one guest, each under a number that the guest knows it by.
#[derive(Debug)]
pub(crate) struct Replies {
    /// The last number given out. A guest would need centuries to reach 2^53.
    last: u64,
    /// The call being handled. Most calls are answered at once and never enter the map.
    current: Option<(u64, Port)>,
    deferred: HashMap<u64, Deferred>,
    limit: usize,
    /// The family's part; none if there is no actor.
    quota: Option<Arc<Quota>>,
    tally: Option<Arc<Tally>>,
    /// The last number given out before what would be taken back with new code.
    tried_since: u64,
    /// How many may be open before the next search for abandoned ones. Doubles, so that searching stays cheap.
    sweep_at: usize,
}

#[derive(Debug)]
struct Deferred {
    port: Port,
    /// When the caller has given up for certain, if it said how long it waits.
    expires: Option<Instant>,
    _share: Option<Share>,
    _counted: Option<Counted>,
}

impl Deferred {
    fn is_waiting(&self) -> bool {
        !self.port.is_closed() && self.expires.is_none_or(|expires| expires > Instant::now())
    }
}

const FIRST_SWEEP: usize = 64;

impl Replies {
    pub(super) fn new(limit: usize, quota: Option<Arc<Quota>>) -> Self {
        Self {
            last: 0,
            current: None,
            deferred: HashMap::new(),
            limit,
            quota,
            tally: None,
            tried_since: 0,
            sweep_at: FIRST_SWEEP.min(limit),
        }
    }

    /// Those that are open are counted here.
    pub(super) fn shown_by(mut self, tally: Arc<Tally>) -> Self {
        self.tally = Some(tally);
        self
    }

    /// A call begins to be handled. Returns the number to answer it by.
    pub(crate) fn begin(&mut self, port: Port) -> u64 {
        self.last += 1;
        // If one were left of the call before, it would be dropped here, and its caller would hear of it.
        self.current = Some((self.last, port));
        self.last
    }

    /// The number of the call being handled, or that was handled last.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Takes the call being handled, unless it was taken before.
    pub(crate) fn take_current(&mut self) -> Option<Port> {
        self.current.take().map(|(_, port)| port)
    }

    /// Takes the call under this number, unless it was taken before.
    pub(super) fn take(&mut self, number: u64) -> Option<Port> {
        match &self.current {
            // A guest may answer within the callback, while the call isn't deferred yet.
            Some((current, _)) if *current == number => self.take_current(),
            _ => self.deferred.remove(&number).map(|deferred| deferred.port),
        }
    }

    /// False if the call under this number was answered, or its caller is known to have given up.
    pub(super) fn is_waiting(&self, number: u64) -> bool {
        match &self.current {
            Some((current, port)) if *current == number => !port.is_closed(),
            _ => self.deferred.get(&number).is_some_and(Deferred::is_waiting),
        }
    }

    /// Keeps the call being handled for later.
    ///
    /// # Errors
    /// Too many are open: the call is dropped, and its caller hears of it.
    pub(crate) fn defer_current(&mut self) -> Result<(), Limit> {
        let Some((number, port)) = self.current.take() else {
            return Ok(());
        };
        // Before the limit is asked about, so that callers who have given up don't count against it.
        if self.deferred.len() >= self.sweep_at {
            self.sweep();
        }
        if self.deferred.len() >= self.limit {
            return Err(Limit::DeferredReplies(self.limit));
        }
        let share = |quota: &Arc<Quota>| quota.share(Common::DeferredReplies, 1);
        // On the way out of here the port is dropped, which is how the caller hears.
        let _share = self.quota.as_ref().map(share).transpose()?;
        let expires = port
            .get_timeout()
            .and_then(|timeout| Instant::now().checked_add(timeout));
        let deferred = Deferred {
            port,
            expires,
            _share,
            _counted: self.tally.as_ref().map(|tally| tally.count(Held::OpenCall)),
        };
        self.deferred.insert(number, deferred);
        Ok(())
    }

    /// The calls that come from now on are dropped by [`end_trial`](Self::end_trial).
    pub(crate) fn begin_trial(&mut self) {
        self.tried_since = self.last;
    }

    /// Drops the calls that came since [`begin_trial`](Self::begin_trial) and were not answered, so that their callers hear.
    pub(crate) fn end_trial(&mut self) {
        self.deferred.retain(|number, _| *number <= self.tried_since);
    }

    /// Forgets the calls whose callers have given up.
    fn sweep(&mut self) {
        self.deferred.retain(|_, deferred| deferred.is_waiting());
        self.sweep_at = (self.deferred.len() * 2).max(FIRST_SWEEP).min(self.limit);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    fn call() -> (Port, oneshot::Receiver<Vec<u8>>) {
        let (sender, receiver) = oneshot::channel();
        (sender.into(), receiver)
    }

    #[test]
    fn a_call_is_answered_once_now_or_later() {
        let mut replies = Replies::new(8, None);
        let (port, _receiver) = call();
        let now = replies.begin(port);
        assert!(replies.take(now).is_some());
        assert!(replies.take(now).is_none());
        assert!(replies.take_current().is_none());

        let (port, mut receiver) = call();
        let later = replies.begin(port);
        assert_eq!(replies.defer_current(), Ok(()));
        assert_ne!(now, later);
        replies.take(later).unwrap().send(vec![1]).unwrap();
        assert_eq!(receiver.try_recv(), Ok(vec![1]));
        assert!(replies.take(later).is_none());
    }

    #[test]
    fn at_the_limit_the_newest_is_dropped() {
        let mut replies = Replies::new(1, None);
        let (first, _receiver) = call();
        replies.begin(first);
        assert_eq!(replies.defer_current(), Ok(()));
        let (second, mut receiver) = call();
        replies.begin(second);
        assert_eq!(replies.defer_current(), Err(Limit::DeferredReplies(1)));
        assert_eq!(receiver.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn abandoned_calls_make_room() {
        let mut replies = Replies::new(2, None);
        let (closed, receiver) = call();
        replies.begin(closed);
        assert_eq!(replies.defer_current(), Ok(()));
        drop(receiver);
        let (sender, _waits) = oneshot::channel();
        replies.begin((sender, Duration::from_secs(1)).into());
        assert_eq!(replies.defer_current(), Ok(()));
        tokio::time::advance(Duration::from_secs(2)).await;
        for _ in 0..2 {
            let (port, receiver) = call();
            replies.begin(port);
            assert_eq!(replies.defer_current(), Ok(()));
            std::mem::forget(receiver);
        }
    }
}
