//! Only an enum has variants that can be named on the wire.

use ractor_host_derive::RactorClusterMessage;

#[derive(RactorClusterMessage)]
struct Position {
    x: u64,
}

#[derive(RactorClusterMessage)]
union Either {
    a: u8,
    b: i8,
}

fn main() {}
