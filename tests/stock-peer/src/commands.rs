//! The lines that a test writes to stdin, and what they do. Words are split at blanks.
//!
//! | line | answer |
//! |---|---|
//! | `cast TARGET VARIANT [ARG…]` | |
//! | `call TARGET VARIANT [ARG…]` | the reply |
//! | `call-timeout MS TARGET VARIANT [ARG…]` | the reply, or `err timeout` |
//! | `raw-cast TARGET VARIANT ARGS_HEX [METADATA_HEX]` | |
//! | `raw-call MS TARGET VARIANT ARGS_HEX [METADATA_HEX]` | the reply in hex, or `err timeout` |
//! | `entity-cast TYPE KEY VARIANT [ARG…]` | |
//! | `entity-call TYPE KEY VARIANT [ARG…]` | the reply, which is a number |
//! | `entity-call-timeout MS TYPE KEY VARIANT [ARG…]` | the same, or `err timeout` |
//! | `spawn NAME [GROUP [START]]` | the pid; NAME `-` is an actor without a name |
//! | `crowd N` | spawns N actors without names or groups |
//! | `stop NAME`, `kill NAME` | |
//! | `join GROUP NAME [SCOPE]`, `leave GROUP NAME [SCOPE]` | |
//! | `members GROUP [SCOPE]` | `local:NAME` or `remote:NAME` for each member, sorted |
//! | `pid TARGET` | its pid at home |
//! | `connect HOST:PORT` | |
//! | `disconnect NODE` | ends each session with it |
//! | `sessions` | `NODE=ready` or `NODE=open` for each session, sorted |
//!
//! An empty VARIANT and no bytes of hex are `-`. TARGET is `GROUP`, the only remote member of the group, or `GROUP/NAME`, its member with that actor name.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use ractor::message::SerializedMessage;
use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorRef, BytesConvertable, Message, RpcReplyPort, call_t, concurrency, pg, registry};
use ractor_cluster::node::NodeServerSessionInformation;
use ractor_cluster::{NodeServerMessage, NodeSessionMessage, RactorClusterMessage};

use crate::counter::{self, CounterMsg};
use crate::events::peer_name;
use crate::node::Node;
use crate::options::ActorOption;

/// The longest time for a call without a timeout on the wire before the test gets an error instead of a hang.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest wait for the node server or a session to answer a question, in milliseconds.
const SERVER_TIMEOUT_MS: u64 = 5_000;

/// Does what the line says. The answer goes behind `ok`, the error behind `err`.
pub(crate) async fn run(node: &Node, line: &str) -> anyhow::Result<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["cast", target, message @ ..] => {
            ActorRef::from(find(target)?).cast(cast_message(message)?)?;
            Ok(String::new())
        }
        ["call", target, message @ ..] => call(find(target)?, message, None).await,
        ["call-timeout", ms, target, message @ ..] => call(find(target)?, message, Some(millis(ms)?)).await,
        ["raw-cast", target, variant, args, metadata @ ..] => raw_cast(find(target)?, variant, args, metadata),
        ["raw-call", ms, target, variant, args, metadata @ ..] => {
            raw_call(millis(ms)?, find(target)?, variant, args, metadata).await
        }
        ["entity-cast", of, key, message @ ..] => {
            let (variant, args) = arguments(message)?;
            let cast = EntityMsg::Cast((*key).to_owned(), variant, args);
            ActorRef::from(find(&format!("entity:{of}"))?).cast(cast)?;
            Ok(String::new())
        }
        ["entity-call", of, key, message @ ..] => entity_call(of, key, message, PATIENCE).await,
        ["entity-call-timeout", ms, of, key, message @ ..] => entity_call(of, key, message, millis(ms)?).await,
        ["spawn", name, rest @ ..] => {
            let actor: ActorOption = format!("{name}:{}", rest.join(":")).trim_end_matches(':').parse()?;
            Ok(counter::spawn(&actor).await?.get_id().pid().to_string())
        }
        ["crowd", number] => {
            let actor: ActorOption = "-".parse()?;
            for _ in 0..number.parse::<u32>()? {
                counter::spawn(&actor).await?;
            }
            Ok(String::new())
        }
        ["stop", name] => stop(named(name)?).await,
        ["kill", name] => kill(named(name)?).await,
        ["join", group, name, scope @ ..] => {
            pg::join_scoped(scope_name(scope), (*group).to_owned(), vec![named(name)?]);
            Ok(String::new())
        }
        ["leave", group, name, scope @ ..] => {
            pg::leave_scoped(scope_name(scope), (*group).to_owned(), vec![named(name)?]);
            Ok(String::new())
        }
        ["members", group, scope @ ..] => Ok(members(group, &scope_name(scope))),
        ["pid", target] => Ok(find(target)?.get_id().pid().to_string()),
        ["connect", address] => {
            node.connect(address).await?;
            Ok(String::new())
        }
        ["disconnect", peer] => disconnect(&node.server, peer).await,
        ["sessions"] => sessions(&node.server).await,
        _ => bail!("unknown command: {line}"),
    }
}

