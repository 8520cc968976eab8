//! A node that gives its guests a key-value store: an import interface that the node itself doesn't have. README.md says how to
//! run it.
//!
//! The command line is that of `ractor-host`.

mod store;

use std::process::ExitCode;

use ractor_host::{Host, cli};

use crate::store::KeyValue;

fn main() -> ExitCode {
    cli::main(Host::builder().interface(KeyValue::default()))
}
