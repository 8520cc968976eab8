//! What the host brings that a handler waits for.

use super::executor::Arrived;
use super::waits::{Kind, settle};
use super::{Component, Entry, Exported, enter};
use crate::guest::replies_bindings::exports::ractor::actor::replies::Guest;
use crate::guest::{BytesConvertable, DescribeMessage};

impl<A> Guest for Component<A>
where
    A: Exported + Default,
    A::Arguments: BytesConvertable,
    A::Msg: DescribeMessage,
{
    fn handle_reply(token: u64, outcome: Arrived) -> Result<(), String> {
        settle(Kind::Reply, token, outcome);
        enter(Entry::Arrival)
    }

    fn handle_wake(timer: u64) -> Result<(), String> {
        settle(Kind::Wake, timer, Ok(Vec::new()));
        enter(Entry::Arrival)
    }
}
