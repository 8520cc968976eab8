//! Messages that this process sends by itself, as a node of the cluster: to nodes of this program and of `ractor_cluster`.

use anyhow::{Context as _, anyhow};
use ractor::ActorCell;
use ractor::message::SerializedMessage;

use super::{CallFailed, OutgoingMessage, Replied, begin_span};
use crate::cli::client::{ClientError, ClusterClient, Deadline};
use crate::control::Target;
use crate::directory::trace::{self, OperationKind};
use crate::directory::{NoReply, reply_port};
use crate::entities::to_type_actor;
use crate::guest::Contract;
use crate::typing::{MessageKind, Typed};

/// A node of its own, which has a session with another.
pub(super) struct Peer {
    pub(super) client: ClusterClient,
    pub(super) deadline: Deadline,
}

impl Peer {
    pub(super) async fn contract(self, target: &Target) -> anyhow::Result<Contract> {
        let actors = self.client.resolve(target).await?;
        let actor = any_of(&actors).context("a target without an actor")?;
        let described = self.client.describe(actor, self.deadline.remaining()).await;
        described.map_err(|why| anyhow!("{target} on {} can't be described: {why}", self.client.peer_name()))
    }

    pub(super) async fn call(self, message: OutgoingMessage) -> anyhow::Result<Replied> {
        let Self { client, deadline } = &self;
        if message.idempotency_key.is_some() {
            return Err(anyhow!(
                "an idempotency key goes to a node on this machine, and not through a place in the cluster: give --config and no address \
                 on the machine of {}, or use its admin HTTP",
                client.peer_name()
            ));
        }
        let actors = client.resolve(&message.target).await?;
        let actor = any_of(&actors).context("a target without an actor")?;
        let typed = self.typed(actor, MessageKind::Call, &message).await?;
        let OutgoingMessage { target, variant, .. } = message;
        let (port, reply) = reply_port(Some(deadline.remaining()));
        let span = begin_span(&target, OperationKind::Call, &variant, &typed.arguments);
        let call = SerializedMessage::Call {
            variant: variant.clone(),
            args: typed.arguments,
            reply: port,
            metadata: None,
        };
        trace::within(span.as_ref(), client.send(actor, addressed(&target, call))).await?;
        let peer = client.peer_name();
        match deadline.wait(reply).await {
            Some(Ok(reply)) => Ok((reply, typed.reply)),
            Some(Err(NoReply::Failed(reason))) => {
                Err(CallFailed(format!("the actor failed the call: {reason}")).into())
            }
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

    pub(super) async fn cast(self, message: OutgoingMessage, all: bool) -> anyhow::Result<()> {
        let mut actors = self.client.resolve(&message.target).await?;
        if !all {
            actors = any_of(&actors).cloned().into_iter().collect();
        }
        let first = actors.first().context("a target without an actor")?;
        let typed = self.typed(first, MessageKind::Cast, &message).await?;
        let mut ended = None;
        let mut sent = 0;
        for actor in &actors {
            let span = begin_span(&message.target, OperationKind::Send, &message.variant, &typed.arguments);
            let cast = SerializedMessage::Cast {
                variant: message.variant.clone(),
                args: typed.arguments.clone(),
                metadata: None,
            };
            let cast = addressed(&message.target, cast);
            match trace::within(span.as_ref(), self.client.send(actor, cast)).await {
                Ok(()) => sent += 1,
                // It is no member any more, and the others are.
                Err(error @ ClientError::Ended { .. }) => ended = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        match ended {
            Some(error) if sent == 0 => Err(error.into()),
            _ => Ok(self.client.leave().await?),
        }
    }

    /// The message with the types that the actor says it has.
    async fn typed(&self, actor: &ActorCell, kind: MessageKind, message: &OutgoingMessage) -> anyhow::Result<Typed> {
        let described = self.client.describe(actor, message.patience()).await;
        message.typed(kind, described.map_err(|why| why.to_string()))
    }
}

/// The message as the actor takes it that the target was resolved to: what is for an entity goes by the actor of its type.
fn addressed(target: &Target, message: SerializedMessage) -> SerializedMessage {
    match target {
        Target::Entity(entity) | Target::EntityAt(entity, _) => to_type_actor(&entity.key, message),
        Target::Group(_) | Target::Pid(_) | Target::Name(_) => message,
    }
}

fn any_of(actors: &[ActorCell]) -> Option<&ActorCell> {
    actors.get(rand::random_range(0..actors.len().max(1)))
}
