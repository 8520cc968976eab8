//! A kitchen as a case has it: calls and casts from where the case is run.

use std::fmt;
use std::time::Duration;

use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{ActorCell, Message, RpcReplyPort, concurrency};
use ractor_host::{CallError, directory};
use ractor_host_tests::wait;

use crate::cases::Case;
use crate::here::{RUNTIME, eventually};
use crate::restaurant::Restaurant;
use crate::wire::{args, number, numbers, text};

/// The longest wait for a reply. Only a failing case waits this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest wait of a stock program for a reply that never comes: the published protocol can't say that a call failed.
const SILENCE: Duration = Duration::from_millis(100);

/// The count by which a case sees whether the kitchen failed.
const COUNT: u64 = 5;

/// Who calls a kitchen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Another guest of its node.
    Here,
    /// A native actor on another node.
    OtherNode,
    /// A program on the published `ractor_cluster`, which doesn't hear why a call failed.
    Stock,
}

pub(crate) const EVERYBODY: &[Caller] = &[Caller::Here, Caller::OtherNode, Caller::Stock];
pub(crate) const GUEST: &[Caller] = &[Caller::Here];
pub(crate) const NATIVE: &[Caller] = &[Caller::OtherNode];

/// What a call came to: the reply, or what the caller hears.
pub(crate) type Came = Result<Vec<u8>, String>;

/// A kitchen, for one case and one caller.
pub(crate) struct Kitchen<'a> {
    pub(crate) restaurant: &'a Restaurant,
    /// Its name on its node.
    pub(crate) name: String,
    caller: Caller,
}

impl<'a> Kitchen<'a> {
    pub(crate) fn new(restaurant: &'a Restaurant, case: &Case, caller: Caller) -> Self {
        Self {
            restaurant,
            name: case.actor(caller),
            caller,
        }
    }

    /// Another one of the same node, for the same caller.
    pub(crate) fn other(&self, name: &str) -> Self {
        Self {
            restaurant: self.restaurant,
            name: name.to_owned(),
            caller: match self.caller {
                Caller::Stock => Caller::OtherNode,
                caller => caller,
            },
        }
    }

    /// The same one, called from another node.
    pub(crate) fn full_name(&self) -> String {
        self.restaurant.at_home(&self.name)
    }

    pub(crate) fn call(&self, variant: &str, arguments: &[u8]) -> Came {
        self.call_within(PATIENCE, variant, arguments)
    }

    fn call_within(&self, stock: Duration, variant: &str, arguments: &[u8]) -> Came {
        match self.caller {
            Caller::OtherNode => call(&self.full_name(), variant, arguments.to_vec()),
            Caller::Here => {
                let passed_on = args![&self.name, variant, arguments, 20_000_u64];
                call(&self.restaurant.at_home("waiter"), "Call", passed_on)
            }
            Caller::Stock => {
                let line = format!(
                    "raw-call {} {}/{} {variant} {}",
                    stock.as_millis(),
                    self.restaurant.group(),
                    self.name,
                    hex(arguments)
                );
                let mut stock = self.restaurant.stock();
                stock.try_run(&line).map(|reply| unhex(&reply))
            }
        }
    }

    /// Casts; what comes of it shows later.
    pub(crate) fn cast(&self, variant: &str, arguments: &[u8]) {
        match self.caller {
            Caller::OtherNode => cast(&self.full_name(), variant, arguments.to_vec()),
            Caller::Here => {
                let passed_on = args![&self.name, variant, arguments];
                let sent = call(&self.restaurant.at_home("waiter"), "Cast", passed_on);
                assert_eq!(sent, Ok(vec![1]), "{variant} was sent");
            }
            Caller::Stock => {
                let line = format!(
                    "raw-cast {}/{} {variant} {}",
                    self.restaurant.group(),
                    self.name,
                    hex(arguments)
                );
                self.restaurant.stock().run(&line);
            }
        }
    }

    /// A reply that has to come.
    #[track_caller]
    pub(crate) fn ask(&self, variant: &str, arguments: &[u8]) -> Vec<u8> {
        match self.call(variant, arguments) {
            Ok(reply) => reply,
            Err(error) => panic!("{}: {variant}: {error}", self.name),
        }
    }

    #[track_caller]
    pub(crate) fn text(&self, variant: &str, arguments: &[u8]) -> String {
        text(&self.ask(variant, arguments))
    }

    #[track_caller]
    pub(crate) fn number(&self, variant: &str, arguments: &[u8]) -> u64 {
        number(&self.ask(variant, arguments))
    }

