//! Numbered messages, what became of them, and an actor that records those that it gets.
//!
//! A message is the variant `note` with nine bytes: its sender, and its number in little-endian order.

use std::ops::Range;

use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, Message, RpcReplyPort, call_t, concurrency, pg};
use ractor_host::directory;

use crate::Error;
use crate::commands::{PATIENCE, send_raw};

/// The longest wait for the recorder to answer, in milliseconds.
const RECORDER_TIMEOUT_MS: u64 = 5_000;

fn note(sender: u8, number: u64) -> Vec<u8> {
    [&[sender][..], &number.to_le_bytes()].concat()
}

/// Sends messages with these numbers. Gives what became of each.
pub(crate) async fn send(target: &str, sender: u8, numbers: Range<u64>, calls: u64) -> String {
    let mut outcomes = String::new();
    for number in numbers {
        // By its name each time: the actor may have come back as another one.
        let outcome = match directory::find(target).await {
            None => 'r',
            Some(target) if number.is_multiple_of(calls) => call(&target, note(sender, number)).await,
            Some(target) => cast(&target, "note", note(sender, number), 's'),
        };
        outcomes.push(outcome);
        tokio::task::yield_now().await;
    }
    outcomes
}

/// Has another actor send them to a group.
pub(crate) async fn relay(target: &str, sender: u8, numbers: Range<u64>, group: &str) -> String {
    let mut outcomes = String::new();
    for number in numbers {
        let args = [note(sender, number), group.as_bytes().to_vec()].concat();
        // Whether the other actor gets it, and sends it, is not known here.
        if let Some(target) = directory::find(target).await {
            cast(&target, "relay", args, 's');
        }
        outcomes.push('y');
        tokio::task::yield_now().await;
    }
    outcomes
}

fn cast(target: &ActorCell, variant: &str, args: Vec<u8>, sent: char) -> char {
    let message = SerializedMessage::Cast {
        variant: variant.to_owned(),
        args,
        metadata: None,
    };
    match target.send_serialized(message) {
        Ok(()) => sent,
        Err(_) => 'r',
    }
}

async fn call(target: &ActorCell, args: Vec<u8>) -> char {
    let Ok(reply) = send_raw(target, "note", args.clone()) else {
        return 'r';
    };
    match concurrency::timeout(PATIENCE, reply).await {
        Ok(Ok(reply)) if reply == args => 'a',
        _ => 'u',
    }
}

/// What the recorder understands.
pub(crate) enum Note {
    Cast(Vec<u8>),
    Call(Vec<u8>, RpcReplyPort<Vec<u8>>),
    /// All that it has.
    All(RpcReplyPort<Vec<(u8, u64)>>),
}

impl Message for Note {
    fn serializable() -> bool {
        true
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, ractor::message::BoxedDowncastErr> {
        match message {
            SerializedMessage::Cast { args, .. } => Ok(Self::Cast(args)),
            SerializedMessage::Call { args, reply, .. } => Ok(Self::Call(args, reply)),
            SerializedMessage::CallReply(..) => Err(ractor::message::BoxedDowncastErr),
        }
    }
}

struct Recorder;

impl Actor for Recorder {
    type Msg = Note;
    type State = Vec<(u8, u64)>;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Note>, (): ()) -> Result<Self::State, ActorProcessingErr> {
        Ok(Vec::new())
    }

    async fn handle(&self, _: ActorRef<Note>, message: Note, has: &mut Self::State) -> Result<(), ActorProcessingErr> {
        let entry = |args: &[u8]| match args {
            [sender, number @ ..] => Some((*sender, u64::from_le_bytes(number.try_into().ok()?))),
            [] => None,
        };
        match message {
            Note::Cast(args) => has.extend(entry(&args)),
            Note::Call(args, reply) => {
                has.extend(entry(&args));
                reply.send(args)?;
            }
            Note::All(reply) => reply.send(has.clone())?,
        }
        Ok(())
    }
}

/// Spawns a recorder and enters it in its group.
pub(crate) async fn spawn(name: &str, group: &str) -> Result<String, Error> {
    let (recorder, _) = Actor::spawn(Some(name.to_owned()), Recorder, ()).await?;
    pg::join(group.to_owned(), vec![recorder.get_cell()]);
    Ok(String::new())
}

/// What a recorder has.
pub(crate) async fn recorded(recorder: ActorCell) -> Result<String, Error> {
    let recorder = ActorRef::<Note>::from(recorder);
    let entries = call_t!(recorder, Note::All, RECORDER_TIMEOUT_MS)?;
    let entries: Vec<_> = entries
        .iter()
        .map(|(sender, number)| format!("{sender}:{number}"))
        .collect();
    Ok(entries.join(" "))
}
