//! Messages that a node on this machine sends for whoever may use its local socket: to its own actors and entities, and to actors that it
//! knows of other nodes. No cookie is needed, and no place in the cluster.

use std::time::Duration;

use anyhow::{Context as _, anyhow};

use super::{CallFailed, OutgoingMessage, Replied, begin_span};
use crate::cli::client::Deadline;
use crate::cli::nodes::ControlledNode;
use crate::control::{Answer, Delivered, Delivery, DeliveryKind, Described, NotSent, Request, SendFault, Target};
use crate::directory::trace::OperationKind;
use crate::guest::Contract;
use crate::typing::MessageKind;

/// The node.
pub(super) struct Here {
    pub(super) node: ControlledNode,
    pub(super) deadline: Deadline,
}

impl Here {
    pub(super) async fn contract(mut self, target: &Target) -> anyhow::Result<Contract> {
        let (_, contract) = self.described(target, Duration::MAX).await?;
        contract.map_err(|why| anyhow!("{target} on {} can't be described: {why}", self.node.name))
    }

    pub(super) async fn call(mut self, message: OutgoingMessage) -> anyhow::Result<Replied> {
        let (actor, described) = self.described(&message.target, message.patience()).await?;
        let typed = message.typed(MessageKind::Call, described)?;
        let delivered = self
            .deliver(&message, actor, DeliveryKind::Call, &typed.arguments)
            .await?;
        let reply = delivered.reply.context("the node says nothing of a reply")?;
        Ok((hex::decode(reply)?, typed.reply))
    }

    pub(super) async fn cast(mut self, message: OutgoingMessage, all: bool) -> anyhow::Result<()> {
        let (actor, described) = self.described(&message.target, message.patience()).await?;
        let typed = message.typed(MessageKind::Cast, described)?;
        let (target, kind) = if all {
            (message.target.to_string(), DeliveryKind::CastToAll)
        } else {
            (actor, DeliveryKind::Cast)
        };
        self.deliver(&message, target, kind, &typed.arguments).await.map(drop)
    }

    /// The actor that a target stands for, and what it says of itself, or why nothing is known.
    async fn described(
        &mut self,
        target: &Target,
        patience: Duration,
    ) -> anyhow::Result<(String, Result<Contract, String>)> {
        let request = Request::Describe {
            target: target.to_string(),
            timeout_ms: milliseconds(self.deadline.remaining().min(patience)),
        };
        let Described { actor, contract } = match self.node.ask(&request).await? {
            Answer::Described(described) => described,
            answer => return Err(self.refused(answer)),
        };
        let contract = contract.and_then(|bytes| {
            let bytes = hex::decode(bytes).map_err(|error| error.to_string())?;
            Contract::from_bytes(&bytes).map_err(|error| format!("its description can't be understood: {error}"))
        });
        Ok((actor, contract))
    }

    async fn deliver(
        &mut self,
        message: &OutgoingMessage,
        target: String,
        kind: DeliveryKind,
        arguments: &[u8],
    ) -> anyhow::Result<Delivered> {
        let operation = match kind {
            DeliveryKind::Call => OperationKind::Call,
            DeliveryKind::Cast | DeliveryKind::CastToAll => OperationKind::Send,
        };
        let span = begin_span(&message.target, operation, &message.variant, arguments);
        let request = Request::Deliver(Delivery {
            target,
            message: message.variant.clone(),
            kind,
            timeout_ms: milliseconds(self.deadline.remaining()),
            trace: span.as_ref().map(|span| {
                let context = span.context();
                (context.parent(), context.state().to_owned())
            }),
            idempotency_key: message.idempotency_key.clone(),
        });
        match self.node.ask_with(&request, arguments).await? {
            Answer::Delivered(delivered) => Ok(delivered),
            answer => {
                let error = self.refused(answer);
                if let Some(span) = &span {
                    span.failed(&error.to_string());
                }
                Err(error)
            }
        }
    }

    /// Why the node did not do what it was asked.
    fn refused(&self, answer: Answer) -> anyhow::Error {
        match answer {
            Answer::NotSent(NotSent {
                fault: SendFault::Failed,
                reason,
            }) => CallFailed(reason).into(),
            Answer::NotSent(NotSent { reason, .. }) => anyhow!("{}: {reason}", self.node.name),
            _ => anyhow!(
                "{} answered with what was not asked; it may run another version of ractor-host",
                self.node.name
            ),
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
