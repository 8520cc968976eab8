//! A node that tests drive: command-line options say who it is, lines on stdin say what to do, lines on stdout say what
//! came of it.
//!
//! The same source is built twice: as `stock-peer` on the published `ractor_cluster`, and as `host-peer` on this
//! project's cluster layer under the same dependency name. That it compiles and behaves alike is the drop-in promise.
//!
//! stdout carries three kinds of lines: `ready node=NAME@HOST listen=ADDR` once, `event …` whenever the node server
//! reports one, and `ok …` or `err …` for each line read from stdin, in order. Logs go to stderr.

mod commands;
mod counter;
mod events;
mod node;
mod options;
mod tls;

use std::io::Write;

use clap::Parser;
use ractor_cluster::NodeServerMessage;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::node::Node;
use crate::options::Options;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let options = Options::parse();

    // Before the node server, so that the first counter is the first actor of the process and has pid 0.
    for actor in &options.actors {
        counter::spawn(actor).await?;
    }

    let node = Node::start(&options).await?;
    node.server.cast(NodeServerMessage::SubscribeToEvents {
        id: "stdout".to_owned(),
        subscription: Box::new(events::ToStdout),
    })?;
    for peer in &options.connect {
        node.connect(peer).await?;
    }
    say(&format!(
        "ready node={}@{} listen=127.0.0.1:{}",
        options.name, options.hostname, node.port
    ));

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match commands::run(&node, &line).await {
            Ok(answer) => say(format!("ok {answer}").trim_end()),
            Err(error) => say(&format!("err {}", format!("{error:#}").replace('\n', " "))),
        }
    }
    Ok(())
}

/// Prints one whole line at once: events and answers come from different threads.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    // A closed stdout means that the test is gone; the end of stdin is about to stop this process.
    if writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_err() {
        tracing::debug!("nobody reads stdout");
    }
}
