//! `call`, `cast` and `describe`: one message to an actor of any node.

mod here;
mod peer;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use self::here::Here;
use self::peer::Peer;
use super::argument;
use super::arguments::{
    CallArguments, CastArguments, DescribeArguments, MessageArguments, NodeArguments, OutputFormat,
};
use super::client::{ClusterClient, Deadline};
use super::credentials::{cookie, dial};
use super::failure::Failure;
use super::nodes::{self, named_here};
use super::output;
use super::process::Process;
use super::signature::{contract_json, write_contract};
use crate::config::Type;
use crate::control::Target;
use crate::directory::trace::{self, ActiveSpan, Operation, OperationKind, TraceContext};
use crate::guest::Contract;
use crate::host::HostBuilder;
use crate::typing::{self, Argument, Encoding, MessageKind, ReplyEncoding, Typed};

/// The time that an actor has to describe itself where the message can be sent without.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// The bytes of a reply, and how the actor says to read them.
type Replied = (Vec<u8>, Option<ReplyEncoding>);

pub(super) fn call(arguments: CallArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let CallArguments {
        node,
        message,
        reply,
        idempotency_key,
    } = arguments;
    let message = OutgoingMessage {
        idempotency_key,
        ..OutgoingMessage::read(message)?
    };
    let (bytes, described) = with_a_sender(&node, builder, async |sender| match sender {
        Sender::Peer(peer) => peer.call(message).await,
        Sender::Here(here) => here.call(message).await,
    })?;
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

pub(super) fn cast(arguments: CastArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let CastArguments { node, message, all } = arguments;
    let message = OutgoingMessage::read(message)?;
    with_a_sender(&node, builder, async |sender| match sender {
        Sender::Peer(peer) => peer.cast(message, all).await,
        Sender::Here(here) => here.cast(message, all).await,
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn describe(arguments: DescribeArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let DescribeArguments {
        node,
        target,
        output: format,
    } = arguments;
    let contract = contract_of(&node, target, builder)?;
    output::write(|out| match format {
        OutputFormat::Text => write_contract(out, &contract),
        OutputFormat::Json => writeln!(out, "{:#}", contract_json(&contract)),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What an actor of a node says of itself.
pub(super) fn contract_of(node: &NodeArguments, target: Target, builder: &HostBuilder) -> Result<Contract, Failure> {
    with_a_sender(node, builder, async |sender| match sender {
        Sender::Peer(peer) => peer.contract(&target).await,
        Sender::Here(here) => here.contract(&target).await,
    })
}

/// Who sends.
enum Sender {
    /// This process, as a node of the cluster.
    Peer(Peer),
    /// A node on this machine, which is asked for it.
    Here(Here),
}

/// Reaches the node and does what is to be done.
fn with_a_sender<T>(
    node: &NodeArguments,
    builder: &HostBuilder,
    work: impl AsyncFnOnce(Sender) -> anyhow::Result<T>,
) -> Result<T, Failure> {
    let process = Process::of_command(LevelFilter::OFF)?;
    let deadline = Deadline::after(node.timeout);
    let outcome = match named_here(node.config.as_deref(), &node.node, builder)? {
        Some(config) => process.complete(async {
            let node = nodes::here(&config, deadline).await?;
            work(Sender::Here(Here { node, deadline })).await
        }),
        None => {
            let [address] = node.node.as_slice() else {
                return Err(Failure::usage(
                    "a message goes to one node; name that one only with --node",
                ));
            };
            let (cookie, dial) = (cookie(&node.cookie)?, dial(&node.tls)?);
            process.complete(async {
                let client = ClusterClient::connect(address, &cookie, &dial, deadline).await?;
                work(Sender::Peer(Peer { client, deadline })).await
            })
        }
    };
    outcome.map_err(|error| match error.downcast::<CallFailed>() {
        Ok(failed) => Failure::CallFailed(failed.to_string()),
        Err(error) => Failure::runtime(error),
    })
}

/// The actor had a reason not to reply. It is none of ours, so it has an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct CallFailed(String);

/// What is sent.
struct OutgoingMessage {
    target: Target,
    variant: String,
    arguments: Vec<Argument>,
    idempotency_key: Option<String>,
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
            idempotency_key: None,
        })
    }
}

impl OutgoingMessage {
    /// The time that the actor has to describe itself: arguments that say their own types can do without an answer; others can't,
    /// whatever time it takes.
    fn patience(&self) -> Duration {
        if self.arguments.iter().all(|argument| argument.literal().is_ok()) {
            SHORT_PATIENCE
        } else {
            Duration::MAX
        }
    }

    /// The message with the types that the actor says it has; or why nothing is known of these.
    fn typed(&self, kind: MessageKind, described: Result<Contract, String>) -> anyhow::Result<Typed> {
        let Self {
            target,
            variant,
            arguments,
            ..
        } = self;
        let typed = match described {
            // An actor that doesn't say what it takes may take anything.
            Ok(contract) if !contract.messages.is_empty() => typing::described(&contract, kind, variant, arguments),
            Ok(_) => typing::undescribed(arguments, &format!("{target} does not say which messages it takes")),
            Err(why) => typing::undescribed(arguments, &format!("{target} can't be asked: {why}")),
        };
        Ok(typed?)
    }
}

/// The span of a message of the command line: the first of a trace, or, as part of one that a script has begun, of that in `TRACEPARENT`
/// and `TRACESTATE`.
fn begin_span(target: &Target, kind: OperationKind, variant: &str, arguments: &[u8]) -> Option<ActiveSpan> {
    if !trace::is_on() {
        return None;
    }
    let variable = |name| std::env::var(name).unwrap_or_default();
    let parent = TraceContext::parse(variable("TRACEPARENT").as_bytes(), variable("TRACESTATE").as_bytes());
    let operation = Operation {
        kind,
        actor: &target.to_string(),
        variant,
        bytes: arguments.len(),
    };
    trace::begin(parent.as_ref(), &operation)
}
