//! The mailbox of a native entity: ractor's, with a limit.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use parking_lot::Mutex;
use ractor::message::SerializedMessage;
use ractor::{ActorCell, MessagingErr};
use ractor_host_directory::{Inbox, NotPut, PROBE_EVERY, Placed, PutRefused, probe, retained_bytes};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// The bytes that may wait for one native entity.
pub(crate) const MAILBOX_BYTES: usize = 64 << 20;

/// See the module. A mailbox of ractor's has no length, and doesn't tell how far its actor has come. So a probe follows after every few
/// messages, and tells when all before it are handled.
pub(crate) struct NativeInbox {
    cell: ActorCell,
    /// The bytes of what isn't known to be handled.
    waiting: Arc<AtomicUsize>,
    /// Those of them that no probe follows yet.
    unprobed: AtomicUsize,
}

impl NativeInbox {
    pub(crate) fn new(cell: ActorCell) -> Self {
        Self {
            cell,
            waiting: Arc::default(),
            unprobed: AtomicUsize::new(0),
        }
    }

    fn probe(&self, bytes: usize) {
        let (probe, passed) = probe();
        let passed = Arc::new(Passed {
            bytes,
            waiting: self.waiting.clone(),
            probe: Mutex::new(Some(passed)),
        });
        passed.watch();
        // An actor that has ended holds nothing, and the port that ends with the probe says so.
        drop(self.cell.send_serialized(probe));
    }
}

impl Inbox for NativeInbox {
    fn put(&self, message: SerializedMessage) -> Result<Placed, NotPut> {
        let bytes = retained_bytes(&message);
        // A figure alone: what is in the mailbox is ractor's affair.
        if self.waiting.fetch_add(bytes, Ordering::Relaxed) + bytes > MAILBOX_BYTES {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            return Err(NotPut {
                message,
                reason: PutRefused::Full,
            });
        }
        if let Err(error) = self.cell.send_serialized(message) {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            return Err(refused(*error));
        }
        let unprobed = self.unprobed.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if unprobed >= PROBE_EVERY {
            // Another sender may have taken it by now.
            match self.unprobed.swap(0, Ordering::Relaxed) {
                0 => {}
                bytes => self.probe(bytes),
            }
        }
        Ok(Placed::Nowhere)
    }
}

/// A message that an actor of ractor's didn't take.
pub(crate) fn refused(error: MessagingErr<SerializedMessage>) -> NotPut {
    let message = match error {
        MessagingErr::SendErr(message) => message,
        // The message is gone; nobody waits for one that stands for nothing.
        MessagingErr::ChannelClosed | MessagingErr::InvalidActorType => SerializedMessage::CallReply(0, Vec::new()),
    };
    NotPut {
        message,
        reason: PutRefused::Ended,
    }
}

/// A probe on its way, and what it follows.
struct Passed {
    bytes: usize,
    waiting: Arc<AtomicUsize>,
    /// None once it has come past all.
    probe: Mutex<Option<oneshot::Receiver<Vec<u8>>>>,
}

impl Passed {
    /// Has itself woken when the probe ends. Before anybody has the other end of it.
    fn watch(self: &Arc<Self>) {
        let waker = Waker::from(self.clone());
        if let Some(probe) = &mut *self.probe.lock() {
            let poll = Pin::new(probe).poll(&mut Context::from_waker(&waker));
            debug_assert!(poll.is_pending());
        }
    }
}

impl Wake for Passed {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Nobody answers a probe: the end of its port is the answer.
        let has_ended = |probe: &mut oneshot::Receiver<_>| probe.try_recv() == Err(TryRecvError::Closed);
        let passed = self.probe.lock().take_if(has_ended);
        if passed.is_some() {
            self.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime};
    use ractor_host_directory::reserve_hosted_id;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::native::Opaque;

    /// Handles a message for each permit.
    struct Slow(Arc<Semaphore>);

    impl Actor for Slow {
        type Msg = Opaque;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<Opaque>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle_serialized(
            &self,
            _: ActorRef<Opaque>,
            _: SerializedMessage,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            self.0.acquire().await?.forget();
            Ok(())
        }
    }

    struct Idle;

    impl Actor for Idle {
        type Msg = ();
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_waits_for_a_native_entity_is_bounded_and_there_is_room_again_when_it_has_handled_some() {
        const LARGE: usize = 1 << 20;
        let (above, _) = Actor::spawn(None, Idle, ()).await.unwrap();
        let handles = Arc::new(Semaphore::new(0));
        let slow = Slow(handles.clone());
        let spawned = ActorRuntime::spawn_linked_remote(None, slow, reserve_hosted_id(), (), above.get_cell());
        let inbox = NativeInbox::new(spawned.await.unwrap().0.get_cell());
        let large = || SerializedMessage::Cast {
            variant: "Put".to_owned(),
            args: vec![0; LARGE],
            metadata: None,
        };
        let mut taken = 0;
        let refused = loop {
            match inbox.put(large()) {
                Ok(_) => taken += 1,
                Err(refused) => break refused,
            }
        };
        assert_eq!((taken, refused.reason), (MAILBOX_BYTES / LARGE - 1, PutRefused::Full));
        handles.add_permits(1_000);
        let room = async {
            while inbox.put(large()).is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), room).await.unwrap();
        above.stop(None);
    }
}
