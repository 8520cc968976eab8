//! A reference to an actor under another message type.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::guest::runtime::outgoing::{Outcome, Sent};
use crate::guest::{ActorCell, ActorRef, Message, MessagingErr};

type Convert<TFrom> = dyn Fn(TFrom, Sending) -> Result<Option<Sent>, MessagingErr<TFrom>> + Send + Sync;

/// What is to become of a message.
#[derive(Clone, Copy)]
enum Sending {
    /// It is sent.
    Whole,
    /// It is sent, and what is left is to wait for its reply.
    Begun,
}

/// A reference to an actor for senders that know only a part of its messages, or convert theirs into them.
pub struct DerivedActorRef<TFrom> {
    convert: Arc<Convert<TFrom>>,
    inner: ActorCell,
}

impl<TFrom> DerivedActorRef<TFrom> {
    /// Converts a message and sends it; see [`ActorCell::send_message`].
    ///
    /// # Errors
    /// `SendErr` with the message if it was not accepted, `InvalidActorType` if it has no serialized form.
    pub fn send_message(&self, message: TFrom) -> Result<(), MessagingErr<TFrom>> {
        (self.convert)(message, Sending::Whole).map(drop)
    }

    /// The same reference without the message type.
    pub fn get_cell(&self) -> ActorCell {
        self.inner.clone()
    }

    /// Converts a message and sends it; if it is a call, what is left is to wait for its reply.
    pub(crate) fn begin(&self, message: TFrom) -> Result<Sent, MessagingErr<TFrom>> {
        let sent = (self.convert)(message, Sending::Begun)?;
        Ok(sent.unwrap_or(Sent::Done(Outcome::Accepted)))
    }
}

impl<TMessage: Message> ActorRef<TMessage> {
    /// A reference for senders of `TFrom`. Sending panics if a message that was not accepted doesn't convert back.
    pub fn get_derived<TFrom>(&self) -> DerivedActorRef<TFrom>
    where
        TMessage: From<TFrom>,
        TFrom: TryFrom<TMessage>,
    {
        let actor = self.get_cell();
        DerivedActorRef {
            inner: self.get_cell(),
            convert: Arc::new(move |message: TFrom, sending| {
                let message = TMessage::from(message);
                let sent = match sending {
                    Sending::Whole => actor.send_message(message).map(|()| None),
                    Sending::Begun => actor.begin(message).map(Some),
                };
                sent.map_err(|error| error.map(convert_back))
            }),
        }
    }
}

#[expect(
    clippy::panic,
    reason = "what ractor does; the error would else have no message to hand back"
)]
fn convert_back<TMessage, TFrom: TryFrom<TMessage>>(message: TMessage) -> TFrom {
    TFrom::try_from(message).unwrap_or_else(|_| {
        panic!(
            "a message of {} that was not sent does not convert back to {}",
            std::any::type_name::<TMessage>(),
            std::any::type_name::<TFrom>()
        )
    })
}

impl<TFrom> Clone for DerivedActorRef<TFrom> {
    fn clone(&self) -> Self {
        Self {
            convert: self.convert.clone(),
            inner: self.inner.clone(),
        }
    }
}

impl<TFrom> Deref for DerivedActorRef<TFrom> {
    type Target = ActorCell;

    fn deref(&self) -> &ActorCell {
        &self.inner
    }
}

impl<TFrom> fmt::Debug for DerivedActorRef<TFrom> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedActorRef").field("cell", &self.inner).finish()
    }
}
