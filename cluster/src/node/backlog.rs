//! What a peer sent and a local actor has not handled yet.
//!
//! ractor's mailboxes have no length and no limit, so a [probe](crate::directory::probe) behind every [`PROBE_EVERY`] bytes tells
//! how far an actor has come. There is a limit for each actor and one for all actors together, and a message that would exceed one
//! is given up before it is delivered.
//!
//! Bytes that no probe follows yet may have been handled long ago. They count as waiting all the same: otherwise a peer could leave
//! nearly [`PROBE_EVERY`] bytes with each of many actors. So that they don't add up, every message is followed by a probe once they
//! are a large part of the limit.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use ractor::ActorCell;
use ractor::concurrency::OneshotReceiver;

use super::SessionLimits;
use super::undelivered::Undelivered;
use crate::directory::{self, Local, PROBE_EVERY};

/// The divisor of the limit for all actors that gives what messages without a probe behind them may take.
const UNPROBED: usize = 4;

/// What waits of a peer's messages for all actors that it may address.
#[derive(Debug, Default)]
pub(super) struct WaitingBytes {
    bytes: AtomicUsize,
    /// Of these, the ones that no probe follows yet.
    unprobed: AtomicUsize,
}

/// A local actor that the peer may address, and what waits for it.
#[derive(Debug)]
pub(super) struct AdvertisedActor {
    pub(super) local: Local,
    /// What waits for all actors that the peer may address.
    all: Arc<WaitingBytes>,
    waiting: AtomicUsize,
    since_probe: AtomicUsize,
}

/// Some bytes in an actor's mailbox, until the actor has come past them.
pub(super) struct SentProbe {
    target: Arc<AdvertisedActor>,
    bytes: usize,
    passed: OneshotReceiver<Vec<u8>>,
}

impl Future for SentProbe {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Nobody answers a probe; that its port is dropped is the answer.
        Pin::new(&mut self.passed).poll(cx).map(|_| ())
    }
}

