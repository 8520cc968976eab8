//! The calls that this actor has received and not answered yet.
//!
//! The cheapest way to answer is the result of the callback. But a caller must not wait for what a handler does after
//! it has answered: that may be a call back to this very caller. So the answer is held until the handler either returns
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
    answer: Option<Answer>,
}

/// How a call ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With this reply.
    Reply(Vec<u8>),
    /// Without one, for this reason.
    Failed(String),
    /// Without one.
    Dropped,
}

/// The duty to answer a call. Dropping it tells the caller that no reply will come.
pub(crate) struct IncomingCall {
    reply_to: u64,
    answered: bool,
}

impl IncomingCall {
    /// Begins to handle a call.
    pub(crate) fn begin(reply_to: u64) -> Self {
        CURRENT.set(Some(Current { reply_to, answer: None }));
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

    /// Sends the encoded reply, or the reason why there is none.
    pub(crate) fn answer(mut self, answer: Result<Vec<u8>, String>) -> Result<(), Undelivered> {
        // First, because `self` is dropped on every way out of here, and would tell the caller that nothing comes.
        self.answered = true;
        give(
            self.reply_to,
            match answer {
                Ok(bytes) => Answer::Reply(bytes),
                Err(reason) => Answer::Failed(reason),
            },
        )
    }
}

impl Drop for IncomingCall {
    fn drop(&mut self) {
        if !self.answered {
            // A caller that has given up misses nothing.
            let _ignored = give(self.reply_to, Answer::Dropped);
        }
    }
}

/// Holds the answer if the call is being handled, and sends it otherwise.
fn give(reply_to: u64, answer: Answer) -> Result<(), Undelivered> {
    CURRENT.with_borrow_mut(|current| match current {
        Some(current) if current.reply_to == reply_to => {
            current.answer = Some(answer);
            Ok(())
        }
        _ => send(reply_to, answer),
    })
}

fn send(reply_to: u64, answer: Answer) -> Result<(), Undelivered> {
    match answer {
        Answer::Reply(bytes) => return messaging::reply(reply_to, &bytes).map_err(|_| Undelivered),
        Answer::Failed(reason) => messaging::fail_call(reply_to, &reason),
        Answer::Dropped => messaging::drop_call(reply_to),
    }
    Ok(())
}

/// The call that is being handled could not even be decoded, for this reason. Its port was dropped with what was left of it.
pub(crate) fn fail_undecoded(reason: String) {
    CURRENT.with_borrow_mut(|current| {
        if let Some(current) = current {
            current.answer = Some(Answer::Failed(reason));
        }
    });
}

/// Ends the handling of a call. Returns its answer if there is one that was not sent yet.
pub(crate) fn finish() -> Option<Answer> {
    CURRENT.take().and_then(|current| current.answer)
}

/// Sends the answer that is held, if any. To be called before anything that takes time or that other actors can notice.
pub(crate) fn flush() {
    let held = CURRENT.with_borrow_mut(|current| current.take_if(|current| current.answer.is_some()));
    if let Some(Current {
        reply_to,
        answer: Some(answer),
    }) = held
    {
        // The caller may have given up, which is its own business.
        let _ignored = send(reply_to, answer);
    }
}
