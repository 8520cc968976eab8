//! How a guest goes on after a callback: with the same instance, with a fresh one, or not at all.

use ractor::{ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use super::child_events::ChildChange;
use super::guest::{Guest, Opaque, Running};
use crate::accounting::label::Label;
use crate::instance::calls::Instance;
use crate::instance::error::GuestError;
use crate::policy::restart::RestartDecision;

/// Why a guest doesn't simply wait for what comes next, after a callback.
enum AfterCallback {
    /// It has asked to stop, with this reason.
    Stops(Box<Instance>, Option<String>),
    /// Its instance is gone.
    Failed(GuestError),
}

impl Running {
    /// Puts the instance back, if it is to wait for what comes next.
    fn put_back(&mut self, mut instance: Box<Instance>, outcome: Result<(), GuestError>) -> Result<(), AfterCallback> {
        // Also after a failure: the next instance has another state.
        self.life.turn();
        instance.end_span(&outcome);
        if let Err(error) = outcome {
            self.forget_handlers();
            return Err(AfterCallback::Failed(error));
        }
        // The message in which a guest asks to stop is handled first, which takes as long as its handler is pending; but not for ever.
        let may_stop = !instance.holds_mailbox() || instance.check_held().is_err();
        if may_stop && let Some(reason) = instance.take_stop_request() {
            self.pending = instance.take_pending();
            return Err(AfterCallback::Stops(instance, reason));
        }
        self.wait_with(instance).map_err(|error| {
            self.forget_handlers();
            AfterCallback::Failed(error)
        })
    }
}

impl Guest {
    /// After a callback: the instance lives on, or is replaced, or the actor ends. True if the actor goes on.
    pub(super) async fn conclude(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        instance: Box<Instance>,
        outcome: Result<(), GuestError>,
    ) -> Result<bool, ActorProcessingErr> {
        match running.put_back(instance, outcome) {
            Ok(()) => match &self.seat {
                None => Ok(true),
                Some(seat) => Box::pin(self.keep_state(myself, running, seat)).await,
            },
            // What happens seldom has a future of its own, so that those of messages stay small.
            Err(AfterCallback::Stops(instance, reason)) => Box::pin(self.stop(myself, running, instance, reason)).await,
            Err(AfterCallback::Failed(error)) => Box::pin(self.recover(myself, running, error)).await.map(|()| true),
        }
    }

    /// The guest has asked to stop. True if the actor goes on, with a fresh instance.
    pub(super) async fn stop(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        mut instance: Box<Instance>,
        reason: Option<String>,
    ) -> Result<bool, ActorProcessingErr> {
        match self.restarting.after_stop(Instant::now()) {
            RestartDecision::GiveUp => {
                // ractor calls `post_stop`, which needs it.
                running.instance = Some(instance);
                myself.stop(reason);
                Ok(false)
            }
            RestartDecision::Restart { after, .. } => {
                let Label { name, pid, .. } = &running.label;
                tracing::info!(
                    actor = &**name,
                    pid,
                    ?after,
                    reason,
                    "the actor stopped itself; it is restarted"
                );
                // The instance is kept over the wait: if the node stops meanwhile, it still has a last state to
                // bring.
                if !self.restarting.restarts.wait(after).await {
                    running.instance = Some(instance);
                    myself.stop(reason);
                    return Ok(false);
                }
                if running.pending.is_none() {
                    // Before `post-stop`, which may give up the state.
                    self.write_last_checkpoint(&running.life, &running.label, &mut instance)
                        .await;
                }
                if let Err(error) = instance.post_stop().await {
                    tracing::warn!(actor = &**name, pid, %error, "the actor failed while it stopped");
                }
                self.restart_in_place(myself, running).await?;
                Ok(true)
            }
        }
    }

    /// After a failure: a fresh instance, or the actor fails.
    pub(super) async fn recover(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        mut error: GuestError,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(seat) = &self.seat {
            drop(seat.failed());
        }
        // What the failed instance supervised was its own affair; the next one knows nothing of it.
        self.end_children(myself);
        let mut has_waited = false;
        loop {
            let label = &running.label;
            // Each time around: a start that fails is a failure like any other, in the metric and for the budget.
            running.life.failed(label, &error);
            let verdict = self.restarting.after_failure(Instant::now());
            if let RestartDecision::Restart { after, restart } = verdict {
                tracing::error!(actor = &*label.name, pid = label.pid, %error, restart, ?after, "the actor failed; it is restarted");
            }
            let goes_on = match verdict {
                RestartDecision::Restart { after, .. } => {
                    has_waited = true;
                    self.restarting.restarts.wait(after).await
                }
                RestartDecision::GiveUp => false,
            };
            if !goes_on {
                if has_waited {
                    // A stop of the node expects a last state of each actor, but what this one knew went with its
                    // last instance.
                    self.expect_no_checkpoint(label);
                }
                // The actor leaves the directory before its supervisor hears of it, who may want to start another under
                // the same name.
                self.set_presence(None);
                return Err(error.into());
            }
            match self.try_restart(myself, running).await {
                Ok(()) => {
                    self.tell_restart(&running.label, &myself.get_cell(), || error.to_string());
                    return Ok(());
                }
                Err(again) => error = again,
            }
        }
    }

    /// Goes on with a fresh instance, at once.
    pub(super) async fn restart_in_place(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        // The instance first, and its timers with it: it can start no child any more that would be missed here.
        running.instance = None;
        running.forget_handlers();
        self.end_children(myself);
        match self.try_restart(myself, running).await {
            Ok(()) => {
                let asked = || "it was asked to go on afresh".to_owned();
                self.tell_restart(&running.label, &myself.get_cell(), asked);
                Ok(())
            }
            Err(error) => self.recover(myself, running, error).await,
        }
    }

    pub(super) async fn try_restart(&self, myself: &ActorRef<Opaque>, running: &mut Running) -> Result<(), GuestError> {
        // Before the start: new code that fails as it starts afresh doesn't get back what was there before the reload
        // either.
        running.is_restarted();
        let Running { label, life, .. } = running;
        life.turn();
        // Asked now, because a reload, or one that was taken back, may have changed it since the actor started.
        let mut module = life.module();
        // A guest that can't take its state along has waited for this to go over to optimized code.
        if let Some(optimized) = self.modules.better(&module) {
            life.set_module(optimized.clone());
            module = optimized;
        }
        let started = async {
            let mut instance = Box::new(self.start_instance(life, label, &module).await?);
            instance.post_start().await?;
            Ok(instance)
        };
        let started = match started.await {
            Ok(instance) => running.wait_with(instance),
            Err(error) => Err(error),
        };
        match started {
            Ok(()) => {
                running.life.restarted(&running.label);
                self.restarting.restarts.restarted();
                Ok(())
            }
            Err(error) => {
                // It may have had children by then.
                self.end_children(myself);
                Err(error)
            }
        }
    }

    /// Ends the children of an actor whose instance is gone.
    pub(super) fn end_children(&self, myself: &ActorRef<Opaque>) {
        for child in myself.get_children() {
            // It is not to hear of them: the next instance never had these children.
            child.unlink(myself.get_cell());
            child.kill();
            self.tell_child(&child, ChildChange::Ended("its parent goes on afresh, or ends"));
        }
    }
}