impl Drop for SentProbe {
    fn drop(&mut self) {
        // Done in the drop, so that the bytes are given back, too, if the reader ends before the probe does. The counters guard no
        // other memory, so Relaxed is enough.
        self.target.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
        self.target.all.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Drop for AdvertisedActor {
    fn drop(&mut self) {
        // Its actor has ended, or the session.
        let unprobed = *self.since_probe.get_mut();
        // Bytes behind a probe are given back by the probe. It holds this entry, so none is on its way any more.
        self.all.unprobed.fetch_sub(unprobed, Ordering::Relaxed);
        self.all.bytes.fetch_sub(unprobed, Ordering::Relaxed);
    }
}

impl AdvertisedActor {
    /// `all` counts for all actors that the peer may address.
    pub(super) fn new(cell: ActorCell, all: Arc<WaitingBytes>) -> Self {
        // Looked up once and not for each message: a guest keeps its mailbox for as long as it lives, whatever happens to its
        // instance.
        let inbox = directory::inbox(cell.get_id());
        Self {
            local: Local { cell, inbox },
            all,
            waiting: AtomicUsize::new(0),
            since_probe: AtomicUsize::new(0),
        }
    }

    /// Counts `bytes` as waiting.
    ///
    /// # Errors
    /// They would exceed a limit, and the message must not be delivered.
    pub(super) fn admit(&self, bytes: usize, limits: &SessionLimits) -> Result<(), Undelivered> {
        let exceeds = |counter: &AtomicUsize, limit| counter.load(Ordering::Relaxed).saturating_add(bytes) > limit;
        // Only the reader of the one connection adds, so nothing can come between this and the additions.
        if exceeds(&self.waiting, limits.mailbox) {
            return Err(Undelivered::MailboxFull { limit: limits.mailbox });
        }
        if exceeds(&self.all.bytes, limits.mailboxes()) {
            let limit = limits.mailboxes();
            return Err(Undelivered::MailboxesFull { limit });
        }
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        self.since_probe.fetch_add(bytes, Ordering::Relaxed);
        self.all.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.all.unprobed.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Takes back what was counted for a message that was not delivered after all: no probe comes behind it that would.
    pub(super) fn take_back(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        self.since_probe.fetch_sub(bytes, Ordering::Relaxed);
        self.all.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.all.unprobed.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Puts a probe behind what was delivered, if it is time for one.
    pub(super) fn probe(self: &Arc<Self>, limits: &SessionLimits) -> Option<SentProbe> {
        // The second condition is for a peer that writes a little to each of many actors, none of which would ever get a probe.
        let is_much = self.since_probe.load(Ordering::Relaxed) >= PROBE_EVERY
            || self.all.unprobed.load(Ordering::Relaxed) > limits.mailboxes() / UNPROBED;
        if !is_much {
            return None;
        }
        // From here on the probe gives these bytes back, and no longer the actor's entry, so none is given back twice.
        let bytes = self.since_probe.swap(0, Ordering::Relaxed);
        self.all.unprobed.fetch_sub(bytes, Ordering::Relaxed);
        let (probe, passed) = directory::probe();
        // To an actor that has ended it can't be sent, and the probe ends at once, as it should.
        self.local.send(probe).ok();
        Some(SentProbe {
            target: self.clone(),
            bytes,
            passed,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ractor::message::SerializedMessage;
    use ractor::{Actor, ActorProcessingErr, ActorRef};
    use tokio::sync::Semaphore;

    use super::{AdvertisedActor, Ordering, PROBE_EVERY, SessionLimits, Undelivered, WaitingBytes};

    /// Handles one message for each permit.
    struct Slow(Arc<Semaphore>);

    impl Actor for Slow {
        type Msg = Vec<u8>;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<Vec<u8>>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle(&self, _: ActorRef<Vec<u8>>, _: Vec<u8>, (): &mut ()) -> Result<(), ActorProcessingErr> {
            self.0.acquire().await?.forget();
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_an_actor_has_handled_makes_room_again() {
        let permits = Arc::new(Semaphore::new(0));
        let (actor, _) = Actor::spawn(None, Slow(permits.clone()), ()).await.unwrap();
        let all = Arc::<WaitingBytes>::default();
        let target = Arc::new(AdvertisedActor::new(actor.get_cell(), all.clone()));
        let limits = SessionLimits {
            mailbox: 3 * PROBE_EVERY,
            ..SessionLimits::default()
        };
        let mut probes = Vec::new();
        let mut deliver = |target: &Arc<AdvertisedActor>| {
            if target.admit(PROBE_EVERY, &limits).is_err() {
                return false;
            }
            let message = SerializedMessage::Cast {
                variant: String::new(),
                args: vec![0; 8],
                metadata: None,
            };
            target.local.send(message).unwrap();
            probes.extend(target.probe(&limits));
            true
        };
        assert!((0..3).all(|_| deliver(&target)), "up to the limit");
        assert!(!deliver(&target), "not beyond it");
        assert!(probes.len() == 3);

        permits.add_permits(1);
        let first = probes.remove(0);
        tokio::time::timeout(Duration::from_secs(20), first).await.unwrap();
        assert_eq!(all.bytes.load(Ordering::Relaxed), 2 * PROBE_EVERY);
        assert_eq!(target.admit(PROBE_EVERY, &limits), Ok(()), "the first was handled");
        let full = Undelivered::MailboxFull { limit: limits.mailbox };
        assert_eq!(target.admit(PROBE_EVERY, &limits), Err(full), "the others were not");

        all.bytes.fetch_add(limits.mailboxes(), Ordering::Relaxed);
        let other = AdvertisedActor::new(actor.get_cell(), all.clone());
        let full = Undelivered::MailboxesFull {
            limit: limits.mailboxes(),
        };
        assert_eq!(
            other.admit(1, &limits),
            Err(full),
            "all actors together have a limit too"
        );
        all.bytes.fetch_sub(limits.mailboxes(), Ordering::Relaxed);

        actor.kill();
        for probe in probes {
            tokio::time::timeout(Duration::from_secs(20), probe).await.unwrap();
        }
        let admitted = target.admit(2 * PROBE_EVERY, &limits);
        assert_eq!(admitted, Ok(()), "an actor that ended holds nothing");
        drop((target, other));
        assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
        assert_eq!(all.unprobed.load(Ordering::Relaxed), 0);
    }

    /// An actor that refuses messages for a while, as a guest with a full mailbox does, can be reached again afterwards.
    #[tokio::test]
    async fn what_an_actor_refused_does_not_wait() {
        let (actor, _) = Actor::spawn(None, Slow(Arc::new(Semaphore::new(0))), ()).await.unwrap();
        let all = Arc::<WaitingBytes>::default();
        let target = Arc::new(AdvertisedActor::new(actor.get_cell(), all.clone()));
        let limits = SessionLimits {
            mailbox: 3 * PROBE_EVERY,
            ..SessionLimits::default()
        };
        for _ in 0..100 {
            assert_eq!(target.admit(PROBE_EVERY, &limits), Ok(()));
            target.take_back(PROBE_EVERY);
        }
        assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
        assert_eq!(all.unprobed.load(Ordering::Relaxed), 0);
        actor.kill();
    }

    /// A peer that leaves less than a probe's worth with each of many actors is within the limit for all of them, too, and as long
    /// as they handle what they get, that limit is never reached.
    #[tokio::test]
    async fn little_for_each_of_many_actors_counts_together() {
        let limits = SessionLimits {
            mailbox: 4 * PROBE_EVERY,
            ..SessionLimits::default()
        };
        for are_stuck in [true, false] {
            let permits = Arc::new(Semaphore::new(if are_stuck { 0 } else { 1_000 }));
            let all = Arc::<WaitingBytes>::default();
            let mut targets = Vec::new();
            for _ in 0..100 {
                let (actor, _) = Actor::spawn(None, Slow(permits.clone()), ()).await.unwrap();
                targets.push(Arc::new(AdvertisedActor::new(actor.get_cell(), all.clone())));
            }
            let (mut admitted, mut probes) = (0, Vec::new());
            for target in &targets {
                if target.admit(PROBE_EVERY - 1, &limits).is_err() {
                    continue;
                }
                admitted += PROBE_EVERY - 1;
                let message = SerializedMessage::Cast {
                    variant: String::new(),
                    args: vec![0; 8],
                    metadata: None,
                };
                target.local.send(message).unwrap();
                probes.extend(target.probe(&limits));
                if !are_stuck {
                    for probe in probes.drain(..) {
                        tokio::time::timeout(Duration::from_secs(20), probe).await.unwrap();
                    }
                }
            }
            let least = if are_stuck {
                limits.mailboxes() / 2
            } else {
                100 * (PROBE_EVERY - 1)
            };
            assert!(admitted >= least, "{admitted} bytes were let in");
            assert!(!are_stuck || admitted <= limits.mailboxes(), "{admitted} bytes wait");
            targets.iter().for_each(|target| target.local.cell.kill());
        }
    }
}
