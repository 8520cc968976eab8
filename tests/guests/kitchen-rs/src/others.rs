//! Calls and casts of other kitchens.

use std::fmt::Display;

use ractor::address::ActorAddress;
use ractor::concurrency::Duration;
use ractor::requests::{CallError, call};
use ractor::{ActorCell, ActorRef, FailCall as _, Message, MessagingErr, RpcReplyPort, config, registry};

use crate::messages::KitchenMsg;
use crate::{Rest, State};

/// The longest wait for a reply whose caller doesn't say how long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Handles the messages that are about other actors.
pub(crate) async fn handle(myself: &ActorRef<KitchenMsg>, message: KitchenMsg, state: &mut State) -> Rest {
    match message {
        KitchenMsg::CastOther { name, n } => match registry::where_is(&name) {
            Some(other) => {
                if let Err(error) = ActorRef::<KitchenMsg>::from(other).cast(KitchenMsg::Add { n }) {
                    state.kept.note = format!("error:{}", not_accepted(&error));
                }
            }
            None => state.kept.note = "error:not-found".to_owned(),
        },
        KitchenMsg::CallOther { name, what, ms, reply } => {
            let came = match registry::where_is(&name) {
                Some(other) => ask(&other, &what, Duration::from_millis(ms)).await,
                None => "error:not-found".to_owned(),
            };
            reply.send(came)?;
        }
        KitchenMsg::Ring { name, reply } => {
            let own = myself.get_name().unwrap_or_default();
            let came = match registry::where_is(&name) {
                Some(other) => {
                    let ring = |reply| KitchenMsg::Ring { name: own, reply };
                    told(call(&other, ring, Some(PATIENCE)).await)
                }
                None => "error:not-found".to_owned(),
            };
            reply.send(came)?;
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
