//! An actor that counts.

use ractor::{ActorProcessingErr, ActorRef, RactorClusterMessage, RpcReplyPort};

#[derive(RactorClusterMessage)]
pub enum {{Type}}Msg {
    Add(u64),
    #[rpc]
    Get(RpcReplyPort<u64>),
}

#[derive(Default)]
pub struct {{Type}};

#[ractor::actor(message = {{Type}}Msg, state = u64, arguments = u64)]
impl {{Type}} {
    async fn pre_start(&self, _: ActorRef<{{Type}}Msg>, start: u64) -> Result<u64, ActorProcessingErr> {
        Ok(start)
    }

    #[ractor::message({{Type}}Msg::Add(number))]
    fn add(&self, number: u64, count: &mut u64) {
        *count += number;
    }

    #[ractor::rpc({{Type}}Msg::Get(reply))]
    fn get(&self, count: &u64) -> u64 {
        *count
    }
}

impl ractor::reload::Reload for {{Type}} {}
ractor::export!({{Type}}, reload);
