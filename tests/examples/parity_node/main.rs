//! A node with parity actors, native ones or guests, for `nodes/parity_everywhere.rs`: `parity_node NAME native|guest`. Each
//! line on stdin is the name of an actor to start.

#![expect(clippy::print_stdout, reason = "lines on stdout are how it answers")]

mod world;

use std::io::BufRead;
use std::net::Ipv4Addr;

use ractor::Actor;
use ractor_host::{NodeServer, node};
use ractor_host_tests::COOKIE;

use crate::world::World;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(world)) = (arguments.next(), arguments.next()) else {
        return Err("usage: parity_node NAME native|guest".into());
    };
    let world = World::named(&world).ok_or("the world is `native` or `guest`")?;
    let (cookie, host) = (COOKIE.to_owned(), "localhost".to_owned());
    let server = NodeServer::new(0, cookie, name.clone(), host, None, None);
    let (server, _) = Actor::spawn(None, server.with_listen_addr(Ipv4Addr::LOCALHOST.into()), ()).await?;
    let listen = node::listen_addr(&server).await.ok_or("the node has ended")?;
    println!("ready node={name}@localhost listen={listen}");
    // This thread has nothing else to do.
    for line in std::io::stdin().lock().lines() {
        let actor = world.start(&line?).await;
        println!("ok {}", actor.get_id());
    }
    Ok(())
}
