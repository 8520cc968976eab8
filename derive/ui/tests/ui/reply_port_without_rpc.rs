//! A reply port makes a call, and a call is marked.

use ractor::RpcReplyPort;
use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
enum Unmarked {
    Add(u64),
    Get(RpcReplyPort<u64>),
    GetNamed { of: String, reply: ractor::RpcReplyPort<u64> },
}

fn main() {}
