//! `call` and `cast`: one message to an actor of any node.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use ractor::message::SerializedMessage;
use ractor::{ActorCell, RpcReplyPort, concurrency};
use tracing_subscriber::filter::LevelFilter;

use super::arguments::{CallArguments, CastArguments, CookieArguments, MessageArguments, NodeArguments, TlsArguments};
use super::client::{Client, Deadline};
use super::failure::Failure;
use crate::config::{Cookie, CookieError, Literal, Type};
use crate::host::Dial;
use crate::ops::telemetry::{self, LogFormat};
use crate::transport::tls::{IdentityFiles, Tls, TlsError, TlsFiles};

pub(super) fn call(arguments: CallArguments) -> Result<ExitCode, Failure> {
    let CallArguments { node, message, reply } = arguments;
    let bytes = on_a_client(&node, |client, deadline| send_call(client, deadline, message))?;
    let reply = reply.unwrap_or(Type::Bytes).decode(&bytes).map_err(Failure::runtime)?;
    writeln!(std::io::stdout().lock(), "{reply}").map_err(Failure::runtime)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn cast(arguments: CastArguments) -> Result<ExitCode, Failure> {
    let CastArguments { node, message, all } = arguments;
    on_a_client(&node, |client, _| send_cast(client, message, all))?;
    Ok(ExitCode::SUCCESS)
}

/// Connects and does what is to be done.
fn on_a_client<T, F>(node: &NodeArguments, work: impl FnOnce(Client, Deadline) -> F) -> Result<T, Failure>
where
    F: Future<Output = anyhow::Result<T>>,
{
    telemetry::init(LogFormat::Text, LevelFilter::OFF).map_err(Failure::usage)?;
    let cookie = cookie(&node.cookie).map_err(|error| Failure::usage(format_args!("{error}; {}", error.help())))?;
    let dial = dial(&node.tls).map_err(Failure::usage)?;
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::runtime)?;
    let deadline = Deadline::after(node.timeout);
    let outcome = runtime.block_on(async {
        let client = Client::connect(&node.node, &cookie, &dial, deadline).await?;
        work(client, deadline).await
    });
    // What is left of the connection needs no answer.
    runtime.shutdown_background();
    outcome.map_err(Failure::runtime)
}

fn cookie(arguments: &CookieArguments) -> Result<Cookie, CookieError> {
    match (&arguments.cookie_file, &arguments.cookie_env) {
        (Some(file), _) => Cookie::from_file(file),
        (None, variable) => {
            let variable = variable.as_deref().unwrap_or_default();
            Cookie::from_variable(variable, std::env::var(variable))
        }
    }
}

fn dial(arguments: &TlsArguments) -> Result<Dial, TlsError> {
    if arguments.tls_ca.is_none() {
        return Ok(Dial::Plain);
    }
    let identity = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(cert), Some(key)) => Some(IdentityFiles {
            cert: cert.clone(),
            key: key.clone(),
        }),
        _ => None,
    };
    let ca = arguments.tls_ca.clone();
    Ok(Dial::Tls {
        tls: Tls::load(TlsFiles { identity, ca })?,
        name: arguments.tls_name.clone(),
    })
}

async fn send_call(client: Client, deadline: Deadline, message: MessageArguments) -> anyhow::Result<Vec<u8>> {
    let MessageArguments {
        target,
        variant,
        arguments,
    } = message;
    let actors = client.resolve(&target).await?;
    let actor = any_of(&actors).context("a target without an actor")?;
    let (port, reply) = concurrency::oneshot();
    let call = SerializedMessage::Call {
        variant: variant.clone(),
        args: Literal::message_arguments(&arguments),
        reply: RpcReplyPort::from((port, deadline.remaining())),
        metadata: None,
    };
    send(actor, call)?;
    let peer = client.peer_name();
    match deadline.wait(reply).await {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(_)) => Err(anyhow!(
            "{target} on {peer} ended without a reply, or the connection did"
        )),
        None => Err(anyhow!(
            "no reply from {target} on {peer} within {:?}: it is busy, or its messages have no variant {variant} with \
             these arguments and a reply",
            deadline.timeout
        )),
    }
}

async fn send_cast(client: Client, message: MessageArguments, all: bool) -> anyhow::Result<()> {
    let MessageArguments {
        target,
        variant,
        arguments,
    } = message;
    let mut actors = client.resolve(&target).await?;
    if !all {
        actors = any_of(&actors).cloned().into_iter().collect();
    }
    let args = Literal::message_arguments(&arguments);
    for actor in &actors {
        send(
            actor,
            SerializedMessage::Cast {
                variant: variant.clone(),
                args: args.clone(),
                metadata: None,
            },
        )?;
    }
    Ok(client.leave(&actors).await?)
}

fn send(actor: &ActorCell, message: SerializedMessage) -> anyhow::Result<()> {
    actor
        .send_serialized(message)
        .map_err(|_| anyhow!("the actor ended before the message was sent"))
}

fn any_of(actors: &[ActorCell]) -> Option<&ActorCell> {
    actors.get(rand::random_range(0..actors.len().max(1)))
}
