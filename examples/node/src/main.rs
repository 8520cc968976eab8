//! A node of one's own: `ractor-host` with a native actor compiled in, which a node.toml can then name.
//!
//! ```sh
//! export RACTOR_COOKIE=secret
//! cargo xtask build-guests                                    # compiles examples/counter to a component, once
//! cargo run -p counter-node -- run examples/node/node.toml    # the node
//! # elsewhere: asks one counter for the sum of the others
//! cargo run -p counter-node -- call --node 127.0.0.1:4697 --cookie-env RACTOR_COOKIE \
//!     group:counters SumOf str:counters --reply u64
//! ```
//!
//! The command line is that of `ractor-host`. A program that has a command line, or a tokio runtime, of its own uses
//! the builder directly:
//!
//! ```no_run
//! # async fn embed() -> Result<(), Box<dyn std::error::Error>> {
//! let builder = ractor_host::Host::builder().native("counter", counter::Counter::default);
//! let config = builder.config("node.toml")?;
//! let host = builder.start(config).await?;
//! println!("{} listens on {}", host.node_name(), host.listen_addr());
//! host.shutdown().await;
//! # Ok(())
//! # }
//! ```

use std::process::ExitCode;

use counter::Counter;
use ractor_host::{Host, cli};

fn main() -> ExitCode {
    // `native = "counter"` in node.toml makes one of these. The very same Counter, compiled to a component, is the
    // `module = "counter"` beside it: whoever sends to either can't tell which it is.
    let builder = Host::builder().native("counter", Counter::default);
    cli::main(builder)
}
