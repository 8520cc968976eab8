//! The lines that a test writes to stdin, and what they do.
//!
//! | line | answer |
//! |---|---|
//! | `members GROUP` | `local:NAME` or `remote:NAME@NODE` for each member, sorted |
//! | `sessions` | the peers of all ready sessions as `NODE=ready`, sorted |
//! | `echo TARGET BYTES` | how many bytes came back |
//! | `taken TARGET` | how many casts it took |
//! | `refuse TARGET`, `never TARGET` | the answer, or `err` |
//! | `pend TARGET VARIANT COUNT` | makes COUNT calls and waits for none of them |
//! | `pending` | how many of those still wait |
//! | `raw-call TARGET VARIANT BYTES` | calls with that many arbitrary bytes of arguments |
//! | `say TARGET [TEXT]` | casts `attack` with the text as arguments |
//! | `ask TARGET [TEXT]` | the answer to the call `attack` with the text as arguments, escaped |
//! | `describe TARGET` | how many bytes the description of a guest has |
//! | `flood TARGET COUNT BYTES` | COUNT casts of BYTES, one right after the other |
//! | `flood-waiting TARGET COUNT BYTES` | the same, but each waits until there is room for it |
//! | `note TARGET SENDER FROM COUNT` | casts COUNT numbered messages, as `fixtures/reloadable.wat` counts them |
//! | `history TARGET SENDER FROM COUNT CALLS` | the same, where every CALLSth is a call; what became of each, as a letter: `s`ent, `r`efused, `a`nswered, `u`nanswered |
//! | `relay TARGET SENDER FROM COUNT GROUP` | asks TARGET to cast such messages to a member of a group; the letter is `y` |
//! | `recorder NAME GROUP` | spawns an actor that records such messages |
//! | `recorded NAME` | what it has, each as SENDER:NUMBER |
//! | `stop NAME`, `kill NAME` | |
//! | `await-down NODE` | once there is no session with it: why the last one ended, or `never up` |
//! | `dead-letters`, `left-out` | of all sessions together |
//! | `where NAME` | `local:PID`, `remote:PID` or `nobody` |
//! | `taken-at TARGET NAME` | what TARGET hears from the actor NAME, whose address it is sent |
//! | `registered NAME` | the same of what `ractor`'s own registry has under this name |
//! | `spawn NAME GROUP` | its pid; `-` is no name |
//! | `join GROUP NAME`, `leave GROUP NAME` | |
//! | `known GROUP` | how many members it has on other nodes |
//! | `keep NAME` | keeps the address of an actor |
//! | `resolve` | what the kept address leads to, as `where` says it |
//!
//! TARGET is a name as `directory::find` takes it, or `pid:PID` for an actor of this node. Calls have no timeout on the wire; their errors are `dropped` for a
//! port that ended and `hung` for one that didn't.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorRef, Message, RpcReplyPort, call_t, concurrency, pg};
use ractor_host::node::{await_down, dead_letters, left_out};
use ractor_host::{ActorAddress, NodeServerMessage, NodeSessionMessage, directory};

use crate::Error;
use crate::actor::{self, ConsumerMsg};
use crate::events::peer_name;
use crate::history;

/// The longest time for a call before the test hears that it hung.
pub(crate) const PATIENCE: Duration = Duration::from_secs(28);
/// The longest wait for the node server or a session to answer, in milliseconds.
const SERVER_TIMEOUT_MS: u64 = 5_000;

/// The number of casts after which a flood pauses for a moment.
const BURST: u64 = 16;

/// The calls of `pend` that wait.
static PENDING: AtomicU64 = AtomicU64::new(0);

/// The address of `keep`.
static KEPT: Mutex<Option<ActorAddress>> = Mutex::new(None);

