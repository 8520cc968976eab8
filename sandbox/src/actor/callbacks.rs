//! What a guest does when ractor calls: with a message, with news of another actor, when it has started and when it stops.

use ractor::message::SerializedMessage;
use ractor::{ActorProcessingErr, ActorRef, SupervisionEvent};

use super::commands::Command;
use super::describe;
use super::events;
use super::guest::{Guest, Opaque, Running};
use super::work::{Work, handle};
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::directory::DESCRIBE_VARIANT;
use crate::entities::is_nudge;
use crate::store::mailbox::waiting::{Received, is_cast};

impl Guest {
    pub(super) async fn started(
        &self,
        myself: ActorRef<Opaque>,
        running: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        let mut instance = running.take()?;
        let outcome = instance.post_start().await;
        self.conclude(&myself, running, instance, outcome).await.map(drop)
    }

    /// Handles a message by itself, after the casts that are held. True if the actor goes on.
    pub(super) async fn take_message(
        &self,
        myself: &ActorRef<Opaque>,
        received: Received,
        running: &mut Running,
    ) -> Result<bool, ActorProcessingErr> {
        // A reminder that isn't handled now comes again.
        let is_cast = is_cast(&received.message) && !is_nudge(&received.message);
        if !Box::pin(self.handle_held_casts(myself, running)).await? {
            // A call that is dropped here tells its caller; nobody else would hear of a cast.
            telemetry::dead_letters(&running.label, "ended", usize::from(is_cast));
            return Ok(false);
        }
        if running.is_blocked() {
            // One of the casts has begun what isn't done.
            running.keep_first(received);
            return Ok(true);
        }
        let Received { message, trace } = received;
        let message = match message {
            // The answer is the module's: neither the instance nor a trial of its code has a part in it.
            SerializedMessage::Call {
                variant, args, reply, ..
            } if variant == DESCRIBE_VARIANT => {
                Box::pin(describe::answer(&running.life, &args, reply)).await;
                return Ok(true);
            }
            message => message,
        };
        let message = match &self.seat {
            Some(seat) if is_nudge(&message) => match seat.begin_reminder() {
                Some(message) => message,
                None => return Ok(true),
            },
            Some(seat) => match seat.begin_message(message) {
                Some(message) => message,
                None => return Ok(true),
            },
            None => message,
        };
        if let (Some(trace), Some(instance)) = (&trace, &mut running.instance) {
            instance.begin_span(trace, &message);
        }
        if running.probation.is_some() {
            return Box::pin(self.prove(myself, running, Work::Message(message))).await;
        }
        let mut instance = running.take()?;
        let outcome = handle(&mut instance, message).await;
        if is_cast && outcome.is_err() {
            telemetry::dead_letters(&running.label, "failed", 1);
        }
        self.conclude(myself, running, instance, outcome).await
    }

    pub(super) async fn handle_event(
        &self,
        myself: ActorRef<Opaque>,
        event: SupervisionEvent,
        running: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        let mut instance = running.take()?;
        if instance.supervises(&event) {
            self.tell_child_event(&event);
        }
        // Also for an event that the guest has no words for: places of children and counts of changes are given back
        // here.
        let hears = instance.admits(&event);
        let Some(event) = events::for_guest(event, &self.family).filter(|_| hears) else {
            running.put_unused(instance);
            return Ok(());
        };
        if running.probation.is_some() {
            running.instance = Some(instance);
            return Box::pin(self.prove(&myself, running, Work::Event(event)))
                .await
                .map(drop);
        }
        let outcome = instance.handle_supervisor_evt(&event).await;
        self.conclude(&myself, running, instance, outcome).await.map(drop)
    }

    pub(super) async fn stopped(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        if running.life.mailbox.is_draining() {
            self.finish(myself, running).await?;
        }
        // Now, and not with the actor's state, which outlives it: there are calls among it whose callers wait.
        running.give_up_kept();
        let mut instance = running.take()?;
        if let Some(seat) = &self.seat {
            self.end_entity(running, seat, &mut instance).await;
        } else if running.pending.is_some() {
            let Label { name, pid, .. } = &running.label;
            tracing::warn!(
                actor = &**name,
                pid,
                "the actor ends before a handler that is pending is done"
            );
            // In the middle of a handler there is no state to keep.
            self.expect_no_checkpoint(&running.label);
        } else {
            // Before `post-stop`, which may give up the state.
            self.write_last_checkpoint(&running.life, &running.label, &mut instance)
                .await;
        }
        let outcome = instance.post_stop().await;
        // After it: a guest can be found, and answer calls that it has put off, to its very end.
        self.set_presence(None);
        if let Some(seat) = &self.seat {
            seat.over();
        }
        Ok(outcome?)
    }

    /// Does all that the host asks. True if the actor goes on.
    pub(super) async fn run_commands(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
    ) -> Result<bool, ActorProcessingErr> {
        while let Some(command) = running.life.commands.take(running.handlers()) {
            if !self.run_command(myself, running, command).await? {
                return Ok(false);
            }
        }
        // Those that wait for handlers which aren't done.
        if running.life.commands.are_postponed() {
            running.hold();
        }
        Ok(true)
    }

    async fn run_command(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        command: Command,
    ) -> Result<bool, ActorProcessingErr> {
        match command {
            Command::Restart(reason) => {
                let Label { name, pid, .. } = &running.label;
                tracing::info!(actor = &**name, pid, reason, "restarting the actor");
                self.restart_in_place(myself, running).await?;
            }
            Command::StopDue => {
                let mut instance = running.take()?;
                // The instance may be another by now than the one whose timer has asked.
                if instance.take_timed_stop() {
                    return self.stop(myself, running, instance, None).await;
                }
                running.put_unused(instance);
            }
            Command::Reload(request) => return self.reload(myself, running, *request).await,
            Command::Confirm => running.confirm(),
            Command::Snapshot(asked) => self.snapshot(myself, running, asked).await?,
            Command::KeepState => {
                if let Some(seat) = &self.seat {
                    return Box::pin(self.keep_state(myself, running, seat)).await;
                }
            }
            Command::GoBack(request) => Box::pin(self.go_back(myself, running, request)).await?,
        }
        Ok(true)
    }
}
