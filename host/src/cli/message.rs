//! `call`, `cast` and `describe`: one message to an actor of any node.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use ractor::ActorCell;
use ractor::message::SerializedMessage;
use tracing_subscriber::filter::LevelFilter;

use super::argument;
use super::arguments::{
    CallArguments, CastArguments, DescribeArguments, MessageArguments, NodeArguments, OutputFormat,
};
use super::client::{ClientError, ClusterClient, Deadline};
use super::credentials::{cookie, dial};
use super::failure::Failure;
use super::output;
use super::process::Process;
use super::signature::{contract_json, write_contract};
use crate::config::Type;
use crate::control::Target;
use crate::directory::trace::{self, ActiveSpan, Operation, OperationKind, TraceContext};
use crate::directory::{FailureReason, NoReply, reply_port};
use crate::entities::to_type_actor;
use crate::guest::Contract;
use crate::typing::{self, Argument, Encoding, MessageKind, ReplyEncoding, Typed};

/// The time that an actor has to describe itself where the message can be sent without.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn call(arguments: CallArguments) -> Result<ExitCode, Failure> {
    let CallArguments { node, message, reply } = arguments;
    let message = OutgoingMessage::read(message)?;
    let (bytes, described) = on_a_client(&node, |client, deadline| send_call(client, deadline, message))?;
    let encoding = match (reply, described) {
        (Some(ty), _) => Encoding::Plain(ty),
        (None, Some(ReplyEncoding::Known(encoding))) => encoding,
        (None, Some(ReplyEncoding::Unknown(ty, reason))) => {
            output::note(format_args!(
                "the reply has the type {ty}, {reason}; choose another one with --reply"
            ));
            Encoding::Plain(Type::Bytes)
        }
        (None, None) => Encoding::Plain(Type::Bytes),
    };
    let reply = encoding.decode(&bytes).map_err(Failure::runtime)?;
    output::write(|out| writeln!(out, "{reply}"))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn cast(arguments: CastArguments) -> Result<ExitCode, Failure> {
    let CastArguments { node, message, all } = arguments;
    let message = OutgoingMessage::read(message)?;
    on_a_client(&node, |client, _| send_cast(client, message, all))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn describe(arguments: DescribeArguments) -> Result<ExitCode, Failure> {
    let DescribeArguments {
        node,
        target,
        output: format,
    } = arguments;
    let contract = contract_of(&node, target)?;
    output::write(|out| match format {
        OutputFormat::Text => write_contract(out, &contract),
        OutputFormat::Json => writeln!(out, "{:#}", contract_json(&contract)),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What an actor of a node says of itself.
pub(super) fn contract_of(node: &NodeArguments, target: Target) -> Result<Contract, Failure> {
    on_a_client(node, |client, deadline| async move {
        let actors = client.resolve(&target).await?;
        let actor = any_of(&actors).context("a target without an actor")?;
        let described = client.describe(actor, deadline.remaining()).await;
        described.map_err(|why| anyhow!("{target} on {} can't be described: {why}", client.peer_name()))
    })
}

/// Connects and does what is to be done.
fn on_a_client<T, F>(node: &NodeArguments, work: impl FnOnce(ClusterClient, Deadline) -> F) -> Result<T, Failure>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let process = Process::of_command(LevelFilter::OFF)?;
    let (cookie, dial) = (cookie(&node.cookie)?, dial(&node.tls)?);
    let deadline = Deadline::after(node.timeout);
    let outcome = process.complete(async {
        let client = ClusterClient::connect(&node.node, &cookie, &dial, deadline).await?;
        work(client, deadline).await
    });
    outcome.map_err(|error| match error.downcast::<CallFailed>() {
        Ok(failed) => Failure::CallFailed(failed.to_string()),
        Err(error) => Failure::runtime(error),
    })
}

/// The actor had a reason not to reply. It is none of ours, so it has an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("the actor failed the call: {0}")]
struct CallFailed(FailureReason);

/// What is sent.
struct OutgoingMessage {
    target: Target,
    variant: String,
    arguments: Vec<Argument>,
}

impl OutgoingMessage {
    /// The message of a command line, with the arguments that are in files or on standard input.
    fn read(message: MessageArguments) -> Result<Self, Failure> {
        let MessageArguments {
            target,
            variant,
            arguments,
        } = message;
        Ok(Self {
            target,
            variant,
            arguments: argument::read_all(&arguments).map_err(Failure::usage)?,
        })
    }
}

/// The message with the types that the actor says it has.
async fn typed(
    client: &ClusterClient,
    actor: &ActorCell,
    kind: MessageKind,
    message: &OutgoingMessage,
) -> anyhow::Result<Typed> {
    let OutgoingMessage {
        target,
        variant,
        arguments,
    } = message;
    // Arguments that say their own types can do without an answer; others can't, whatever time it takes.
    let patience = if arguments.iter().all(|argument| argument.literal().is_ok()) {
        SHORT_PATIENCE
    } else {
        Duration::MAX
    };
    let typed = match client.describe(actor, patience).await {
        // An actor that doesn't say what it takes may take anything.
        Ok(contract) if !contract.messages.is_empty() => typing::described(&contract, kind, variant, arguments),
        Ok(_) => typing::undescribed(arguments, &format!("{target} does not say which messages it takes")),
        Err(why) => typing::undescribed(arguments, &format!("{target} can't be asked: {why}")),
    };
    Ok(typed?)
}

async fn send_call(
    client: ClusterClient,
    deadline: Deadline,
    message: OutgoingMessage,
) -> anyhow::Result<(Vec<u8>, Option<ReplyEncoding>)> {
    let actors = client.resolve(&message.target).await?;
    let actor = any_of(&actors).context("a target without an actor")?;
    let typed = typed(&client, actor, MessageKind::Call, &message).await?;
    let OutgoingMessage { target, variant, .. } = message;
    let (port, reply) = reply_port(Some(deadline.remaining()));
    let call = SerializedMessage::Call {
        variant: variant.clone(),
        args: typed.arguments,
        reply: port,
        metadata: None,
    };
    let span = begin_span(&target, &call);
    trace::within(span.as_ref(), client.send(actor, addressed(&target, call))).await?;
    let peer = client.peer_name();
    match deadline.wait(reply).await {
        Some(Ok(reply)) => Ok((reply, typed.reply)),
        Some(Err(NoReply::Failed(reason))) => Err(CallFailed(reason).into()),
        Some(Err(NoReply::Dropped)) => Err(anyhow!(
            "{target} on {peer} ended without a reply, or the connection did"
        )),
        None => Err(anyhow!(
            "no reply from {target} on {peer} within {:?}: it is busy, or its messages have no variant {variant} with \
             these arguments and a reply",
            deadline.timeout
        )),
    }
}

async fn send_cast(client: ClusterClient, message: OutgoingMessage, all: bool) -> anyhow::Result<()> {
    let mut actors = client.resolve(&message.target).await?;
    if !all {
        actors = any_of(&actors).cloned().into_iter().collect();
    }
    let first = actors.first().context("a target without an actor")?;
    let typed = typed(&client, first, MessageKind::Cast, &message).await?;
    let mut ended = None;
    let mut sent = 0;
    for actor in &actors {
        let cast = SerializedMessage::Cast {
            variant: message.variant.clone(),
            args: typed.arguments.clone(),
            metadata: None,
        };
        let span = begin_span(&message.target, &cast);
        let cast = addressed(&message.target, cast);
        match trace::within(span.as_ref(), client.send(actor, cast)).await {
            Ok(()) => sent += 1,
            // It is no member any more, and the others are.
            Err(error @ ClientError::Ended { .. }) => ended = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    match ended {
        Some(error) if sent == 0 => Err(error.into()),
        _ => Ok(client.leave().await?),
    }
}

/// The message as the actor takes it that the target was resolved to: what is for an entity goes by the actor of its type.
fn addressed(target: &Target, message: SerializedMessage) -> SerializedMessage {
    match target {
        Target::Entity(entity) | Target::EntityAt(entity, _) => to_type_actor(&entity.key, message),
        Target::Group(_) | Target::Pid(_) | Target::Name(_) => message,
    }
}

/// The span of a message of the command line: the first of a trace, or, as part of one that a script has begun, of that in `TRACEPARENT`
/// and `TRACESTATE`.
fn begin_span(target: &Target, message: &SerializedMessage) -> Option<ActiveSpan> {
    if !trace::is_on() {
        return None;
    }
    let variable = |name| std::env::var(name).unwrap_or_default();
    let parent = TraceContext::parse(variable("TRACEPARENT").as_bytes(), variable("TRACESTATE").as_bytes());
    let kind = OperationKind::sending(message);
    trace::begin(parent.as_ref(), &Operation::of(kind, &target.to_string(), message))
}

fn any_of(actors: &[ActorCell]) -> Option<&ActorCell> {
    actors.get(rand::random_range(0..actors.len().max(1)))
}
