//! Messages that operators have this node send: to actors of its own, and through it to those of the nodes that it knows.

use std::time::Duration;

use ractor::concurrency;
use ractor::message::SerializedMessage;
use ractor::{ActorCell, ActorId, RpcReplyPort, pg};
use tokio::time::{Instant, timeout_at};

use super::actors;
use super::entities::NodeEntities;
use super::keyed_calls::{OperatorKey, OperatorKind, bearing};
use crate::config::{Type, did_you_mean};
use crate::control::{NotSent, Reply, SendFault, Sending, Target};
use crate::directory::trace::{self, ActiveSpan, Operation, OperationKind};
use crate::directory::{self, DESCRIBE_VARIANT, NoReply, PutRefused, SendRefused, reply_port};
use crate::entities::{self, Entity, EntityKey, has_type, is_reached, to_type_actor, type_group};
use crate::guest::{Contract, DESCRIBE_ARGUMENTS, Modules};
use crate::typing::{self, Argument, Encoding, MessageKind, ReplyEncoding, Typed, TypingError};

/// The longest that an actor of another node may take to describe itself.
const DESCRIPTION: Duration = Duration::from_secs(5);

/// What is known of this node's actors.
pub(super) type Known<'a> = (&'a Modules, &'a NodeEntities);

/// Whom a message is for.
#[derive(Debug, Clone)]
pub(super) enum Recipient {
    Actor(ActorCell),
    /// Whether it is active or not.
    Entity(Entity),
    /// One of another node, by the actor of its type there.
    EntityElsewhere(ActorCell, EntityKey),
}

/// Sends a call, and gives its reply.
pub(super) async fn call(known: Known<'_>, message: Sending) -> Result<Reply, NotSent> {
    let until = Instant::now() + message.wait();
    let actors = resolve(known, &message.target, until).await?;
    let actor = any_of(&actors)?;
    let typed = typed(known, actor, MessageKind::Call, &message, until).await?;
    let encoding = reply_encoding(&message, typed.reply)?;
    let asked = Asked {
        target: &message.target,
        message: &message.message,
        wait: message.wait(),
        until,
        key: message.idempotency_key.as_deref().map(|key| OperatorKey {
            kind: OperatorKind::Http,
            key,
        }),
    };
    let bytes = called(actor, typed.arguments, asked).await?;
    let reply = typing::decode(&encoding, &bytes);
    Ok(Reply {
        reply: reply.map_err(|error| SendFault::BadReply.because(error))?,
        reply_type: encoding.to_string(),
    })
}

/// What is called, and the time there is for it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) target: &'a str,
    pub(super) message: &'a str,
    /// The time there is in all.
    pub(super) wait: Duration,
    pub(super) until: Instant,
    pub(super) key: Option<OperatorKey<'a>>,
}

/// Sends a call, and gives the bytes of its reply.
pub(super) async fn called(recipient: &Recipient, arguments: Vec<u8>, asked: Asked<'_>) -> Result<Vec<u8>, NotSent> {
    let (port, reply) = reply_port(Some(asked.until.saturating_duration_since(Instant::now())));
    let call = SerializedMessage::Call {
        variant: asked.message.to_owned(),
        args: arguments,
        reply: port,
        metadata: None,
    };
    let span = begin_span(asked.target, &call);
    // Behind the span, which has the name of the message.
    let outcome = match bearing(call, recipient, asked.target, asked.key) {
        Ok(call) => replied(recipient, call, reply, asked, span.as_ref()).await,
        Err(refused) => Err(refused),
    };
    if let (Some(span), Err(error)) = (&span, &outcome) {
        span.failed(&error.reason);
    }
    outcome
}

async fn replied(
    recipient: &Recipient,
    call: SerializedMessage,
    reply: directory::Reply<Vec<u8>>,
    asked: Asked<'_>,
    span: Option<&ActiveSpan>,
) -> Result<Vec<u8>, NotSent> {
    let Asked {
        target,
        message,
        wait,
        until,
        key: _,
    } = asked;
    trace::within(span, send_to(recipient, call, until)).await?;
    match timeout_at(until, reply).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(NoReply::Failed(reason))) => {
            Err(SendFault::Failed.because(format!("{target} failed the call: {reason}")))
        }
        Ok(Err(NoReply::Dropped)) => {
            let reason = format!(
                "{target} ended without a reply, or has no message `{message}` with these arguments and a reply"
            );
            Err(SendFault::Ended.because(reason))
        }
        Err(_) => {
            let reason = format!("no reply from {target} within {wait:?}; it may be busy");
            Err(SendFault::NoReply.because(reason))
        }
    }
}

