//! A reply port is a field of its own.

use ractor::RpcReplyPort;
use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
enum Nested {
    Maybe(Option<RpcReplyPort<u64>>),
    #[rpc]
    Many(Vec<RpcReplyPort<u64>>),
    #[rpc]
    Passed(RpcReplyPort<RpcReplyPort<u64>>),
}

fn main() {}
