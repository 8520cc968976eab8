//! A node for the fault tests: small limits, links that heal, actors that misbehave. As with the peers of the interop
//! tests, options say who it is, lines on stdin say what to do, and lines on stdout say what came of it.

#![expect(clippy::print_stdout, reason = "lines on stdout are how it answers")]

mod actor;
mod commands;
mod events;
mod history;
mod options;

use std::io::BufRead;

use ractor::Actor;
use ractor_host::node::{self, Backoff, GroupInterest, Peer};
use ractor_host::{NodeServer, NodeServerMessage};

use crate::options::Options;

/// What any part of the program may fail with: the test prints it.
type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    let options = Options::read(std::env::args().skip(1))?;
    for (name, group, pause) in &options.actors {
        actor::spawn(name, group, *pause).await?;
    }
    Actor::spawn(None, actor::Watcher, ()).await?;
    let server = NodeServer::new(
        options.port,
        options.cookie.clone(),
        options.name.clone(),
        "localhost".to_owned(),
        None,
        None,
    )
    .with_listen_addr(options.listen)
    .with_max_outbox_size(options.outbox)
    .with_max_mailbox_size(options.mailbox)
    .with_timing(options.timing)
    .with_peer_limits(options.peers_may)
    .with_stand_in_names(options.stand_in_names)
    .with_stock_peers(options.stock_peers);
    let server = if options.wants.is_empty() {
        server
    } else {
        server.with_groups(GroupInterest::new(options.wants.clone())?)
    };
    let (server, _) = Actor::spawn(None, server, ()).await?;
    server.cast(NodeServerMessage::SubscribeToEvents {
        id: "stdout".to_owned(),
        subscription: Box::new(events::ToStdout),
    })?;
    let listen = node::listen_addr(&server).await.ok_or("the node has ended")?;
    for address in &options.peers {
        let peer = Peer {
            address: address.clone(),
            encryption: None,
            backoff: Backoff {
                longest: std::time::Duration::from_secs(1),
                ..Backoff::default()
            },
        };
        node::add_peer(&server, peer)?;
    }
    say(&format!("ready node={}@localhost listen={listen}", options.name));

    let mut lines = stdin();
    while let Some(line) = lines.recv().await {
        match commands::run(&server, &line).await {
            Ok(answer) => say(format!("ok {answer}").trim_end()),
            Err(error) => say(&format!("err {error}")),
        }
    }
    Ok(())
}

/// The lines of stdin. A blocked read can't be cancelled, so it has a thread of its own.
fn stdin() -> tokio::sync::mpsc::UnboundedReceiver<String> {
    let (lines, received) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    received
}

/// Prints one whole line.
fn say(line: &str) {
    println!("{line}");
}
