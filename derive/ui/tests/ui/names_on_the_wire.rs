//! Each message has one name on the wire, which is not empty.

use ractor::RpcReplyPort;
use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
enum Msg {
    #[wire(name = "Get")]
    Add(u64),
    #[rpc]
    Get(RpcReplyPort<u64>),
    #[wire(name = "")]
    Nothing,
    #[wire(tag = "Other")]
    Another,
}

fn main() {}
