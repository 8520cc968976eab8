//! A node of the shop: `ractor-host` with a type of native entities compiled in, the stock. README.md says what the whole is.
//!
//! The command line is that of `ractor-host`, and alpha.toml and beta.toml describe two nodes.

mod stock;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use ractor_host::{Host, cli};

use crate::stock::Stock;

fn main() -> ExitCode {
    // `native = "stock"` in node.toml. Each activation of an entity has an actor of its own, and the arguments of `pre_start`.
    let builder = Host::builder().entity("stock", |_| (Stock, ()));
    cli::main(builder)
}
