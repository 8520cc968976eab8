//! A mistake in the enum isn't repeated wherever the enum is used.

use ractor::{ActorRef, RpcReplyPort};
use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
enum Unmarked {
    Get(RpcReplyPort<u64>),
}

fn ask(actor: &ActorRef<Unmarked>) {
    let _ = ractor::cast!(actor, Unmarked::Get(ractor::concurrency::oneshot().0.into()));
}

fn main() {}
