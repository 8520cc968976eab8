//! `#[rpc]` is written bare, once, on a variant.

use ractor::RpcReplyPort;
use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
enum Forms {
    #[rpc(u64)]
    List(RpcReplyPort<u64>),
    #[rpc = "u64"]
    Value(RpcReplyPort<u64>),
    #[rpc]
    #[rpc]
    Twice(RpcReplyPort<u64>),
    OnField(u8, #[rpc] RpcReplyPort<u64>),
}

#[derive(RactorClusterMessage)]
#[rpc]
enum OnEnum {
    Get(u64),
}

fn main() {}
