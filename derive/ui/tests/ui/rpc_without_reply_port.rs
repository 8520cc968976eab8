//! A call has a reply port.

use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
enum Unanswered {
    #[rpc]
    Stop,
    #[rpc]
    Add(u64),
}

fn main() {}
