//! A node of the benchmark: two actors, a node server, and loads to send to the actors of another such node.
//!
//! The same source is built twice: as `bench-stock-peer` on the published `ractor_cluster`, and as `bench-peer` on this
//! project's cluster layer under the same dependency name. `bench_load` says by which lines it is driven; those of this
//! program are in `node`.

mod certificates;
mod flood;
mod interest;
mod link;
mod node;
mod sink;
mod tls;

use std::path::PathBuf;

use clap::Parser;

use crate::node::PeerNode;

/// A node of the benchmark, driven through stdin and stdout.
#[derive(Parser, Debug)]
struct Options {
    /// The node's name.
    #[arg(long, default_value = "bench")]
    name: String,
    /// Actors without names to spawn before the node starts.
    #[arg(long, default_value_t = 0)]
    crowd: u64,
    /// The group that those actors enter.
    #[arg(long)]
    group: Option<String>,
    /// The groups of other nodes that this one wants to know of, each `PATTERN` or `PATTERN=one`. Without any it wants all.
    #[arg(long, value_name = "PATTERN")]
    want: Vec<String>,
    /// The folder with the certificates of both nodes. Without it they speak plain TCP.
    #[arg(long)]
    tls: Option<PathBuf>,
    /// Make such certificates in this folder, and end.
    #[arg(long)]
    make_certificates: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(folder) = &options.make_certificates {
        return certificates::make(folder);
    }
    let node = PeerNode::start(&options).await?;
    bench_load::say(&format!("ready {}", node.port()))?;
    bench_load::serve(node).await
}
