//! Calls and casts of other kitchens.

use std::fmt::Display;
use std::pin::pin;

use futures_util::future::{Either, select, try_join_all};
use ractor::address::ActorAddress;
use ractor::concurrency::{Duration, sleep, timeout};
use ractor::requests::{CallError, call};
use ractor::{ActorCell, ActorRef, FailCall as _, Message, MessagingErr, RpcReplyPort, config, registry};

use crate::messages::KitchenMsg;
use crate::{Rest, State};

/// The longest wait for a reply whose caller doesn't say how long.
const PATIENCE: Duration = Duration::from_secs(20);
/// The time after which `Cancel` gives its call up.
const CANCEL_AFTER: Duration = Duration::from_millis(20);
/// The limit of `TimeoutAwait`.
const TIMEOUT: Duration = Duration::from_millis(30);
/// What there is of an actor that isn't there.
const NOT_FOUND: &str = "error:not-found";

/// Handles the messages that are about other actors.
pub(crate) async fn handle(myself: &ActorRef<KitchenMsg>, message: KitchenMsg, state: &mut State) -> Rest {
    match message {
        KitchenMsg::CastOther { name, n } => match registry::where_is(&name) {
            Some(other) => {
                if let Err(error) = ActorRef::<KitchenMsg>::from(other).cast(KitchenMsg::Add { n }) {
                    state.kept.note = format!("error:{}", not_accepted(&error));
                }
            }
            None => state.kept.note = NOT_FOUND.to_owned(),
        },
        // In Rust there is one way to call, which is to await.
        KitchenMsg::CallOther { name, what, ms, reply } | KitchenMsg::AskOther { name, what, ms, reply } => {
            let came = match registry::where_is(&name) {
                Some(other) => ask(&other, &what, Duration::from_millis(ms)).await,
                None => NOT_FOUND.to_owned(),
            };
            answer(reply, came);
        }
        KitchenMsg::Ring { name, reply } => {
            let back = |name, reply| KitchenMsg::Ring { name, reply };
            answer(reply, ring(myself, &name, back).await);
        }
        KitchenMsg::AskRing { name, reply } => {
            let back = |name, reply| KitchenMsg::AskRing { name, reply };
            answer(reply, ring(myself, &name, back).await);
        }
        KitchenMsg::Gather { name, times, reply } => gather(&name, times, reply).await?,
        KitchenMsg::Cancel { name, reply } => {
            let Some(other) = registry::where_is(&name) else {
                answer(reply, NOT_FOUND.to_owned());
                return Ok(None);
            };
            let asked = pin!(ask(&other, "never", PATIENCE));
            let came = match select(asked, pin!(sleep(CANCEL_AFTER))).await {
                Either::Left((came, _)) => came,
                // The call is given up with the future that is left.
                Either::Right(_) => "cancelled".to_owned(),
            };
            answer(reply, came);
        }
        KitchenMsg::TimeoutAwait { name, reply } => {
            let came = match registry::where_is(&name) {
                Some(other) => timeout(TIMEOUT, ask(&other, "never", PATIENCE)).await,
                None => Ok(NOT_FOUND.to_owned()),
            };
            answer(reply, came.unwrap_or_else(|_over| "timeout".to_owned()));
        }
        KitchenMsg::Address { name, reply } => {
            let address = registry::where_is(&name).and_then(|other| ActorAddress::of(&other));
            reply.send(address.map(ractor::BytesConvertable::into_bytes).unwrap_or_default())?;
        }
        KitchenMsg::CastAddress { address, n, reply } => {
            let address = <ActorAddress as ractor::BytesConvertable>::from_bytes(address);
            let other: Option<ActorRef<KitchenMsg>> = address.resolve_as().await;
            let sent = other.map(|other| other.cast(KitchenMsg::Add { n }));
            reply.send(matches!(sent, Some(Ok(()))))?;
        }
        KitchenMsg::Big { bytes, reply } => big(bytes, reply).await?,
        other => return Ok(Some(other)),
    }
    Ok(None)
}

async fn ask(other: &ActorCell, what: &str, wait: Duration) -> String {
    let wait = Some(wait);
    match what {
        "get" => told(call(other, |reply| KitchenMsg::Get { reply }, wait).await),
        "fail" => {
            let text = "no soup".to_owned();
            told(call(other, |reply| KitchenMsg::FailIt { text, reply }, wait).await)
        }
        "drop" => told(call(other, |reply| KitchenMsg::DropIt { reply }, wait).await),
        "never" => told(call(other, |reply| KitchenMsg::Keep { reply }, wait).await),
        _ => format!("error:what is {what}?"),
    }
}

/// Replies. Whoever has given up meanwhile needs none.
fn answer(reply: RpcReplyPort<String>, text: String) {
    let _gone = reply.send(text);
}

/// Calls that actor, which calls back in the same way.
async fn ring(
    myself: &ActorRef<KitchenMsg>,
    name: &str,
    back: impl Fn(String, RpcReplyPort<String>) -> KitchenMsg,
) -> String {
    let own = myself.get_name().unwrap_or_default();
    match registry::where_is(name) {
        Some(other) => told(call(&other, |reply| back(own, reply), Some(PATIENCE)).await),
        None => NOT_FOUND.to_owned(),
    }
}

/// The sum of that many counts of that actor, all asked for at once.
async fn gather(name: &str, times: u32, reply: RpcReplyPort<u64>) -> Result<(), ractor::ActorProcessingErr> {
    let Some(other) = registry::where_is(name) else {
        reply.fail("the actor isn't there");
        return Ok(());
    };
    let counts = (0..times).map(|_| call(&other, |reply| KitchenMsg::Get { reply }, Some(PATIENCE)));
    match try_join_all(counts).await {
        Ok(counts) => reply.send(counts.into_iter().sum())?,
        Err(error) => reply.fail(error),
    }
    Ok(())
}

async fn big(bytes: u64, reply: RpcReplyPort<u64>) -> Result<(), ractor::ActorProcessingErr> {
    let Some(peer) = config::value("peer").and_then(|name| registry::where_is(&name)) else {
        reply.fail("the peer isn't there");
        return Ok(());
    };
    let value = vec![0; usize::try_from(bytes)?];
    match call(&peer, |reply| KitchenMsg::EchoBytes { value, reply }, Some(PATIENCE)).await {
        Ok(back) => reply.send(back.len() as u64)?,
        Err(error) => reply.fail(error),
    }
    Ok(())
}

/// What came of a call.
fn told(came: Result<impl Display, CallError>) -> String {
    let word = match came {
        Ok(value) => return format!("ok:{value}"),
        Err(CallError::Failed(reason)) => return format!("error:failed:{reason}"),
        Err(CallError::UnknownActor) => "unknown-actor",
        Err(CallError::Stopped) => "stopped",
        Err(CallError::TooLarge) => "too-large",
        Err(CallError::Timeout) => "timeout",
        Err(CallError::NoReply) => "no-reply",
        Err(CallError::WouldDeadlock) => "would-deadlock",
        Err(CallError::Overloaded) => "overloaded",
        Err(CallError::Denied) => "denied",
        Err(CallError::TooMany) => "too-many",
        Err(_) => "unknown",
    };
    format!("error:{word}")
}

/// Why a cast isn't accepted: ractor's errors say no more.
fn not_accepted<T: Message>(error: &MessagingErr<T>) -> &'static str {
    match error {
        MessagingErr::ChannelClosed => "stopped",
        MessagingErr::InvalidActorType => "wrong-type",
        MessagingErr::SendErr(_) => "not-accepted",
    }
}
