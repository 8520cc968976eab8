//! What travels must have bytes.

use ractor::RpcReplyPort;
use ractor_host_derive::RactorClusterMessage;

struct Opaque;

#[derive(RactorClusterMessage)]
enum Sends {
    Length(usize),
    #[rpc]
    Ask(RpcReplyPort<Opaque>),
}

fn main() {}
