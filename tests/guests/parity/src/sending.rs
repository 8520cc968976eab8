//! Messages to others.

use ractor::concurrency::Duration;
use ractor::requests::{self, CallError};
use ractor::rpc::{self, CallResult};
use ractor::{
    ActorCell, ActorProcessingErr, ActorRef, BytesConvertable, DerivedActorRef, MessagingErr, RactorErr, address, call,
    call_t, cast,
};

use crate::{ParityMsg, named};

/// Sends to an actor in every way there is.
pub(crate) async fn call(name: &str) -> Result<String, ActorProcessingErr> {
    let other = named(name)?;
    let cell: ActorCell = other.get_cell();
    assert_eq!(ActorRef::<ParityMsg>::from(cell.clone()), other);
    assert!(other.is_message_type_of::<ParityMsg>().unwrap_or(true));

    let before = call!(other, ParityMsg::Count)?;
    cast!(other, ParityMsg::Note("macro".to_owned()))?;
    other.cast(ParityMsg::Note("method".to_owned()))?;
    other.send_message(ParityMsg::Note("message".to_owned()))?;
    cell.send_message(ParityMsg::Note("cell".to_owned()))?;
    rpc::cast(&cell, ParityMsg::Note("function".to_owned()))?;
    let after = call_t!(other, ParityMsg::Count, 10_000)?;
    assert_eq!(after, before + 5);

    let method: Result<CallResult<u64>, MessagingErr<ParityMsg>> = other.call(ParityMsg::Count, None).await;
    let function = rpc::call(&cell, ParityMsg::Count, Some(Duration::from_secs(10))).await?;
    assert_eq!(method?.success_or("no reply")?, after);
    assert_eq!(function.map(|count: u64| count + 1).unwrap_or(0), after + 1);
    Ok((after - before).to_string())
}

/// A number, for an actor that is known to take numbers only.
struct Number(u64);

impl From<Number> for ParityMsg {
    fn from(Number(number): Number) -> Self {
        Self::Note(number.to_string())
    }
}

impl TryFrom<ParityMsg> for Number {
    type Error = ();

    fn try_from(message: ParityMsg) -> Result<Self, ()> {
        match message {
            ParityMsg::Note(number) => number.parse().map(Self).map_err(drop),
            _ => Err(()),
        }
    }
}

/// Sends to an actor under another message type.
pub(crate) async fn derived(name: &str) -> Result<String, ActorProcessingErr> {
    let other = named(name)?;
    let derived: DerivedActorRef<Number> = other.get_derived();
    if derived.clone().send_message(Number(7)).is_err() || derived.get_cell() != other.get_cell() {
        return Err("not sent".into());
    }
    Ok(call!(other, ParityMsg::Notes)?
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned())
}

/// Asks several actors at once: `a,b`.
pub(crate) async fn many(names: &str) -> Result<String, ActorProcessingErr> {
    let others: Vec<_> = names.split(',').map(named).collect::<Result<_, _>>()?;
    let counts = rpc::multi_call(&others, ParityMsg::Count, Some(Duration::from_secs(10))).await?;
    Ok(counts.iter().filter(|count| count.is_success()).count().to_string())
}

/// Calls an actor that keeps the call: first too short, then it drops the call.
pub(crate) async fn give_up(name: &str) -> Result<String, ActorProcessingErr> {
    let other = named(name)?;
    let late: Result<u64, RactorErr<ParityMsg>> = call_t!(other, ParityMsg::Later, 20);
    Ok(match late {
        Err(RactorErr::Timeout) => "timeout".to_owned(),
        Err(RactorErr::Messaging(MessagingErr::ChannelClosed)) => "dropped".to_owned(),
        other => format!("{other:?}"),
    })
}

/// Calls an actor that fails the call, in the way that hears why and in ractor's own.
pub(crate) async fn refused(name: &str) -> Result<String, ActorProcessingErr> {
    let other = named(name)?;
    let refuse = |reply| ParityMsg::Refuse("not today".to_owned(), reply);
    let heard = requests::call(&other, refuse, Some(Duration::from_secs(10))).await;
    let unheard = call_t!(other, ParityMsg::Refuse, 10_000, "not today".to_owned());
    let count = requests::call(&other, ParityMsg::Count, None).await?;
    Ok(match (heard, unheard) {
        (Err(CallError::Failed(reason)), Err(RactorErr::Messaging(MessagingErr::ChannelClosed))) => {
            format!("{reason}, {}", count > 0)
        }
        other => format!("{other:?}"),
    })
}

/// An actor's address, as bytes and back.
pub(crate) async fn address(myself: &ActorRef<ParityMsg>, name: &str) -> String {
    let Some(actor) = crate::where_is(name) else {
        return "nobody".to_owned();
    };
    let Some(address) = address::ActorAddress::of(&actor) else {
        return "no address".to_owned();
    };
    let address = address::ActorAddress::from_bytes(address.into_bytes());
    match address.resolve_as::<ParityMsg>().await {
        Some(found) if found.get_cell() == actor && found != *myself => "found".to_owned(),
        found => format!("{found:?}"),
    }
}
