//! A node of the benchmark with guests: the counter of the examples, natively and as a guest, two of each.
//!
//! `bench_load` says by which lines it is driven; those of this program are in `node`.

mod counters;
mod crowd;
mod languages;
mod node;

use std::path::PathBuf;

use clap::Parser;

use crate::node::GuestNode;

/// A node of the benchmark with guests, driven through stdin and stdout.
#[derive(Parser, Debug)]
struct Options {
    /// The node's name.
    #[arg(long)]
    name: String,
    /// The counter, compiled to a component.
    #[arg(long)]
    component: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let node = GuestNode::start(Options::parse()).await?;
    bench_load::say(&format!("ready {}", node.port()))?;
    bench_load::serve(node).await
}
