//! The edge of the shop: a node that is part of this program, with two native actors of its own, the gateway and the journal.
//! README.md says what the whole is.
//!
//! The command line is that of `ractor-host`, and edge.toml describes the node.

// Each is made by `ractor-host bindgen --lang rust --native` of the component.
#[expect(unreachable_pub, reason = "clients are written for libraries, too")]
mod clients {
    pub(crate) mod desk;
    pub(crate) mod partner;
}
mod connection;
mod gateway;
mod journal;

use std::process::ExitCode;

use ractor_host::{Host, cli};

use crate::gateway::Gateway;
use crate::journal::Journal;

fn main() -> ExitCode {
    let builder = Host::builder()
        .native("gateway", || Gateway)
        .native("journal", || Journal);
    cli::main(builder)
}
