//! The messages of timers, on their way.

use std::sync::Arc;

use ractor::message::SerializedMessage;
use tokio::sync::oneshot::Receiver;
use tokio::time::timeout;

use super::{Sent, Shared, TimedCast};
use crate::accounting::telemetry;
use crate::directory::{self, Local, SendRefused};
use crate::entities::{Output, Seat};

impl Shared {
    /// Sends once the state is durable that the message follows from.
    pub(super) fn hold(&self, seat: &Seat, cast: &TimedCast) -> Sent {
        let (message, to, wait) = (cast.message(), cast.to, self.limits.send_wait);
        let bytes = directory::retained_bytes(&message);
        let (probe, handled) = directory::probe();
        let label = self.label.clone();
        let leaves = async move {
            let sent = match directory::local(to.pid()).filter(|_| directory::is_ours(to)) {
                Some(local) => {
                    let sent = local.send(message).is_ok();
                    // Behind the message; if the actor has ended the port is dropped, which says the same.
                    local.send(probe).ok();
                    sent
                }
                None if directory::is_ours(to) => false,
                None => matches!(timeout(wait, directory::send_remote(to, message)).await, Ok(Ok(()))),
            };
            if !sent {
                telemetry::dead_letters(&label, "timer", 1);
            }
        };
        match seat.put_out(Output::Wait(Box::pin(leaves)), bytes) {
            Ok(()) => Sent::Waiting(handled),
            Err(_) => {
                telemetry::dead_letters(&self.label, "held_bytes", 1);
                Sent::Settled
            }
        }
    }
}

impl TimedCast {
    pub(super) fn message(&self) -> SerializedMessage {
        SerializedMessage::Cast {
            variant: self.variant.clone(),
            args: self.args.clone(),
            metadata: None,
        }
    }
}

/// Says when the actor has handled all that it was sent before. For guests, whose mailboxes have limits of their own, it
/// keeps an interval from filling them; for native actors, whose mailboxes have none, it keeps timers from doing so.
pub(super) fn probe(local: &Local) -> Receiver<Vec<u8>> {
    let (probe, handled) = directory::probe();
    // If the actor has ended, the port is dropped here, which says the same.
    local.send(probe).ok();
    handled
}

/// Sends to an actor of another node, and waits while that node takes messages too slowly.
pub(super) async fn leave(shared: Arc<Shared>, number: u64, cast: TimedCast) {
    let sending = directory::send_remote(cast.to, cast.message());
    let outcome = timeout(shared.limits.send_wait, sending)
        .await
        .unwrap_or(Err(SendRefused::Overloaded));
    // Taken after the wait. A timer that was cancelled meanwhile is gone from there.
    let mut running = shared.lock();
    let Some(timer) = running.timers.get_mut(&number) else {
        return;
    };
    timer.sent = Sent::Settled;
    match outcome {
        Ok(()) => running.settle(number, &shared.label, true),
        Err(SendRefused::Overloaded) => running.settle(number, &shared.label, false),
        Err(SendRefused::TooLarge) => {
            timer.refused += 1;
            running.end(number, &shared.label);
        }
        Err(SendRefused::UnknownActor) => running.end(number, &shared.label),
    }
}
