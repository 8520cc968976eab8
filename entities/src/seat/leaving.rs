//! The way of states into the store, and of outputs out of the seat.

use ractor_host_placement::durable::WriteTurn;
use ractor_host_placement::statement::WriteOutcome;

use super::output::give_up;
use super::{Inner, Output, Seat, UNKNOWN};
use crate::keys::note_kept;
use crate::reminders::Firing;
use crate::store::{Fence, Write};
use crate::writer::Written;

/// Why a reply isn't sent whose state was refused.
const ELSEWHERE: &str = "the entity is on another node by now: the call had no effect and may be made again";

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
            self.0.writer.submit(write, move |written| {
                if written == Written::Durable {
                    note_kept(kept);
                    seat.0.schedule.written(&seat.0.entity, &handled, &reminders);
                }
                seat.written(version, written);
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
        let (write, handled) = inner.next.take()?.into_write(self.0.entity.clone(), self.0.fence);
        Some((version, write, handled))
    }

    fn written(&self, version: u64, written: Written) {
        let is_durable = written == Written::Durable;
        let outcome = if is_durable {
            WriteOutcome::Accepted
        } else {
            WriteOutcome::Refused
        };
        let (end, dropped, reason) = {
            let mut inner = self.0.inner.lock();
            inner.is_elsewhere |= written == Written::Refused;
            inner.durable.handle_written(version, Some(outcome));
            // Once the actor has ended, nobody else would tell those who wait for what it had put out.
            let dropped = if !is_durable && inner.is_closed {
                inner.give_up_all()
            } else {
                Vec::new()
            };
            (inner.end.take_if(|_| !is_durable), dropped, inner.why_given_up())
        };
        give_up(dropped, reason);
        if let Some(end) = end {
            end();
        }
        self.go_on();
    }

    /// By which right it reads and writes; none on a node that is alone.
    pub(crate) fn fence(&self) -> Option<Fence> {
        self.0.fence
    }

    /// True if the store refused to read or write it, because another node has it by now.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.0.inner.lock().is_elsewhere
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
            if !self.may_act() {
                // Another node may act for the entity by now. The end of this activation is on its way.
                output.give_up(UNKNOWN);
                continue;
            }
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

    /// What those hear whose replies are given up because a state was not written.
    pub(super) fn why_given_up(&self) -> &'static str {
        if self.is_elsewhere { ELSEWHERE } else { UNKNOWN }
    }
}
