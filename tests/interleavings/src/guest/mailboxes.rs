//! Senders, a guest's actor that takes what they put, and its end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shuttle::future::{JoinHandle, block_on, spawn};

use crate::accounting::family::Quota;
use crate::accounting::label::Label;
use crate::actor::commands::{Command, Commands, Handlers};
use crate::directory::{Inbox as _, PutRefused};
use crate::message::SerializedMessage;
use crate::policy::limits::{Limits, WhenFull};
use crate::stand_in::ActorCell;
use crate::store::mailbox::Mailbox;

/// The number of messages of each sender.
const MESSAGES: u8 = 3;

/// The number of messages that have room.
const ROOM: usize = 2;

struct Guest {
    actor: ActorCell,
    label: Label,
    mailbox: Arc<Mailbox>,
    commands: Arc<Commands>,
}

impl Guest {
    fn new(mailbox_full: WhenFull) -> Self {
        let (actor, label) = (ActorCell::new(), Label::default());
        let limits = Limits {
            mailbox_messages: ROOM,
            mailbox_bytes: usize::MAX,
            mailbox_full,
        };
        let quota = Arc::new(Quota::new(&limits));
        let mailbox = Mailbox::new(actor.clone(), label.clone(), Arc::new(limits), quota);
        let mailbox = Arc::new(mailbox);
        Self {
            commands: Arc::new(Commands::new(mailbox.clone())),
            mailbox,
            actor,
            label,
        }
    }

    /// Takes messages as the actor does: one for each token, until there are no more. Gives them, and the commands.
    fn handle(&self) -> JoinHandle<(Vec<Vec<u8>>, usize)> {
        let (actor, mailbox, asked) = (self.actor.clone(), self.mailbox.clone(), self.commands.clone());
        spawn(async move {
            let (mut handled, mut commands) = (Vec::new(), 0);
            while actor.receive().await.is_some() {
                while asked.take(Handlers::Done).is_some() {
                    commands += 1;
                }
                if let Some(SerializedMessage::Cast { args, .. }) = mailbox.next().map(|received| received.message) {
                    handled.push(args);
                }
            }
            mailbox.end();
            asked.end();
            (handled, commands)
        })
    }

    /// Puts all messages of a sender, and waits for room where it may. Gives those that were taken.
    fn send(&self, sender: u8) -> JoinHandle<Vec<Vec<u8>>> {
        let mailbox = self.mailbox.clone();
        spawn(async move {
            let mut taken = Vec::new();
            for number in 0..MESSAGES {
                let args = vec![sender, number];
                loop {
                    // Before the attempt, so that nothing is missed.
                    let room = mailbox.room();
                    let message = SerializedMessage::Cast {
                        variant: String::new(),
                        args: args.clone(),
                        metadata: None,
                    };
                    match (mailbox.put(message).map_err(|not_put| not_put.reason), room) {
                        (Ok(_), _) => taken.push(args),
                        (Err(PutRefused::Full), Some(room)) => {
                            room.await;
                            continue;
                        }
                        (Err(_), _) => {}
                    }
                    break;
                }
            }
            taken
        })
    }

    /// Stops the actor in order.
    fn stop(&self) {
        self.actor.drain();
    }
}

fn of(sender: u8, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_of = |message: &&Vec<u8>| message.first() == Some(&sender);
    messages.iter().filter(is_of).cloned().collect()
}

/// Every sender that waits for room gets it, and every message is handled, each sender's in order.
pub fn every_message_is_handled() {
    let guest = Guest::new(WhenFull::Wait);
    let actor = guest.handle();
    let senders = [1, 2].map(|sender| (sender, guest.send(sender)));
    let mut taken = Vec::new();
    for (sender, task) in senders {
        taken.push((sender, block_on(task).unwrap_or_default()));
    }
    guest.stop();
    let (handled, _) = block_on(actor).unwrap_or_default();
    for (sender, taken) in taken {
        assert_eq!(taken.len(), usize::from(MESSAGES));
        assert_eq!(of(sender, &handled), taken);
    }
    assert_eq!(guest.label.dead_letters.load(Ordering::Relaxed), 0);
}

/// A stop amidst the messages: what was taken is handled, what was not is refused, and nobody waits for ever.
pub fn a_stop_loses_nothing_that_was_taken() {
    let guest = Guest::new(WhenFull::Wait);
    let actor = guest.handle();
    let senders = [1, 2].map(|sender| (sender, guest.send(sender)));
    guest.stop();
    let (handled, _) = block_on(actor).unwrap_or_default();
    for (sender, task) in senders {
        assert_eq!(of(sender, &handled), block_on(task).unwrap_or_default());
    }
    assert_eq!(guest.label.dead_letters.load(Ordering::Relaxed), 0);
}

/// Where the oldest make room for the newest, each is handled or counted.
pub fn what_is_dropped_is_counted() {
    let guest = Guest::new(WhenFull::DropOldest);
    let actor = guest.handle();
    let senders = [1, 2].map(|sender| guest.send(sender));
    let taken: usize = senders
        .map(|task| block_on(task).unwrap_or_default().len())
        .iter()
        .sum();
    guest.stop();
    let (handled, _) = block_on(actor).unwrap_or_default();
    // The last ones are counted when the mailbox is half empty, which it is at the end.
    assert_eq!(handled.len() + guest.label.dead_letters.load(Ordering::Relaxed), taken);
}

/// Every command of the host is carried out, whatever else comes.
pub fn no_command_is_overlooked() {
    let guest = Guest::new(WhenFull::Wait);
    let actor = guest.handle();
    let sender = guest.send(1);
    let asker = {
        let commands = guest.commands.clone();
        spawn(async move {
            commands.request(Command::Restart("one".to_owned()));
            commands.request(Command::Restart("another".to_owned()));
        })
    };
    assert!(block_on(sender).is_ok() && block_on(asker).is_ok());
    guest.stop();
    let (_, commands) = block_on(actor).unwrap_or_default();
    assert_eq!(commands, 2);
}
