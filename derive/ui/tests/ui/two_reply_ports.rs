//! A call has one reply port.

use ractor::RpcReplyPort;
use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
enum Twice {
    #[rpc]
    Get(RpcReplyPort<u64>, RpcReplyPort<String>),
}

fn main() {}