fn cast_message(words: &[&str]) -> anyhow::Result<CounterMsg> {
    Ok(match words {
        ["Add", n] => CounterMsg::Add(n.parse()?),
        ["AddTo", group, n] => CounterMsg::AddTo((*group).to_owned(), n.parse()?),
        ["Crash", text @ ..] => CounterMsg::Crash(text.join(" ")),
        _ => bail!("not a cast of a counter: {}", words.join(" ")),
    })
}

async fn call(target: ActorCell, message: &[&str], timeout: Option<Duration>) -> anyhow::Result<String> {
    let target = ActorRef::<CounterMsg>::from(target);
    match message {
        ["Get"] => ask(&target, CounterMsg::Get, timeout).await,
        ["AddAndGet", n] => {
            let n = n.parse()?;
            ask(&target, |reply| CounterMsg::AddAndGet(n, reply), timeout).await
        }
        ["SumOf", group] => {
            let group = (*group).to_owned();
            ask(&target, |reply| CounterMsg::SumOf(group, reply), timeout).await
        }
        ["Name"] => ask(&target, CounterMsg::Name, timeout).await,
        _ => bail!("not a call of a counter: {}", message.join(" ")),
    }
}

/// A typed call. `timeout` is what goes on the wire; without one the wait still ends, only the peer isn't told.
async fn ask<T: std::fmt::Display + Send + 'static>(
    target: &ActorRef<CounterMsg>,
    message: impl FnOnce(RpcReplyPort<T>) -> CounterMsg,
    timeout: Option<Duration>,
) -> anyhow::Result<String> {
    match concurrency::timeout(PATIENCE, target.call(message, timeout)).await {
        Ok(Ok(CallResult::Success(reply))) => Ok(reply.to_string()),
        Ok(Ok(CallResult::Timeout)) => bail!("timeout"),
        Ok(Ok(CallResult::SenderError)) => bail!("the reply port was dropped"),
        Ok(Err(error)) => bail!("sending: {error}"),
        Err(_) => bail!("no reply within {PATIENCE:?}"),
    }
}

/// What the actor of a type of entities takes.
#[derive(RactorClusterMessage)]
enum EntityMsg {
    Cast(String, String, Vec<u8>),
    #[rpc]
    Call(String, String, Vec<u8>, RpcReplyPort<Vec<u8>>),
}

/// The message of a counter that an entity is, as its name and its arguments.
fn arguments(words: &[&str]) -> anyhow::Result<(String, Vec<u8>)> {
    let (variant, number) = match words {
        [variant] => return Ok(((*variant).to_owned(), Vec::new())),
        [variant, number] => (*variant, number.parse()?),
        _ => bail!("not a message with at most one number: {}", words.join(" ")),
    };
    match CounterMsg::Add(number).serialize() {
        Ok(SerializedMessage::Cast { args, .. }) => Ok((variant.to_owned(), args)),
        _ => bail!("a number is no argument"),
    }
}

async fn entity_call(of: &str, key: &str, message: &[&str], timeout: Duration) -> anyhow::Result<String> {
    let (variant, args) = arguments(message)?;
    let entities = ActorRef::<EntityMsg>::from(find(&format!("entity:{of}"))?);
    let call = entities.call(
        |reply| EntityMsg::Call(key.to_owned(), variant, args, reply),
        Some(timeout),
    );
    match call.await {
        Ok(CallResult::Success(reply)) => Ok(u64::from_bytes(reply).to_string()),
        Ok(CallResult::Timeout) => bail!("timeout"),
        Ok(CallResult::SenderError) => bail!("the reply port was dropped"),
        Err(error) => bail!("sending: {error}"),
    }
}