/// The span of a message that an operator has this node send: the first of a trace, unless the operator has named one that it is part of.
fn begin_span(target: &str, message: &SerializedMessage) -> Option<ActiveSpan> {
    let parent = trace::carried();
    let kind = OperationKind::sending(message);
    trace::begin(parent.as_deref(), &Operation::of(kind, target, message))
}

/// Sends a cast, and gives how many actors got it.
pub(super) async fn cast(known: Known<'_>, message: Sending) -> Result<usize, NotSent> {
    let until = Instant::now() + message.wait();
    let mut actors = resolve(known, &message.target, until).await?;
    if !message.all {
        actors = vec![any_of(&actors)?.clone()];
    }
    let first = actors.first().ok_or_else(nobody_there)?;
    let typed = typed(known, first, MessageKind::Cast, &message, until).await?;
    cast_to(&actors, &message.target, &message.message, &typed.arguments, until).await
}

/// Casts to each of these, and gives how many got it: an error if none did.
pub(super) async fn cast_to(
    recipients: &[Recipient],
    target: &str,
    variant: &str,
    arguments: &[u8],
    until: Instant,
) -> Result<usize, NotSent> {
    let mut sent = 0;
    let mut refused = None;
    for actor in recipients {
        let cast = SerializedMessage::Cast {
            variant: variant.to_owned(),
            args: arguments.to_vec(),
            metadata: None,
        };
        let span = begin_span(target, &cast);
        match trace::within(span.as_ref(), send_to(actor, cast, until)).await {
            Ok(()) => sent += 1,
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if sent == 0 => Err(error),
        _ => Ok(sent),
    }
}

/// One of those that a target stands for.
pub(super) fn any_of(actors: &[Recipient]) -> Result<&Recipient, NotSent> {
    let one = actors.get(rand::random_range(0..actors.len().max(1)));
    one.ok_or_else(nobody_there)
}

fn nobody_there() -> NotSent {
    SendFault::NoTarget.because("nobody is there")
}

/// The actors that a target stands for: at least one.
pub(super) async fn resolve(known: Known<'_>, text: &str, until: Instant) -> Result<Vec<Recipient>, NotSent> {
    let target: Target = text.parse().map_err(|error| SendFault::BadTarget.because(error))?;
    let found = match &target {
        Target::Pid(pid) => directory::local_actor(*pid).into_iter().collect(),
        Target::Name(name) => match directory::where_is(name) {
            Some(actor) => vec![actor],
            None => {
                let elsewhere = timeout_at(until, directory::find(name)).await;
                elsewhere.ok().flatten().into_iter().collect()
            }
        },
        Target::Group(group) => pg::get_members(group),
        // It is activated by the message.
        Target::Entity(entity) if is_reached(&entity.entity_type) => {
            return Ok(vec![Recipient::Entity(entity.clone())]);
        }
        Target::EntityAt(entity, node) if is_own(node) && is_reached(&entity.entity_type) => {
            return Ok(vec![Recipient::Entity(entity.clone())]);
        }
        Target::Entity(entity) => {
            return elsewhere(known, &target, entity, type_group(&entity.entity_type), until).await;
        }
        Target::EntityAt(entity, node) => {
            let actor = format!("{}@{node}", type_group(&entity.entity_type));
            return elsewhere(known, &target, entity, actor, until).await;
        }
    };
    let takes_messages = |actor: &ActorCell| !directory::is_ours(actor.get_id()) || is_reachable(actor);
    let actors: Vec<ActorCell> = found.into_iter().filter(takes_messages).collect();
    if actors.is_empty() {
        return Err(nobody(known, &target));
    }
    Ok(actors.into_iter().map(Recipient::Actor).collect())
}

/// The entity of another node, if a node that this one knows has such.
async fn elsewhere(
    known: Known<'_>,
    target: &Target,
    entity: &Entity,
    type_actor: String,
    until: Instant,
) -> Result<Vec<Recipient>, NotSent> {
    let found = timeout_at(until, directory::find(&type_actor)).await.ok().flatten();
    match found.filter(|actor| !directory::is_ours(actor.get_id())) {
        Some(actor) => Ok(vec![Recipient::EntityElsewhere(actor, entity.key.clone())]),
        None => Err(nobody(known, target)),
    }
}

/// True for the full name of this node.
fn is_own(node: &str) -> bool {
    directory::node_of(ActorId::Local(0)).is_some_and(|own| own.name == node)
}

/// Why a message is not sent whose target nobody is.
fn nobody((modules, entities): Known<'_>, target: &Target) -> NotSent {
    let reason = match target {
        Target::Pid(pid) => format!("this node has no actor with pid {pid} that takes messages from elsewhere"),
        Target::Name(name) => format!(
            "no actor here is named {name:?} and takes messages from elsewhere; one of another node is NAME@NODE, and a group \
             is group:NAME"
        ),
        Target::Group(group) => format!("the group {group:?} has no members that this node knows"),
        Target::Entity(entity) => format!(
            "this node has no entities of the type {:?}, and none of its peers has",
            entity.entity_type.name()
        ),
        Target::EntityAt(entity, node) => format!(
            "the node {node:?} has no entities of the type {:?}, or this node has no link to it; a node is named in full, as NAME@HOSTNAME",
            entity.entity_type.name()
        ),
    };
    let question = suggestion(modules, entities, target).map(|question| format!("; {question}"));
    SendFault::NoTarget.because(format!("{reason}{}", question.unwrap_or_default()))
}

/// What may have been meant by a target that nobody is.
fn suggestion(modules: &Modules, entities: &NodeEntities, target: &Target) -> Option<String> {
    match target {
        Target::Pid(_) | Target::EntityAt(..) => None,
        Target::Entity(entity) => did_you_mean(entity.entity_type.name(), entities.names()),
        Target::Group(group) => did_you_mean(group, pg::which_groups().iter().map(String::as_str)),
        Target::Name(name) => {
            let known = actors::all(modules).into_iter().filter_map(|row| row.name);
            let known: Vec<String> = known.collect();
            did_you_mean(name, known.iter().map(String::as_str))
        }
    }
}

/// True for an actor of this process that others can send to.
fn is_reachable(actor: &ActorCell) -> bool {
    directory::inbox(actor.get_id()).is_some() || actor.supports_remoting()
}

/// To whoever is meant.
async fn send_to(recipient: &Recipient, message: SerializedMessage, until: Instant) -> Result<(), NotSent> {
    let entity = match recipient {
        Recipient::Actor(actor) => return send(actor, message, until).await,
        Recipient::EntityElsewhere(actor, key) => return send(actor, to_type_actor(key, message), until).await,
        Recipient::Entity(entity) => entity,
    };
    let patience = until.saturating_duration_since(Instant::now());
    let sent = entities::send_within(entity, message, patience).await;
    sent.map_err(|refused| match refused.reason {
        // It may work soon, whoever is asked.
        entities::NotSent::Overloaded | entities::NotSent::NotJoined => {
            SendFault::Overloaded.because(format!("{}; the message was not sent", refused.reason))
        }
        reason => SendFault::NoTarget.because(reason),
    })
}

async fn send(actor: &ActorCell, message: SerializedMessage, until: Instant) -> Result<(), NotSent> {
    let id = actor.get_id();
    let ended = || SendFault::Ended.because("the actor has just ended, or the connection to its node has");
    let overloaded = |what: &str| SendFault::Overloaded.because(format!("{what}; the message was not sent"));
    if directory::is_ours(id) {
        let local = directory::local(id.pid()).ok_or_else(ended)?;
        return local.send(message).map_err(|refused| match refused {
            PutRefused::Ended => ended(),
            PutRefused::Full => overloaded("the mailbox of the actor is full"),
        });
    }
    match timeout_at(until, directory::send_remote(id, message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(SendRefused::UnknownActor)) => Err(ended()),
        Ok(Err(SendRefused::TooLarge)) => Err(overloaded("the message is larger than the actor's node accepts")),
        Ok(Err(SendRefused::Overloaded)) | Err(_) => Err(overloaded("too much waits for the actor's node")),
    }
}

/// The message with the types that it is said to have, or that the actor says it has.
async fn typed(
    known: Known<'_>,
    recipient: &Recipient,
    kind: MessageKind,
    message: &Sending,
    until: Instant,
) -> Result<Typed, NotSent> {
    let described = contract(known, recipient, until).await;
    let arguments = arguments(message)?;
    let typed = match &described {
        Ok(contract) if !contract.messages.is_empty() => {
            typing::described(contract, kind, &message.message, &arguments)
        }
        Ok(_) => typing::undescribed(&arguments, "the actor does not say which messages it takes"),
        Err(why) => typing::undescribed(&arguments, why),
    };
    typed.map_err(|error| refused(&error))
}

/// The arguments, with the types that the sender says they have.
fn arguments(message: &Sending) -> Result<Vec<Argument>, NotSent> {
    let bad = |reason: String| SendFault::BadArguments.because(reason);
    let Some(types) = &message.argument_types else {
        return Ok(message.arguments.iter().cloned().map(Argument::Json).collect());
    };
    if types.len() != message.arguments.len() {
        let (types, arguments) = (types.len(), message.arguments.len());
        return Err(bad(format!(
            "there are {types} `argument_types` for {arguments} `arguments`"
        )));
    }
    let pairs = message.arguments.iter().zip(types).enumerate();
    let typed = pairs.map(|(index, (argument, ty))| {
        let ty: Type = ty.parse().map_err(|error| bad(format!("`argument_types`: {error}")))?;
        let literal = typing::encode(&Encoding::Plain(ty), argument);
        let literal = literal.map_err(|error| bad(format!("argument {}: {error}", index + 1)))?;
        Ok(Argument::Typed(literal))
    });
    typed.collect()
}

/// What is wrong with a message, in the words of whoever sends JSON.
fn refused(error: &TypingError) -> NotSent {
    let fault = match error {
        TypingError::UnknownVariant { .. } | TypingError::NotACall(_) | TypingError::NotACast(_) => {
            SendFault::NoMessage
        }
        _ => SendFault::BadArguments,
    };
    fault.because(match error {
        TypingError::NotACall(signature) => format!("`{signature}` has no reply: it is cast, and not called"),
        TypingError::NotACast(signature) => format!("`{signature}` has a reply: it is called, and not cast"),
        TypingError::UnknownType {
            argument,
            signature,
            ty,
            reason,
        } => format!(
            "{argument} of `{signature}` has the type {ty}, {reason}: say in `argument_types` what it is encoded as, for example `bytes`"
        ),
        TypingError::NoDescription { why, .. } => {
            format!("the types of the arguments are not known ({why}): say them in `argument_types`")
        }
        error => error.to_string(),
    })
}

/// The encoding of the reply: as the sender says, or as the actor does, or bytes.
fn reply_encoding(message: &Sending, described: Option<ReplyEncoding>) -> Result<Encoding, NotSent> {
    if let Some(ty) = &message.reply_type {
        let ty: Type = ty
            .parse()
            .map_err(|error| SendFault::BadArguments.because(format!("`reply_type`: {error}")))?;
        return Ok(Encoding::Plain(ty));
    }
    Ok(match described {
        Some(ReplyEncoding::Known(encoding)) => encoding,
        Some(ReplyEncoding::Unknown(..)) | None => Encoding::Plain(Type::Bytes),
    })
}

/// What the actor says of itself, or why nothing is known of it.
pub(super) async fn contract(known: Known<'_>, recipient: &Recipient, until: Instant) -> Result<Contract, String> {
    let (modules, entities) = known;
    let actor = match recipient {
        Recipient::Actor(actor) | Recipient::EntityElsewhere(actor, _) => actor,
        Recipient::Entity(entity) if has_type(&entity.entity_type) => {
            return entities.contract(&entity.entity_type, modules).await;
        }
        // Whichever node of the cluster has it.
        Recipient::Entity(_) => return described(recipient, until).await,
    };
    let id = actor.get_id();
    if directory::is_ours(id) {
        // The module answers for its guests, so that a busy one is not waited for.
        let guest = modules
            .all_guests()
            .into_iter()
            .find(|guest| guest.cell().get_id() == id);
        let guest = guest.ok_or("native actors do not describe themselves")?;
        return guest
            .module()
            .contract()
            .await
            .ok_or_else(|| "the actor does not describe itself".to_owned());
    }
    if directory::node_of(id).is_none_or(|node| node.incarnation == 0) {
        return Err("its node runs ractor_cluster, where actors don't describe themselves".to_owned());
    }
    described(recipient, until).await
}

/// What somebody on another node says of itself.
async fn described(recipient: &Recipient, until: Instant) -> Result<Contract, String> {
    let (port, description) = concurrency::oneshot();
    let until = until.min(Instant::now() + DESCRIPTION);
    let question = SerializedMessage::Call {
        variant: DESCRIBE_VARIANT.to_owned(),
        args: DESCRIBE_ARGUMENTS.to_vec(),
        reply: RpcReplyPort::from((port, until.saturating_duration_since(Instant::now()))),
        metadata: None,
    };
    let sent = match recipient {
        Recipient::Actor(actor) | Recipient::EntityElsewhere(actor, _) => send(actor, question, until).await,
        Recipient::Entity(_) => send_to(recipient, question, until).await,
    };
    sent.map_err(|not_sent| not_sent.reason)?;
    match timeout_at(until, description).await {
        Ok(Ok(bytes)) => Contract::from_bytes(&bytes).map_err(|error| error.to_string()),
        Ok(Err(_)) => Err("the actor does not describe itself; native actors don't".to_owned()),
        Err(_) => Err("the actor did not describe itself in time; it may be busy".to_owned()),
    }
}
