//! The way of states into the store, and of outputs out of the seat.

use ractor_host_placement::durable::WriteTurn;
use ractor_host_placement::statement::WriteOutcome;

use super::output::give_up;
use super::{Inner, Output, Seat, UNKNOWN};
use crate::keys::note_kept;
use crate::reminders::Firing;
use crate::store::Write;

impl Seat {
    /// Writes what is to be written, and lets go what may leave.
    pub(super) fn go_on(&self) {
        let (write, releases) = {
            let mut inner = self.0.inner.lock();
            let write = self.next_write(&mut inner);
            (write, self.may_release(&mut inner))
        };
        if let Some((version, write, handled)) = write {
            let (seat, reminders) = (self.clone(), write.reminders.clone());
            let kept = write.replies.len();
            self.0.writer.submit(write, move |is_durable| {
                if is_durable {
                    note_kept(kept);
                    seat.0.schedule.written(&seat.0.entity, &handled, &reminders);
                }
                seat.written(version, is_durable);
            });
        }
        if releases {
            self.release();
        }
        self.0.changed.send_replace(());
    }

    fn next_write(&self, inner: &mut Inner) -> Option<(u64, Write, Vec<Firing>)> {
        inner.next.as_ref()?;
        let Some(WriteTurn::New { version }) = inner.durable.poll_write() else {
            return None;
        };
        let (write, handled) = inner.next.take()?.into_write(self.0.entity.clone());
        Some((version, write, handled))
    }

    fn written(&self, version: u64, is_durable: bool) {
        let outcome = if is_durable {
            WriteOutcome::Accepted
        } else {
            WriteOutcome::Refused
        };
        let (end, dropped) = {
            let mut inner = self.0.inner.lock();
            inner.durable.handle_written(version, Some(outcome));
            // Once the actor has ended, nobody else would tell those who wait for what it had put out.
            let dropped = if !is_durable && inner.is_closed {
                inner.give_up_all()
            } else {
                Vec::new()
            };
            (inner.end.take_if(|_| !is_durable), dropped)
        };
        give_up(dropped, UNKNOWN);
        if let Some(end) = end {
            end();
        }
        self.go_on();
    }

    fn may_release(&self, inner: &mut Inner) -> bool {
        // One at a time, or outputs would overtake each other.
        !inner.is_releasing && inner.durable.may_leave() && {
            inner.is_releasing = true;
            true
        }
    }

    /// Lets outputs go, one after the other.
    fn release(&self) {
        loop {
            let output = {
                let mut inner = self.0.inner.lock();
                let output = inner.durable.poll_output();
                inner.is_releasing = output.is_some();
                output
            };
            let Some(output) = output else { return };
            if let Some(wait) = output.leave() {
                // Those behind it wait, too.
                let seat = self.clone();
                tokio::spawn(async move {
                    wait.await;
                    seat.release();
                    seat.0.changed.send_replace(());
                });
                return;
            }
        }
    }
}

impl Inner {
    /// Nothing is written any more. What was held is handed back, to be given up outside of the lock.
    pub(super) fn give_up_all(&mut self) -> Vec<Output> {
        self.next = None;
        self.durable.handle_end()
    }
}
