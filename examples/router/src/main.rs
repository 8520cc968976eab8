//! Two worlds, one type: counters that are native and counters that are WebAssembly guests in one process group, and a
//! router in front of them that can't tell which is which. README.md says how to run it.
//!
//! The command line is that of `ractor-host`.

mod router;

use std::process::ExitCode;

use counter::Counter;
use ractor_host::{Host, cli};

use crate::router::Router;

fn main() -> ExitCode {
    let builder = Host::builder()
        .native("counter", Counter::default)
        .native("router", Router::default);
    cli::main(builder)
}
