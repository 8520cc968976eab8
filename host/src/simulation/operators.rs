//! Operators end guests and start them again, of whatever version is current then.

use super::SECOND;
use super::computer::guest_name;
use super::guest::{Guest, Status};
use super::process::{Context, Event, Process, advertisement};
use super::rollouts::Turn;
use ractor_host_cluster::internals::LocalChange;

impl Process {
    pub(super) fn end_one(&mut self, context: &mut Context<'_>) {
        if self.stop.is_some() || context.is_calm {
            return;
        }
        context.soon(2 * self.plan.ends_every, Event::Reload(Turn::End));
        let guests = self.guests.values_mut();
        let mut guests: Vec<_> = guests.filter(|guest| !guest.is_down).collect();
        let at = context.random.below(guests.len() as u64) as usize;
        if let Some(guest) = guests.get_mut(at) {
            guest.status = Status::Draining;
        }
    }

    /// Guests that were ended leave when they have nothing more to do.
    pub(super) fn leave_in_order(&mut self, context: &mut Context<'_>) {
        if self.stop.is_some() {
            return;
        }
        let guests = self.guests.values();
        let done = guests.filter(|guest| guest.status == Status::Draining && guest.is_idle());
        let done: Vec<(u64, usize)> = done.map(|guest| (guest.pid, guest.index)).collect();
        for (pid, index) in done {
            if let Some(guest) = self.guests.get(&pid) {
                self.keeper.take_last(guest, context.wall);
                context.history.brought((self.computer, index), &guest.notes);
                if !guest.is_complete() {
                    let found = format!("{} took {} messages, and not all were handled", guest.name, guest.taken);
                    context.history.violation(found);
                }
            }
            self.withdraw(pid);
            context.soon(3 * SECOND, Event::Reload(Turn::Start(index)));
        }
    }

    pub(super) fn start_one(&mut self, index: usize, context: &mut Context<'_>) {
        if self.stop.is_some() {
            return;
        }
        let name = guest_name(index);
        let Some(notes) = self.keeper.latest(&name) else {
            return context.after(SECOND, Event::Reload(Turn::Start(index)));
        };
        context.history.resumed((self.computer, index), &notes);
        self.reloads.started += 1;
        let pid = self.pid(self.plan.guests as u64 + self.reloads.started);
        let guest = Guest::new(pid, index, name, notes, self.plan.mailbox, self.reloads.current);
        let change = advertisement(&guest);
        self.guests.insert(pid, guest);
        for end in self.ends.values_mut() {
            end.session.handle_local(LocalChange::Spawned(change.clone()));
        }
    }
}
