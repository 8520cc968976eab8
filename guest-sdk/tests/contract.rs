//! An actor whose messages are the methods of an impl, as a native one.
#![cfg(not(target_family = "wasm"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(missing_docs, reason = "messages are public methods, here of a test")]

use std::num::ParseIntError;

use ractor::reload::{PortableState, Reload};
use ractor::requests::{self, CallError};
use ractor::{
    Actor, ActorProcessingErr, ActorRef, BytesConvertable, Message, RactorErr, RpcReplyPort, SupervisionEvent, call,
    cast, concurrency::Duration, message::SerializedMessage,
};
use ractor_guest as ractor;

/// A till.
#[derive(Default, PortableState)]
pub struct Till {
    sum: u64,
    is_open: bool,
    ended: u64,
}

#[ractor::contract]
impl Till {
    pub fn pre_start(start: String) -> Result<Self, ParseIntError> {
        Ok(Self {
            sum: start.parse()?,
            ..Self::default()
        })
    }

    pub fn post_start(&mut self, myself: ActorRef<TillMsg>) -> Result<(), ActorProcessingErr> {
        // Its first message, before all of others.
        Ok(cast!(myself, TillMsg::Open)?)
    }

    pub fn handle_supervisor_evt(&mut self, event: SupervisionEvent) {
        // It goes on without its children; by default it would stop with them.
        self.ended += u64::from(matches!(event, SupervisionEvent::ActorTerminated(..)));
    }

    /// Opens it.
    pub fn open(&mut self) {
        self.is_open = true;
    }

    pub fn add_all(&mut self, first: u64, second: u64) {
        self.sum += first + second;
    }

    pub fn sum(&self) -> u64 {
        self.sum
    }

    pub fn parse(&self, text: String) -> Result<u64, ParseIntError> {
        text.parse()
    }

    pub fn fail(&mut self, reason: String) -> Result<(), ActorProcessingErr> {
        Err(reason.into())
    }

    #[rpc]
    pub fn flush(&mut self) {
        self.reset();
    }

    #[rpc]
    pub fn check(&self, amount: u64) -> Result<(), String> {
        if self.sum < amount {
            Err("too little".to_owned())
        } else {
            Ok(())
        }
    }

    pub fn ended(&self) -> u64 {
        self.ended
    }

    pub fn later(&self, myself: ActorRef<TillMsg>, by: u64, reply: RpcReplyPort<u64>) {
        let sum = self.sum;
        drop(ractor::concurrency::spawn(async move {
            let earlier = call!(myself, TillMsg::Sum).unwrap_or_default();
            drop(reply.send(earlier.max(sum) + by));
        }));
    }

    pub async fn slowly(&mut self) -> bool {
        ractor::concurrency::sleep(Duration::from_millis(1)).await;
        self.is_open
    }

    fn reset(&mut self) {
        self.sum = 0;
    }
}

impl Reload for Till {}
ractor::export!(Till, reload, start = sum);

async fn till(start: &str) -> ActorRef<TillMsg> {
    Actor::spawn(None, Till::default(), start.to_owned()).await.unwrap().0
}

#[tokio::test]
async fn methods_are_messages() {
    let till = till("5").await;
    cast!(till, TillMsg::AddAll(2, 3)).unwrap();
    assert_eq!(call!(till, TillMsg::Sum).unwrap(), 10);
    assert_eq!(call!(till, TillMsg::Later, 1).unwrap(), 11);
    assert!(call!(till, TillMsg::Slowly).unwrap());
    let (child, child_ended) = Actor::spawn_linked(None, Till::default(), "0".to_owned(), till.get_cell())
        .await
        .unwrap();
    child.stop(None);
    child_ended.await.unwrap();
    assert_eq!(call!(till, TillMsg::Ended).unwrap(), 1);
    call!(till, TillMsg::Flush).unwrap();
    assert_eq!(call!(till, TillMsg::Sum).unwrap(), 0);
    till.stop(None);
}

#[tokio::test]
async fn an_error_in_a_call_fails_the_call_and_one_in_a_cast_the_actor() {
    let (till, ended) = Actor::spawn(None, Till::default(), "5".to_owned()).await.unwrap();
    assert_eq!(call!(till, TillMsg::Parse, "7".to_owned()).unwrap(), 7);
    let port = |reply| TillMsg::Parse("seven".to_owned(), reply);
    let failed = requests::call(&till.get_cell(), port, None).await.unwrap_err();
    assert_eq!(failed, CallError::Failed("invalid digit found in string".to_owned()));
    call!(till, TillMsg::Check, 5).unwrap();
    assert!(matches!(
        call!(till, TillMsg::Check, 6),
        Err(RactorErr::Timeout | RactorErr::Messaging(_))
    ));
    assert_eq!(call!(till, TillMsg::Sum).unwrap(), 5);
    cast!(till, TillMsg::Fail("enough".to_owned())).unwrap();
    ended.await.unwrap();
    assert!(Actor::spawn(None, Till::default(), "five".to_owned()).await.is_err());
}

#[test]
fn what_travels_is_what_the_enum_would_say_by_hand() {
    let Ok(SerializedMessage::Cast { variant, args, .. }) = TillMsg::AddAll(1, 2).serialize() else {
        unreachable!("it is a cast")
    };
    // Each argument behind its length, in the encoding that its type has: with `blanket_serde` it is another one.
    let each = |number: u64| 8 + number.into_bytes().len();
    assert_eq!((variant.as_str(), args.len()), ("AddAll", each(1) + each(2)));
}
