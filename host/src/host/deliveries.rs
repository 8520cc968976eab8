//! Messages of operators on this node's own machine, whose commands make the bytes of the arguments themselves, as they do for any node.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::calls::{Asked, Known, Recipient, any_of, called, cast_to, contract, resolve};
use super::keyed_calls::{OperatorKey, OperatorKind};
use crate::control::{Delivered, Delivery, DeliveryKind, Described, NotSent, Target};
use crate::directory;
use crate::directory::trace::{self, TraceContext};

/// What the actor says of itself that a target stands for.
pub(super) async fn describe(known: Known<'_>, target: String, patience: Duration) -> Result<Described, NotSent> {
    let until = Instant::now() + patience;
    let recipients = resolve(known, &target, until).await?;
    let recipient = any_of(&recipients)?;
    let contract = contract(known, recipient, until).await;
    let bytes = contract.and_then(|contract| contract.to_bytes().map_err(|error| error.to_string()));
    let member = member(&target, recipient);
    Ok(Described {
        actor: member.unwrap_or(target),
        contract: bytes.map(hex::encode),
    })
}

/// How a member of a group is meant, so that what comes next goes to the same one. None if the target is no group, or the member another node's.
fn member(target: &str, recipient: &Recipient) -> Option<String> {
    let Recipient::Actor(actor) = recipient else {
        return None;
    };
    let is_group = matches!(target.parse(), Ok(Target::Group(_)));
    let id = actor.get_id();
    (is_group && directory::is_ours(id)).then(|| Target::Pid(id.pid()).to_string())
}

/// Sends a message.
pub(super) async fn deliver(known: Known<'_>, delivery: Delivery, arguments: Vec<u8>) -> Result<Delivered, NotSent> {
    let context = delivery.trace.as_ref().and_then(|(parent, state)| {
        let context = TraceContext::parse(parent.as_bytes(), state.as_bytes());
        context.map(Arc::new)
    });
    let delivered = sent(known, delivery, arguments);
    match context {
        Some(context) => trace::carry(context, delivered).await,
        None => delivered.await,
    }
}

async fn sent(known: Known<'_>, delivery: Delivery, arguments: Vec<u8>) -> Result<Delivered, NotSent> {
    let wait = delivery.wait();
    let until = Instant::now() + wait;
    let Delivery {
        target,
        message,
        kind,
        idempotency_key,
        ..
    } = delivery;
    let recipients = resolve(known, &target, until).await?;
    let one = any_of(&recipients)?;
    let actors = match kind {
        DeliveryKind::CastToAll => cast_to(&recipients, &target, &message, &arguments, until).await?,
        DeliveryKind::Cast => cast_to(std::slice::from_ref(one), &target, &message, &arguments, until).await?,
        DeliveryKind::Call => {
            let asked = Asked {
                target: &target,
                message: &message,
                wait,
                until,
                key: idempotency_key.as_deref().map(|key| OperatorKey {
                    kind: OperatorKind::Local,
                    key,
                }),
            };
            let reply = called(one, arguments, asked).await?;
            return Ok(Delivered {
                actors: 1,
                reply: Some(hex::encode(reply)),
            });
        }
    };
    Ok(Delivered { actors, reply: None })
}
