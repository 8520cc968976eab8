//! Answers the question what an actor is: [`DESCRIBE_VARIANT`].
//!
//! The answer is the module's and takes neither the actor's instance nor its turn. So an actor that is busy, or has much to
//! do, can be asked all the same.

use std::sync::Arc;

use ractor::message::SerializedMessage;
use tokio::runtime::Handle;

use super::guest_cell::Life;
use crate::directory::DESCRIBE_VARIANT;
use crate::store::replies::Port;

/// True for the call that asks what the actor is.
pub(crate) fn is_question(message: &SerializedMessage) -> bool {
    matches!(message, SerializedMessage::Call { variant, .. } if variant == DESCRIBE_VARIANT)
}

/// Answers a question before it enters the mailbox. Gives the message back if that can't be done: then it waits for the
/// actor's turn.
///
/// A module that was not asked before runs `describe` on an instance of its own, in a task. There is one such task for each
/// actor at most, so that questions don't pile up where nothing bounds them.
pub(crate) fn answer_ahead(life: Arc<Life>, message: SerializedMessage) -> Option<SerializedMessage> {
    if let Some(description) = life.module().known_description() {
        if let SerializedMessage::Call { reply, .. } = message
            && let Some(description) = description
        {
            send(reply, &description);
        }
        return None;
    }
    let Ok(runtime) = Handle::try_current() else {
        return Some(message);
    };
    let Some(asking) = life.begin_describing() else {
        return Some(message);
    };
    match message {
        SerializedMessage::Call { reply, .. } => {
            runtime.spawn(async move {
                answer(&life, reply).await;
                drop(asking);
            });
            None
        }
        other => Some(other),
    }
}

/// Answers a question. A module that doesn't describe itself drops the port.
pub(crate) async fn answer(life: &Life, reply: Port) {
    if let Some(description) = life.module().description().await {
        send(reply, &description);
    }
}

fn send(reply: Port, description: &[u8]) {
    // The caller may have given up meanwhile, which is its own affair.
    reply.send(description.to_vec()).ok();
}
