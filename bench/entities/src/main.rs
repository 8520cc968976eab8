//! A node of the benchmark with entities: native ones and guests, with and without states, over redb or as one of a cluster.
//!
//! `bench_load` says by which lines it is driven; those of this program are in `node`. With `--postgres` it is a server for the others
//! instead, and says its port.

mod activations;
mod ballast;
mod bare;
mod callers;
mod crowd;
mod metrics;
mod node;
mod settings;

use std::io::Read as _;

use anyhow::Context as _;
use clap::Parser;
use postgres_server::Server;

use crate::node::EntityNode;
use crate::settings::Options;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if options.postgres {
        return serve_postgres();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let node = EntityNode::start(options).await?;
        bench_load::say("ready 0")?;
        bench_load::serve(node).await
    })
}

/// Runs a server until standard input ends.
fn serve_postgres() -> anyhow::Result<()> {
    let server = Server::start().context("there is no PostgreSQL")?;
    bench_load::say(&format!("ready {}", server.port()))?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(server);
    Ok(())
}