    #[track_caller]
    pub(crate) fn marks(&self) -> Vec<u64> {
        numbers(&self.ask("GetMarks", &[]))
    }

    /// A call that has to fail, and whose caller hears this text if its protocol has a place for it.
    #[track_caller]
    pub(crate) fn fails(&self, variant: &str, arguments: &[u8], reason: &str) {
        let came = self.call_within(SILENCE, variant, arguments);
        let error = came.expect_err(&format!("{}: {variant} fails", self.name));
        if self.caller != Caller::Stock {
            assert!(!error.contains("in time"), "{variant}: {error}");
            assert!(error.contains(reason), "{variant}: {reason} in {error:?}");
        }
    }

    /// Asks until the answer is this.
    #[track_caller]
    pub(crate) fn becomes(&self, variant: &str, expected: &[u8]) {
        let what = format!("{} to answer {variant} with {expected:02x?}", self.name);
        let seen = wait::until(
            &what,
            || self.call(variant, &[]),
            |seen| seen.as_deref() == Ok(expected),
        );
        assert_eq!(seen.as_deref(), Ok(expected));
    }

    /// Waits until what it heard of others has this in it.
    #[track_caller]
    pub(crate) fn hears(&self, event: &str) -> String {
        let what = format!("{} to hear {event}", self.name);
        wait::until(&what, || self.text("Events", &[]), |events| events.contains(event))
    }

    /// Gives it a count, which it loses if it fails.
    #[track_caller]
    pub(crate) fn begin_counting(&self) {
        self.cast("Add", &args![COUNT]);
        self.becomes("Get", &COUNT.to_be_bytes());
    }

    /// It didn't fail since [`Self::begin_counting`].
    #[track_caller]
    pub(crate) fn goes_on_counting(&self) {
        assert_eq!(self.number("Get", &[]), COUNT, "{} goes on", self.name);
    }

    /// Sends a call from another node and doesn't wait for its reply: what is sent next arrives behind it.
    #[track_caller]
    pub(crate) fn begin(&self, variant: &str, arguments: &[u8]) -> Begun {
        begin(&self.full_name(), variant, arguments.to_vec())
    }
}

/// A call whose reply is on its way.
pub(crate) struct Begun(tokio::sync::oneshot::Receiver<Vec<u8>>);

impl Begun {
    /// The reply.
    #[track_caller]
    pub(crate) fn reply(self) -> Vec<u8> {
        let reply = RUNTIME.block_on(async { tokio::time::timeout(PATIENCE, self.0).await });
        reply.expect("a reply in time").expect("a reply")
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a call")
    }
}

/// A message of whatever type the actor takes.
#[derive(Debug)]
enum Raw {
    Call(String, Vec<u8>, RpcReplyPort<Vec<u8>>),
    Cast(String, Vec<u8>),
}

impl Message for Raw {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        let metadata = None;
        Ok(match self {
            Self::Call(variant, args, reply) => SerializedMessage::Call {
                variant,
                args,
                reply,
                metadata,
            },
            Self::Cast(variant, args) => SerializedMessage::Cast {
                variant,
                args,
                metadata,
            },
        })
    }
}

/// Calls the actor with this full name from this process.
pub(crate) fn call(full: &str, variant: &str, arguments: Vec<u8>) -> Came {
    RUNTIME.block_on(async {
        let actor = find(full).await;
        let message = |reply| Raw::Call(variant.to_owned(), arguments, reply);
        let came: Result<Vec<u8>, CallError> = ractor_host::call(&actor, message, Some(PATIENCE)).await;
        came.map_err(|error| error.to_string())
    })
}

/// Casts to the actor with this full name.
#[track_caller]
pub(crate) fn cast(full: &str, variant: &str, arguments: Vec<u8>) {
    RUNTIME.block_on(async {
        let sent = find(full).await.send_message(Raw::Cast(variant.to_owned(), arguments));
        sent.expect("the message is sent");
    });
}

/// Sends a call to the actor with this full name.
pub(crate) fn begin(full: &str, variant: &str, arguments: Vec<u8>) -> Begun {
    RUNTIME.block_on(async {
        let (port, reply) = concurrency::oneshot();
        let message = Raw::Call(variant.to_owned(), arguments, RpcReplyPort::from((port, PATIENCE)));
        find(full).await.send_message(message).expect("the message is sent");
        Begun(reply)
    })
}

async fn find(full: &str) -> ActorCell {
    let found = eventually(full, async || directory::find(full).await, Option::is_some).await;
    found.expect("found")
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex"))
        .collect()
}
