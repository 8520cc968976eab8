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
mod options;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;
use clap::Parser;
use ractor::{Actor, ActorRef};
use ractor_cluster::{NodeServer, NodeServerMessage, client_connect};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::options::Options;

/// How often a port that was free a moment ago may turn out taken before the start fails.
const PORT_ATTEMPTS: usize = 20;

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

    let (server, port) = start_node(&options).await?;
    server.cast(NodeServerMessage::SubscribeToEvents {
        id: "stdout".to_owned(),
        subscription: Box::new(events::ToStdout),
    })?;
    for peer in &options.connect {
        client_connect(&server, peer)
            .await
            .with_context(|| format!("connecting to {peer}"))?;
    }
    say(&format!(
        "ready node={}@{} listen=127.0.0.1:{port}",
        options.name, options.hostname
    ));

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match commands::run(&server, &line).await {
            Ok(answer) => say(format!("ok {answer}").trim_end()),
            Err(error) => say(&format!("err {}", format!("{error:#}").replace('\n', " "))),
        }
    }
    Ok(())
}

/// Starts the node server and says on which port it listens. The published server can't be asked for a port that the
/// system chose, so a free one is found first and handed to it.
async fn start_node(options: &Options) -> anyhow::Result<(ActorRef<NodeServerMessage>, u16)> {
    let mut attempts = PORT_ATTEMPTS;
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let server = NodeServer::new(
            port,
            options.cookie.clone(),
            options.name.clone(),
            options.hostname.clone(),
            None,
            Some(options.mode.into()),
        )
        .with_listen_addr(Ipv4Addr::LOCALHOST.into());
        match Actor::spawn(None, server, ()).await {
            Ok((server, _)) => return Ok((server, port)),
            Err(_) if attempts > 1 => attempts -= 1,
            Err(error) => return Err(error).context("starting the node server"),
        }
    }
}

/// Prints one whole line at once: events and answers come from different threads.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    // A closed stdout means that the test is gone; the end of stdin is about to stop this process.
    if writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_err() {
        tracing::debug!("nobody reads stdout");
    }
}
