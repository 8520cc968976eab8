//! Answers the question what an actor is: [`DESCRIBE_VARIANT`](crate::directory::DESCRIBE_VARIANT).
//!
//! The answer is the module's and takes neither the actor's instance nor its turn. So an actor that is busy, or has much to
//! do, can be asked all the same.

use std::sync::Arc;

use ractor::message::SerializedMessage;
use tokio::runtime::Handle;

use super::guest_cell::GuestCell;
use crate::component::description::Answers;
use crate::directory::Sender;
use crate::store::mailbox::AnswersAhead;
use crate::store::replies::Port;

impl AnswersAhead for GuestCell {
    /// A module that was not asked before runs `describe` on an instance of its own, in a task. There is one such task for each
    /// actor at most, so that questions don't pile up where nothing bounds them.
    fn answer_ahead(self: Arc<Self>, message: SerializedMessage) -> Option<SerializedMessage> {
        if let Some(description) = self.module().known_description() {
            if let SerializedMessage::Call { args, reply, .. } = message
                && let Ok(description) = description
            {
                send(reply, &args, &description);
            }
            return None;
        }
        // Whoever puts the message in may be code that is woken without a runtime: then it waits for the actor's
        // turn.
        let Ok(runtime) = Handle::try_current() else {
            return Some(message);
        };
        // The mailbox bounds what waits, so a question for which there is no task goes there.
        let Some(asking) = self.begin_describing() else {
            return Some(message);
        };
        match message {
            SerializedMessage::Call { args, reply, .. } => {
                runtime.spawn(async move {
                    answer(&self, &args, reply).await;
                    drop(asking);
                });
                None
            }
            other => Some(other),
        }
    }

    fn comes_from(&self, message: &SerializedMessage, sender: Sender) {
        self.note_sender(message, sender);
    }

    fn forget_sender(&self, message: &SerializedMessage) {
        self.note_no_sender(message);
    }
}

/// Answers a question. A module that doesn't describe itself drops the port.
pub(super) async fn answer(life: &GuestCell, question: &[u8], reply: Port) {
    if let Ok(description) = life.module().description().await {
        send(reply, question, &description);
    }
}

fn send(reply: Port, question: &[u8], description: &Answers) {
    if let Some(answer) = description.to(question) {
        // The caller may have given up meanwhile, which is its own affair.
        reply.send(answer.to_vec()).ok();
    }
}
