//! What the host asks of a guest's actor, between two messages.

use std::collections::VecDeque;
use std::sync::Arc;

use super::reload::{ReloadRequest, SnapshotRequest};
use crate::store::mailbox::Mailbox;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// One thing that the host asks.
#[derive(Debug)]
pub(crate) enum Command {
    /// Go on with a fresh instance, because of this.
    Restart(String),
    /// Stop, as if the guest asked for it in a message, if a timer of the instance that is there by then has asked for that. So a
    /// stop that an instance which is gone has asked for means nothing.
    StopDue,
    /// Go on with other code.
    Reload(Box<ReloadRequest>),
    /// What was reloaded has proven itself.
    Confirm,
    /// Say what the state is.
    Snapshot(SnapshotRequest),
}

impl Command {
    /// True if asking twice is asking once.
    fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Restart(one), Self::Restart(other)) => one == other,
            (Self::StopDue, Self::StopDue) | (Self::Confirm, Self::Confirm) => true,
            _ => false,
        }
    }
}

/// What is asked of one actor, in the order that it was asked.
#[derive(Debug)]
pub(crate) struct Commands {
    queue: Mutex<CommandQueue>,
    /// Whether there are any. Read before every message, so without the lock.
    pending: AtomicBool,
    /// Takes the token that has the actor look here.
    mailbox: Arc<Mailbox>,
}

#[derive(Debug, Default)]
struct CommandQueue {
    commands: VecDeque<Command>,
    /// The actor has ended: nothing is asked of it any more.
    ended: bool,
}

impl Commands {
    /// Nothing yet, of the actor that has this mailbox.
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self {
            queue: Mutex::default(),
            pending: AtomicBool::new(false),
            mailbox,
        }
    }

    /// Asks something of the actor, unless it has ended or is asked that already.
    pub(crate) fn request(&self, command: Command) {
        let mut queue = self.queue.lock();
        // Dropped, which tells whoever asked: nobody looks here any more.
        if queue.ended || queue.commands.iter().any(|other| other.repeats(&command)) {
            return;
        }
        queue.commands.push_back(command);
        // Under the lock, like its opposite in `take`; and before the token that says to look.
        self.pending.store(true, Ordering::Release);
        drop(queue);
        // An actor that drains takes no token. It looks here before each message that it still has, and gives up the
        // rest as it ends.
        self.mailbox.wake();
    }

    /// True if something is asked of the actor.
    pub(crate) fn are_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// What has been asked of the actor for longest, if anything.
    pub(crate) fn take(&self) -> Option<Command> {
        if !self.are_pending() {
            return None;
        }
        let mut queue = self.queue.lock();
        let command = queue.commands.pop_front();
        // Under the lock, or a command that comes meanwhile would be there with the flag down.
        self.pending.store(!queue.commands.is_empty(), Ordering::Release);
        command
    }

    /// True if what was reloaded has proven itself, and the actor has not come to hear of it.
    pub(crate) fn include_confirmation(&self) -> bool {
        let is_confirmation = |command: &Command| matches!(command, Command::Confirm);
        self.are_pending() && self.queue.lock().commands.iter().any(is_confirmation)
    }

    /// The actor has ended. Whoever asked for something hears that it won't be, because the command is dropped.
    pub(crate) fn end(&self) {
        let mut queue = self.queue.lock();
        // In the same step as they are taken out, or a command could come in between and wait for ever.
        queue.ended = true;
        let given_up = std::mem::take(&mut queue.commands);
        // Outside of the lock: dropping wakes whoever waits.
        drop(queue);
        drop(given_up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::limits::Limits;
    use crate::store::mailbox::tests::mailbox;

    async fn commands() -> Commands {
        Commands::new(mailbox(Limits::default()).await)
    }

    fn restart(reason: &str) -> Command {
        Command::Restart(reason.to_owned())
    }

    fn all(commands: &Commands) -> Vec<String> {
        let taken = std::iter::from_fn(|| commands.take());
        taken.map(|command| format!("{command:?}")).collect()
    }

    #[tokio::test]
    async fn they_are_taken_in_order_and_what_is_asked_twice_is_done_once() {
        let commands = commands().await;
        assert!(!commands.are_pending());
        for command in [
            restart("a"),
            Command::Confirm,
            restart("a"),
            restart("b"),
            Command::Confirm,
        ] {
            commands.request(command);
        }
        assert!(commands.are_pending() && commands.include_confirmation());
        assert_eq!(all(&commands), ["Restart(\"a\")", "Confirm", "Restart(\"b\")"]);
        assert!(!commands.are_pending() && !commands.include_confirmation());
    }

    #[tokio::test]
    async fn nothing_is_asked_of_an_actor_that_has_ended() {
        let commands = commands().await;
        commands.request(restart("in time"));
        commands.end();
        commands.request(restart("too late"));
        assert_eq!(all(&commands), Vec::<String>::new());
    }
}