/// Does what the line says. The answer goes behind `ok`, the error behind `err`.
pub(crate) async fn run(server: &ActorRef<NodeServerMessage>, line: &str) -> Result<String, Error> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["members", group] => Ok(members(group)),
        ["sessions"] => sessions(server).await,
        ["echo", target, bytes] => {
            let bytes = vec![7; bytes.parse()?];
            let back = call(target, |reply| ConsumerMsg::Echo(bytes, reply)).await?;
            Ok(back.len().to_string())
        }
        ["taken", target] => Ok(call(target, ConsumerMsg::Taken).await?.to_string()),
        ["refuse", target] => Ok(call(target, ConsumerMsg::Refuse).await?.to_string()),
        ["never", target] => Ok(call(target, ConsumerMsg::Never).await?.to_string()),
        ["pend", target, variant, count] => pend(target, variant, count.parse()?).await,
        ["pending"] => Ok(PENDING.load(Ordering::SeqCst).to_string()),
        ["raw-call", target, variant, bytes] => {
            let args = vec![0xff; bytes.parse()?];
            Ok(raw_call(target, variant, args).await?.len().to_string())
        }
        ["say", target, text @ ..] => {
            let message = SerializedMessage::Cast {
                variant: "attack".to_owned(),
                args: text.concat().into_bytes(),
                metadata: None,
            };
            find(target).await?.send_serialized(message)?;
            Ok(String::new())
        }
        ["ask", target, text @ ..] => {
            let answer = raw_call(target, "attack", text.concat().into_bytes()).await?;
            Ok(answer.escape_ascii().to_string())
        }
        ["describe", target] => Ok(raw_call(target, "\0describe", Vec::new()).await?.len().to_string()),
        ["flood", target, count, bytes] => flood(target, count.parse()?, bytes.parse()?).await,
        ["flood-waiting", target, count, bytes] => flood_waiting(target, count.parse()?, bytes.parse()?).await,
        ["note", target, sender, from, count] => note(target, sender.parse()?, from.parse()?, count.parse()?).await,
        ["history", target, sender, from, count, calls] => {
            let numbers = from.parse()?..from.parse::<u64>()? + count.parse::<u64>()?;
            Ok(history::send(target, sender.parse()?, numbers, calls.parse()?).await)
        }
        ["relay", target, sender, from, count, group] => {
            let numbers = from.parse()?..from.parse::<u64>()? + count.parse::<u64>()?;
            Ok(history::relay(target, sender.parse()?, numbers, group).await)
        }
        ["recorder", name, group] => history::spawn(name, group).await,
        ["recorded", name] => history::recorded(find(name).await?).await,
        ["stop", target] => {
            find(target).await?.stop_and_wait(None, Some(PATIENCE)).await?;
            Ok(String::new())
        }
        ["kill", target] => {
            find(target).await?.kill_and_wait(Some(PATIENCE)).await?;
            Ok(String::new())
        }
        ["await-down", node] => Ok(await_down(server, node)
            .await
            .map_or_else(|| "never up".to_owned(), |reason| reason.name().to_owned())),
        ["dead-letters"] => total(server, dead_letters).await,
        ["left-out"] => total(server, left_out).await,
        ["where", name] => Ok(place(directory::find(name).await)),
        ["registered", name] => Ok(place(ractor::registry::where_is(*name))),
        ["spawn", name, group] => {
            let spawned = actor::spawn(name, group, Duration::ZERO).await?;
            Ok(spawned.get_id().pid().to_string())
        }
        ["join", group, name] => {
            pg::join((*group).to_owned(), vec![find(name).await?]);
            Ok(String::new())
        }
        ["leave", group, name] => {
            pg::leave((*group).to_owned(), vec![find(name).await?]);
            Ok(String::new())
        }
        ["known", group] => {
            let members = pg::get_members(&(*group).to_owned());
            let others = members.iter().filter(|member| !directory::is_ours(member.get_id()));
            Ok(others.count().to_string())
        }
        ["keep", name] => {
            let address = ActorAddress::of(&find(name).await?).ok_or("no address")?;
            *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
            Ok(String::new())
        }
        ["resolve"] => {
            let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Ok(place(kept.ok_or("no address was kept")?.resolve().await))
        }
        ["taken-at", target, name] => {
            let address = ActorAddress::of(&find(name).await?).ok_or("no address")?;
            Ok(call(target, |reply| ConsumerMsg::TakenAt(address, reply))
                .await?
                .to_string())
        }
        _ => Err(format!("unknown command: {line}").into()),
    }
}

fn place(actor: Option<ActorCell>) -> String {
    match actor.map(|actor| actor.get_id()) {
        Some(id) if directory::is_ours(id) => format!("local:{}", id.pid()),
        Some(id) => format!("remote:{}", id.pid()),
        None => "nobody".to_owned(),
    }
}

async fn find(name: &str) -> Result<ActorCell, Error> {
    let found = match name.strip_prefix("pid:") {
        Some(pid) => directory::local_actor(pid.parse()?),
        None => directory::find(name).await,
    };
    found.ok_or_else(|| format!("{name} is nobody").into())
}

