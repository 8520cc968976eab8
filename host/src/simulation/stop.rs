//! The stop of a process: the order that ships, carried out on what is here.

use std::time::{Duration, Instant};

use super::guest::Status;
use super::process::{Context, Effect, Event, Process};
use crate::host::sim::{DRAIN, LAST_WRITES, StopStep, Stopping};
use crate::supervision::sim::{ShutdownCommand, ShutdownOrder};

/// The longest wait of a guest for room for its last state, counted from the stop's beginning.
const ROOM: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Stop {
    order: Stopping,
    since: Instant,
    shutdown_order: Option<ShutdownOrder<u64>>,
    doing: Option<StopStep>,
    unkept: Vec<String>,
}

impl Process {
    pub(super) fn begin_to_stop(&mut self, context: &mut Context<'_>) {
        if self.stop.is_none() {
            context.trace("stops");
            self.stop = Some(Stop {
                order: Stopping::default(),
                since: context.now,
                shutdown_order: None,
                doing: None,
                unkept: Vec::new(),
            });
        }
    }

    /// Does what the order of the stop says, as far as it can be done now.
    pub(super) fn go_on_stopping(&mut self, context: &mut Context<'_>) {
        let Some(mut stop) = self.stop.take() else { return };
        loop {
            if let Some(step) = stop.order.poll_step(context.now) {
                self.take_step(&mut stop, step, context);
            }
            if !self.is_done(&mut stop, context) {
                break;
            }
            if stop.doing == Some(StopStep::Close) {
                context.effects.push(Effect::Ended(stop.unkept.clone()));
                break;
            }
            stop.doing = None;
            stop.order.handle_done();
        }
        let shutdown_order = stop.shutdown_order.as_ref().and_then(ShutdownOrder::poll_timeout);
        let writes = self.keeper.queue.finishes_at();
        for at in [stop.order.poll_timeout(), shutdown_order, writes]
            .into_iter()
            .flatten()
        {
            // More often than needed: the time may be another by then.
            if at > context.now {
                context.at(at, Event::Stopping);
            }
        }
        self.stop = Some(stop);
    }

    fn take_step(&mut self, stop: &mut Stop, step: StopStep, context: &mut Context<'_>) {
        context.trace(format!("{step:?}"));
        match step {
            StopStep::Quiesce => {
                self.peers.clear();
                let names: Vec<String> = self.guests.values().map(|guest| guest.name.clone()).collect();
                self.keeper.queue.handle_ending(names, context.now);
            }
            // Groups are none of the simulation's.
            StopStep::Leave => {}
            StopStep::Drain => {
                self.supervisor.freeze();
                let batches = self.guests.keys().map(|pid| vec![*pid]).collect();
                stop.shutdown_order = Some(ShutdownOrder::new(batches, DRAIN, context.now));
            }
            StopStep::LastCall => return self.keeper.askers.last_call(context.now),
            StopStep::Write => {
                self.keeper.askers.finish();
                self.keeper.queue.handle_finish(LAST_WRITES, context.now);
            }
            StopStep::Close => self.close_all(),
        }
        stop.doing = Some(step);
    }

    /// True if what was begun last is done.
    fn is_done(&mut self, stop: &mut Stop, context: &mut Context<'_>) -> bool {
        match stop.doing {
            None => false,
            Some(StopStep::Quiesce | StopStep::Leave | StopStep::LastCall) => true,
            Some(StopStep::Drain) => self.drain(stop, context),
            Some(StopStep::Write) => {
                let queue = &self.keeper.queue;
                let is_over = queue.is_idle() || queue.finishes_at().is_some_and(|at| at <= context.now);
                stop.unkept = queue.unkept();
                is_over
            }
            Some(StopStep::Close) => self.ends.is_empty(),
        }
    }

    fn drain(&mut self, stop: &mut Stop, context: &mut Context<'_>) -> bool {
        let Some(shutdown_order) = &mut stop.shutdown_order else {
            return true;
        };
        loop {
            for pid in self.leave(context) {
                shutdown_order.handle_ended(pid);
            }
            let commands = shutdown_order.poll_commands(context.now);
            for command in &commands {
                match *command {
                    ShutdownCommand::End(pid) => {
                        if let Some(guest) = self.guests.get_mut(&pid) {
                            guest.status = Status::Draining;
                        }
                    }
                    ShutdownCommand::Kill(pid) => {
                        context.trace(format!("{pid} is killed"));
                        if context.now < stop.since + DRAIN || !self.guests.contains_key(&pid) {
                            let found = format!("{pid} is killed before its time is over, or after its end");
                            context.history.violation(found);
                        }
                        self.withdraw(pid);
                    }
                }
            }
            if commands.is_empty() {
                return shutdown_order.is_over();
            }
        }
    }

    /// Guests that have nothing more to do bring their last states and end.
    fn leave(&mut self, context: &mut Context<'_>) -> Vec<u64> {
        let queue = &self.keeper.queue;
        let is_late = queue.ending().is_some_and(|since| since + ROOM <= context.now);
        let has_room = queue.has_room() || is_late;
        let guests = self.guests.values();
        let done = guests.filter(|guest| guest.status != Status::Running && guest.is_idle());
        let mut ended: Vec<u64> = done.filter(|_| has_room).map(|guest| guest.pid).collect();
        for pid in &ended {
            if let Some(guest) = self.guests.get(pid) {
                self.keeper.take_last(guest, context.wall);
            }
            self.withdraw(*pid);
        }
        // Nothing is restarted any more, so that one that waits for that has failed for good.
        let down = self
            .guests
            .values()
            .filter(|guest| guest.status != Status::Running && guest.is_down);
        let down: Vec<u64> = down.map(|guest| guest.pid).collect();
        for pid in &down {
            self.withdraw(*pid);
        }
        ended.extend(down);
        ended.append(&mut self.supervisor.ended);
        ended
    }
}
