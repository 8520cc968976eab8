//! A reply port says what the reply is.

use ractor::RpcReplyPort;
use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
enum Untyped {
    #[rpc]
    None(RpcReplyPort),
    #[rpc]
    Two(RpcReplyPort<u8, u16>),
}

fn main() {}