async fn call<T: Send + 'static>(
    target: &str,
    message: impl FnOnce(RpcReplyPort<T>) -> ConsumerMsg,
) -> Result<T, Error> {
    let target = ActorRef::<ConsumerMsg>::from(find(target).await?);
    match concurrency::timeout(PATIENCE, target.call(message, None)).await {
        Ok(Ok(CallResult::Success(reply))) => Ok(reply),
        Ok(Ok(_)) => Err("dropped".into()),
        Ok(Err(error)) => Err(format!("sending: {error}").into()),
        Err(_) => Err("hung".into()),
    }
}

async fn pend(target: &str, variant: &str, count: u64) -> Result<String, Error> {
    let target = find(target).await?;
    for _ in 0..count {
        let reply = send_raw(&target, variant, Vec::new())?;
        PENDING.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            drop(reply.await);
            PENDING.fetch_sub(1, Ordering::SeqCst);
        });
    }
    Ok(String::new())
}

async fn raw_call(target: &str, variant: &str, args: Vec<u8>) -> Result<Vec<u8>, Error> {
    let reply = send_raw(&find(target).await?, variant, args)?;
    match concurrency::timeout(PATIENCE, reply).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(_)) => Err("dropped".into()),
        Err(_) => Err("hung".into()),
    }
}

pub(crate) fn send_raw(
    target: &ActorCell,
    variant: &str,
    args: Vec<u8>,
) -> Result<concurrency::OneshotReceiver<Vec<u8>>, Error> {
    let (port, reply) = concurrency::oneshot();
    let message = SerializedMessage::Call {
        variant: variant.to_owned(),
        args,
        reply: port.into(),
        metadata: None,
    };
    target
        .send_serialized(message)
        .map_err(|error| format!("sending: {error}"))?;
    Ok(reply)
}

async fn flood(target: &str, count: u64, bytes: usize) -> Result<String, Error> {
    let target = ActorRef::<ConsumerMsg>::from(find(target).await?);
    for n in 1..=count {
        target.cast(ConsumerMsg::Take(vec![7; bytes]))?;
        // A stand-in is an actor like any other. Its mailbox is ractor's and has no limit, so it must have its turns.
        match n % BURST {
            0 => tokio::time::sleep(Duration::from_millis(1)).await,
            _ => tokio::task::yield_now().await,
        }
    }
    Ok(String::new())
}

async fn note(target: &str, sender: u8, from: u64, count: u64) -> Result<String, Error> {
    let target = find(target).await?;
    for number in from..from + count {
        let message = SerializedMessage::Cast {
            variant: "note".to_owned(),
            args: [&[sender][..], &number.to_le_bytes()].concat(),
            metadata: None,
        };
        target
            .send_serialized(message)
            .map_err(|error| format!("sending: {error}"))?;
        tokio::task::yield_now().await;
    }
    Ok(String::new())
}

async fn flood_waiting(target: &str, count: u64, bytes: usize) -> Result<String, Error> {
    let target = find(target).await?.get_id();
    for _ in 0..count {
        let message = ConsumerMsg::Take(vec![7; bytes]).serialize();
        directory::send_remote(target, message.map_err(|_| "a message that can't be serialized")?).await?;
    }
    Ok(String::new())
}

fn members(group: &str) -> String {
    let mut names: Vec<String> = pg::get_members(&group.to_owned())
        .into_iter()
        .map(|member| {
            let place = if directory::is_ours(member.get_id()) {
                "local"
            } else {
                "remote"
            };
            format!("{place}:{}", member.get_name().unwrap_or_default())
        })
        .collect();
    names.sort();
    names.join(" ")
}

async fn sessions(server: &ActorRef<NodeServerMessage>) -> Result<String, Error> {
    let mut ready = Vec::new();
    for session in call_t!(server, NodeServerMessage::GetSessions, SERVER_TIMEOUT_MS)?.into_values() {
        if matches!(
            call_t!(session.actor, NodeSessionMessage::GetReadyState, SERVER_TIMEOUT_MS),
            Ok(true)
        ) {
            ready.push(format!("{}=ready", peer_name(&session)));
        }
    }
    ready.sort();
    Ok(ready.join(" "))
}

/// What is counted for each session, of all of them together.
async fn total(
    server: &ActorRef<NodeServerMessage>,
    count: impl AsyncFn(&ActorRef<NodeSessionMessage>) -> Option<u64>,
) -> Result<String, Error> {
    let mut sum = 0;
    for session in call_t!(server, NodeServerMessage::GetSessions, SERVER_TIMEOUT_MS)?.into_values() {
        sum += count(&session.actor).await.unwrap_or_default();
    }
    Ok(sum.to_string())
}
