//! What the machine can do at best: frames of the same length as the cluster's over one TCP connection, one queue a side,
//! no actors. Driven like the nodes of the benchmark.

mod client;
mod frame;
mod outbox;
mod server;

use anyhow::{Context, bail};
use bench_load::{Node, word};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::client::Client;

/// One end; the other one is in another process.
struct Raw(Option<Client>);

impl Node for Raw {
    type Target = Client;

    fn sink(&self) -> anyhow::Result<Client> {
        self.0.clone().context("not connected")
    }

    fn callee(&self) -> anyhow::Result<Client> {
        self.sink()
    }

    async fn own(&mut self, words: &[&str]) -> anyhow::Result<Value> {
        match words {
            ["connect", ..] => {
                let stream = TcpStream::connect(format!("localhost:{}", word(words, 1)?)).await?;
                stream.set_nodelay(true)?;
                self.0 = Some(Client::start(stream));
                Ok(json!({}))
            }
            _ => bail!("unknown command: {}", words.join(" ")),
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = server::listen().await?;
    bench_load::say(&format!("ready {port}"))?;
    bench_load::serve(Raw(None)).await
}
