//! What the host asks of a guest's actor, between two messages.

use std::collections::VecDeque;
use std::sync::Arc;

use super::going_back::GoBackRequest;
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
    /// Keep the state now, of an entity.
    KeepState,
    /// Go back to a state that was kept.
    GoBack(GoBackRequest),
}

impl Command {
    /// True if no message is to come before it, where it waits for handlers that are not done.
    fn holds_mailbox(&self) -> bool {
        matches!(self, Self::Reload(request) if request.holds_mailbox())
    }

    /// True if it waits for handlers that are not done.
    fn waits_for_handlers(&self) -> bool {
        matches!(
            self,
            Self::Reload(_) | Self::Snapshot(_) | Self::KeepState | Self::GoBack(_)
        )
    }

    /// True if whoever asked has given up.
    fn is_given_up(&self) -> bool {
        match self {
            Self::Reload(request) => request.is_given_up(),
            Self::Snapshot(request) => request.is_given_up(),
            Self::GoBack(request) => request.is_given_up(),
            Self::Restart(_) | Self::StopDue | Self::Confirm | Self::KeepState => false,
        }
    }

    /// True if asking twice is asking once.
    fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Restart(one), Self::Restart(other)) => one == other,
            (Self::StopDue, Self::StopDue) | (Self::Confirm, Self::Confirm) | (Self::KeepState, Self::KeepState) => {
                true
            }
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
    /// Whether any wait for handlers.
    postponed: AtomicBool,
    /// Whether any of those keeps messages waiting.
    holding: AtomicBool,
    /// Takes what has the actor look here.
    mailbox: Arc<Mailbox>,
}

#[derive(Debug, Default)]
struct CommandQueue {
    commands: VecDeque<Command>,
    /// Those that wait for handlers which aren't done.
    postponed: VecDeque<Command>,
    /// The actor has ended: nothing is asked of it any more.
    ended: bool,
}

/// Whether the handlers of a guest are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handlers {
    Done,
    Pending,
}

impl CommandQueue {
    /// The first that need not wait for handlers. Those before it are postponed.
    fn take_at_once(&mut self) -> Option<Command> {
        while let Some(command) = self.commands.pop_front() {
            if !command.waits_for_handlers() {
                return Some(command);
            }
            self.postponed.push_back(command);
        }
        None
    }
}

impl Commands {
    /// Nothing yet, of the actor that has this mailbox.
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self {
            queue: Mutex::default(),
            pending: AtomicBool::new(false),
            postponed: AtomicBool::new(false),
            holding: AtomicBool::new(false),
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
        // A token that stands for no message, or the next one would be taken in its place and overtake what natives have sent before. An
        // actor that drains takes no token. It looks here before each message that it still has, and gives up the rest as it ends.
        self.mailbox.resume();
    }

    /// True if something is asked of the actor.
    pub(crate) fn are_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// True if something that is asked waits for handlers which aren't done.
    pub(crate) fn are_postponed(&self) -> bool {
        self.postponed.load(Ordering::Acquire)
    }

    /// True if something that waits so keeps messages waiting.
    pub(crate) fn hold_mailbox(&self) -> bool {
        self.holding.load(Ordering::Acquire)
    }

    /// What has been asked of the actor for longest, if anything; while handlers are pending, what need not wait for them. The rest is
    /// postponed.
    pub(crate) fn take(&self, handlers: Handlers) -> Option<Command> {
        if !self.are_pending() && !self.are_postponed() {
            return None;
        }
        let mut queue = self.queue.lock();
        let command = match handlers {
            Handlers::Done => queue.postponed.pop_front().or_else(|| queue.commands.pop_front()),
            Handlers::Pending => queue.take_at_once(),
        };
        self.tell_of(&queue);
        command
    }

    /// Forgets what waits for handlers and nobody waits for any more.
    pub(crate) fn forget_given_up(&self) {
        if self.are_postponed() {
            let mut queue = self.queue.lock();
            queue.postponed.retain(|command| !command.is_given_up());
            self.tell_of(&queue);
        }
    }

    /// Nothing waits for handlers any more. Whoever asked hears that it won't be done, because the command is dropped.
    pub(crate) fn give_up_postponed(&self) {
        let mut queue = self.queue.lock();
        let given_up = std::mem::take(&mut queue.postponed);
        self.tell_of(&queue);
        // Outside of the lock: dropping wakes whoever waits.
        drop(queue);
        drop(given_up);
    }

    /// Under the lock, or a command that comes meanwhile would be there with the flag down.
    fn tell_of(&self, queue: &CommandQueue) {
        self.pending.store(!queue.commands.is_empty(), Ordering::Release);
        self.postponed.store(!queue.postponed.is_empty(), Ordering::Release);
        let is_holding = queue.postponed.iter().any(Command::holds_mailbox);
        self.holding.store(is_holding, Ordering::Release);
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
        let given_up = (
            std::mem::take(&mut queue.commands),
            std::mem::take(&mut queue.postponed),
        );
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
        let taken = std::iter::from_fn(|| commands.take(Handlers::Done));
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
    async fn what_waits_for_handlers_comes_first_when_they_are_done() {
        let commands = commands().await;
        let (tell, asked) = tokio::sync::oneshot::channel();
        commands.request(Command::Snapshot(SnapshotRequest { room: None, tell }));
        commands.request(restart("a"));
        let now = commands.take(Handlers::Pending).map(|command| format!("{command:?}"));
        assert_eq!(now.as_deref(), Some("Restart(\"a\")"));
        assert!(commands.take(Handlers::Pending).is_none());
        assert!(commands.are_postponed() && !commands.are_pending());
        commands.request(restart("b"));
        assert!(matches!(commands.take(Handlers::Done), Some(Command::Snapshot(_))));
        assert!(commands.are_pending() && !commands.are_postponed());
        drop(asked);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_forgotten() {
        let commands = commands().await;
        let (tell, asked) = tokio::sync::oneshot::channel();
        commands.request(Command::Snapshot(SnapshotRequest { room: None, tell }));
        assert!(commands.take(Handlers::Pending).is_none());
        commands.forget_given_up();
        assert!(commands.are_postponed());
        drop(asked);
        commands.forget_given_up();
        assert!(!commands.are_postponed() && commands.take(Handlers::Done).is_none());
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