fn raw_cast(target: ActorCell, variant: &str, args: &str, metadata: &[&str]) -> anyhow::Result<String> {
    target
        .send_serialized(SerializedMessage::Cast {
            variant: dash(variant).to_owned(),
            args: unhex(args)?,
            metadata: metadata.first().map(|metadata| unhex(metadata)).transpose()?,
        })
        .map_err(|error| anyhow!("sending: {error}"))?;
    Ok(String::new())
}

async fn raw_call(
    timeout: Duration,
    target: ActorCell,
    variant: &str,
    args: &str,
    metadata: &[&str],
) -> anyhow::Result<String> {
    let (port, reply) = concurrency::oneshot();
    target
        .send_serialized(SerializedMessage::Call {
            variant: dash(variant).to_owned(),
            args: unhex(args)?,
            reply: RpcReplyPort::from((port, timeout)),
            metadata: metadata.first().map(|metadata| unhex(metadata)).transpose()?,
        })
        .map_err(|error| anyhow!("sending: {error}"))?;
    match concurrency::timeout(timeout, reply).await {
        Ok(Ok(reply)) => Ok(hex::encode(reply)),
        Ok(Err(_)) => bail!("the reply port was dropped"),
        Err(_) => bail!("timeout"),
    }
}

async fn stop(actor: ActorCell) -> anyhow::Result<String> {
    actor.stop_and_wait(None, Some(PATIENCE)).await?;
    Ok(String::new())
}

async fn kill(actor: ActorCell) -> anyhow::Result<String> {
    actor.kill_and_wait(Some(PATIENCE)).await?;
    Ok(String::new())
}

/// The actor behind TARGET.
fn find(target: &str) -> anyhow::Result<ActorCell> {
    let (group, name) = match target.split_once('/') {
        Some((group, name)) => (group, Some(name)),
        None => (target, None),
    };
    let mut found: Vec<ActorCell> = pg::get_members(&group.to_owned())
        .into_iter()
        .filter(|member| match name {
            Some(name) => member.get_name().as_deref() == Some(name),
            None => !member.get_id().is_local(),
        })
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(actor), true) => Ok(actor),
        (Some(_), false) => bail!("{target} is {} actors", found.len() + 1),
        (None, _) => bail!("{target} is nobody"),
    }
}

fn named(name: &str) -> anyhow::Result<ActorCell> {
    registry::where_is(name).with_context(|| format!("no local actor has the name {name}"))
}

fn members(group: &str, scope: &str) -> String {
    let mut names: Vec<String> = pg::get_scoped_members(&scope.to_owned(), &group.to_owned())
        .into_iter()
        .map(|member| {
            let place = if member.get_id().is_local() { "local" } else { "remote" };
            format!("{place}:{}", member.get_name().unwrap_or_default())
        })
        .collect();
    names.sort();
    names.join(" ")
}

async fn known(server: &ActorRef<NodeServerMessage>) -> anyhow::Result<Vec<NodeServerSessionInformation>> {
    let sessions = call_t!(server, NodeServerMessage::GetSessions, SERVER_TIMEOUT_MS)?;
    Ok(sessions.into_values().collect())
}

async fn disconnect(server: &ActorRef<NodeServerMessage>, peer: &str) -> anyhow::Result<String> {
    for session in known(server).await? {
        if peer_name(&session) == peer {
            session.actor.stop_and_wait(None, Some(PATIENCE)).await?;
        }
    }
    Ok(String::new())
}

async fn sessions(server: &ActorRef<NodeServerMessage>) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for session in known(server).await? {
        let ready = call_t!(session.actor, NodeSessionMessage::GetReadyState, SERVER_TIMEOUT_MS);
        let state = if matches!(ready, Ok(true)) { "ready" } else { "open" };
        lines.push(format!("{}={state}", peer_name(&session)));
    }
    lines.sort();
    Ok(lines.join(" "))
}

fn scope_name(words: &[&str]) -> String {
    words
        .first()
        .map_or_else(|| pg::DEFAULT_SCOPE.to_owned(), |scope| (*scope).to_owned())
}

fn dash(word: &str) -> &str {
    if word == "-" { "" } else { word }
}

fn unhex(text: &str) -> anyhow::Result<Vec<u8>> {
    hex::decode(dash(text)).with_context(|| format!("{text:?} is not hex"))
}

fn millis(text: &str) -> anyhow::Result<Duration> {
    Ok(Duration::from_millis(
        text.parse().with_context(|| format!("{text:?} is not milliseconds"))?,
    ))
}
