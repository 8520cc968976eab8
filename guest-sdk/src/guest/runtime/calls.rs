//! Calls, which an actor can answer now or later, or fail.

use super::incoming::{self, Answer, IncomingCall};
use super::{Component, Exported, handle};
use crate::guest::bindings::exports::ractor::actor::calls::{Guest, Outcome};
use crate::guest::bindings::ractor::actor::messaging;
use crate::guest::message::SerializedMessage;
use crate::guest::{BytesConvertable, DescribeMessage, RpcReplyPort};

impl<A> Guest for Component<A>
where
    A: Exported + Default,
    A::Arguments: BytesConvertable,
    A::Msg: DescribeMessage,
{
    fn handle_call(variant: String, args: Vec<u8>, reply_to: u64) -> Result<Outcome, String> {
        let reply = RpcReplyPort::incoming(IncomingCall::begin(reply_to));
        let handled = handle(SerializedMessage::Call {
            variant,
            args,
            reply,
            metadata: None,
        });
        if handled.is_err() {
            // A handler may answer and fail then: the answer counts.
            incoming::flush();
        }
        // Also if there is no answer yet: one that comes later has to go to the host, because nobody reads this place any more.
        let answer = incoming::finish();
        handled.map(|()| match answer {
            Some(Answer::Reply(bytes)) => Outcome::Reply(bytes),
            Some(Answer::Failed(reason)) => Outcome::Failed(reason),
            Some(Answer::Dropped) => {
                messaging::drop_call(reply_to);
                Outcome::Later
            }
            None => Outcome::Later,
        })
    }
}
