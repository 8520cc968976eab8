//! The calls that this actor has received and not answered yet.
//!
//! The cheapest way to reply is the result of the callback. But a caller must not wait for what a handler does after
//! it has replied: that may be a call back to this very caller. So the reply is held until the handler either returns
//! or does something that takes time or that others can notice.

use std::cell::RefCell;

use crate::guest::bindings::ractor::actor::messaging;

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// The reply did not reach anybody.
#[derive(Debug)]
pub(crate) struct Undelivered;

/// The call that is being handled.
struct Current {
    reply_to: u64,
    reply: Option<Vec<u8>>,
}

/// The duty to answer a call. Dropping it tells the caller that no reply will come.
pub(crate) struct IncomingCall {
    reply_to: u64,
    answered: bool,
}

impl IncomingCall {
    /// Begins to handle a call.
    pub(crate) fn begin(reply_to: u64) -> Self {
        CURRENT.set(Some(Current { reply_to, reply: None }));
        Self {
            reply_to,
            answered: false,
        }
    }

    /// A call that was put off, maybe by other code.
    #[cfg(feature = "reload")]
    pub(crate) fn kept(reply_to: u64) -> Self {
        Self {
            reply_to,
            answered: false,
        }
    }

    /// The number by which the host knows the call.
    pub(crate) fn reply_to(&self) -> u64 {
        self.reply_to
    }

    /// Sends the encoded reply.
    pub(crate) fn answer(mut self, bytes: Vec<u8>) -> Result<(), Undelivered> {
        // First, because `self` is dropped on every way out of here, and would tell the caller that nothing comes.
        self.answered = true;
        CURRENT.with_borrow_mut(|current| match current {
            Some(current) if current.reply_to == self.reply_to => {
                current.reply = Some(bytes);
                Ok(())
            }
            _ => messaging::reply(self.reply_to, &bytes).map_err(|_| Undelivered),
        })
    }
}

impl Drop for IncomingCall {
    fn drop(&mut self) {
        if !self.answered {
            messaging::drop_call(self.reply_to);
        }
    }
}

/// Ends the handling of a call. Returns its reply if there is one that was not sent yet.
pub(crate) fn finish() -> Option<Vec<u8>> {
    CURRENT.take().and_then(|current| current.reply)
}

/// Sends the reply that is held, if any. To be called before anything that takes time or that other actors can notice.
pub(crate) fn flush() {
    let held = CURRENT.with_borrow_mut(|current| current.take_if(|current| current.reply.is_some()));
    if let Some(Current {
        reply_to,
        reply: Some(bytes),
    }) = held
    {
        // The caller may have given up, which is its own business.
        let _ignored = messaging::reply(reply_to, &bytes);
    }
}
