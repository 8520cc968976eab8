//! Counts visits of pages, in a store that outlives this actor and that others share. It is a guest alone, and nothing when it is
//! compiled natively.
#![cfg(target_family = "wasm")]

mod bindings {
    #![allow(
        missing_docs,
        unsafe_code,
        unreachable_pub,
        clippy::all,
        clippy::indexing_slicing,
        clippy::allow_attributes_without_reason,
        reason = "generated: ../wit has the documentation"
    )]

    wit_bindgen::generate!({ path: "../wit", world: "client" });
}

use ractor::{Actor, ActorProcessingErr, ActorRef, RactorClusterMessage, RpcReplyPort};

use bindings::acme::key_value::store;

/// See the crate.
#[derive(Debug, Default)]
pub struct Visits;

/// What [`Visits`] understands.
#[derive(RactorClusterMessage)]
pub enum VisitsMsg {
    /// Somebody has seen this page. Replies with how many have, or with why it was not counted.
    #[rpc]
    Visit(String, RpcReplyPort<String>),
    /// Replies with how many have seen this page.
    #[rpc]
    Count(String, RpcReplyPort<u64>),
}

impl Actor for Visits {
    type Msg = VisitsMsg;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<VisitsMsg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<VisitsMsg>, message: VisitsMsg, (): &mut ()) -> Result<(), ActorProcessingErr> {
        match message {
            VisitsMsg::Visit(page, reply) => {
                let counted = match store::add(&page, 1) {
                    Ok(count) => count.to_string(),
                    Err(refused) => format!("not counted: {}", refused.name()),
                };
                drop(reply.send(counted));
            }
            VisitsMsg::Count(page, reply) => drop(reply.send(store::get(&page))),
        }
        Ok(())
    }
}

ractor::export!(Visits);
