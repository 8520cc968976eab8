//! Records the golden frames: what the published `ractor_cluster` really puts on the wire.
//!
//! `cargo run -p stock-peer --bin capture-frames -- cluster/src/wire/golden` starts three stock nodes, lets two of them talk
//! through a recording proxy until every kind of message has passed, and writes one frame of each to a file of its
//! own, with an index of what it holds. The files differ from run to run in nonces, digests, timestamps and ports.

mod node;
mod proxy;
mod schema;
mod wanted;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use anyhow::Context;

use crate::node::{Node, wait_until};
use crate::proxy::{Proxy, Recorded, Sender, read_frame};
use crate::wanted::{Golden, choose, count};

const INDEX_HEAD: &str = "\
# Frames recorded from ractor_cluster 0.16.5 by `cargo run -p stock-peer --bin capture-frames`, and what they hold.
# Fields are key=value, separated by blanks. Bytes are hex. A field that is absent from the frame is written with its
# default value, unless its absence means something (optional fields, nested messages): then it is left out.
# The cookie is `golden cookie`, and the auth-challenge* frames are of one handshake.
# The legacy-* frames are of the version in their name, and stay when the others are recorded anew: 0.15 knows no
# connection_id. 0.16.0 sends every kind of frame in the shape that 0.16.5 does.
# file\tsender\tmessage\tfields
";

/// The beginnings of the names of files whose frames this program can't record: they are of versions that don't build beside this one.
const LEGACY: &str = "legacy-";

/// The number of times that the same node dials again until it has both won and lost the election.
const ELECTIONS: usize = 200;

fn main() -> anyhow::Result<()> {
    let out = std::env::args().nth(1).context("say into which folder the frames go")?;
    let mut frames = converse()?;
    frames.push((Sender::Initiator, client_status()?));
    write(Path::new(&out), &frames)
}

/// Two nodes say everything that a stock node can say, through a proxy that records it.
fn converse() -> anyhow::Result<Vec<Recorded>> {
    let mut alpha = Node::start(&[
        "--name",
        "alpha",
        "--mode",
        "transitive",
        "--actor",
        "first:counters:1",
        "--actor",
        "-",
    ])?;
    let mut gamma = Node::start(&["--name", "gamma", "--connect", &alpha.address.to_string()])?;
    gamma.wait("sessions", "alpha@localhost=ready")?;
    let proxy = Proxy::start(alpha.address)?;
    let through = proxy.address.to_string();
    let mut beta = Node::start(&[
        "--name",
        "beta",
        "--mode",
        "transitive",
        "--actor",
        "-",
        "--connect",
        &through,
    ])?;
    beta.wait("sessions", "alpha@localhost=ready")?;
    alpha.wait("sessions", "beta@localhost=ready")?;

    membership(&mut alpha, &mut beta)?;
    messages(&mut alpha, &mut beta)?;

    alpha.run("leave tools first workshop")?;
    alpha.run("leave counters late")?;
    alpha.run("kill late")?;
    alpha.run("kill first")?;
    wait_until("a ping, a pong and two terminations", || {
        let frames = proxy.frames();
        Ok(count(&frames, "acceptor", "control.terminate", &[]) >= 2
            && count(&frames, "acceptor", "control.ping", &[]) > 0
            && count(&frames, "initiator", "control.pong", &[]) > 0)
    })?;
    elections(&proxy, &mut beta)?;
    Ok(proxy.frames())
}

/// The acceptor's actors and groups change.
fn membership(alpha: &mut Node, beta: &mut Node) -> anyhow::Result<()> {
    alpha.run("spawn late counters 3")?;
    alpha.run("join kept late")?;
    alpha.run("join kept first")?;
    alpha.run("spawn - unnamed")?;
    alpha.run("spawn puzzled puzzled")?;
    alpha.run("join tools first workshop")?;
    beta.run("spawn second seconds 2")?;
    beta.wait("members tools workshop", "remote:first")?;
    alpha.wait("members seconds", "remote:second")
}

/// Casts, calls and replies, to pid 0 and to others.
fn messages(alpha: &mut Node, beta: &mut Node) -> anyhow::Result<()> {
    for line in [
        "cast kept/first Add 5",
        "cast kept/late Add 600",
        "cast kept/late AddTo nobody 1",
        "call kept/first Get",
        "call kept/late AddAndGet 7",
        "call-timeout 2500 kept/first AddAndGet 18446744073709551615",
        "call-timeout 2500 kept/late Name",
        "raw-call 2500 kept/late Get - c0ffee",
        "call unnamed Name",
        "raw-cast puzzled - 0102 03",
        "raw-cast puzzled Nothing 00 -",
        "raw-cast kept/late Nothing -",
        "raw-cast kept/first Nothing -",
    ] {
        beta.run(line)?;
    }
    alpha.run("call seconds Get")?;
    // Whether the answer is in time for a call that gives it none is a matter of luck.
    beta.run("call-timeout 0 unnamed Get").unwrap_or_default();
    Ok(())
}

/// The same node dials again, until the acceptor has kept and refused such a second connection. (A refusing acceptor
/// often closes before its status is on the wire, so not every refusal can be recorded.)
fn elections(proxy: &Proxy, beta: &mut Node) -> anyhow::Result<()> {
    for _ in 0..ELECTIONS {
        beta.run(&format!("connect {}", proxy.address))?;
        wait_until("the end of an election", || {
            Ok(beta.run("sessions")? == "alpha@localhost=ready gamma@localhost=ready")
        })?;
        let frames = proxy.frames();
        let seen = |status| count(&frames, "acceptor", "auth.server_status", &[status]) > 0;
        if seen("status=1") && seen("status=2") {
            return Ok(());
        }
    }
    anyhow::bail!("{ELECTIONS} elections, and not one of each outcome; run it again")
}

/// What a stock initiator answers to the status ALIVE. No stock acceptor of today sends it, so this program plays one.
fn client_status() -> anyhow::Result<Vec<u8>> {
    const ALIVE: [u8; 14] = [0, 0, 0, 0, 0, 0, 0, 6, 0x0a, 0x04, 0x12, 0x02, 0x08, 0x04];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let _delta = Node::start(&["--name", "delta", "--connect", &listener.local_addr()?.to_string()])?;
    let (mut stream, _) = listener.accept()?;
    read_frame(&mut stream)?.context("no name")?;
    stream.write_all(&ALIVE)?;
    read_frame(&mut stream)?.context("no client status")
}

fn write(out: &Path, frames: &[Recorded]) -> anyhow::Result<()> {
    let golden = choose(frames)?;
    let index_file = out.join("index.tsv");
    let before = if index_file.exists() {
        fs::read_to_string(&index_file)?
    } else {
        String::new()
    };
    let mut index = String::from(INDEX_HEAD);
    for Golden {
        file,
        sender,
        kind,
        fields,
        frame,
    } in &golden
    {
        writeln!(index, "{file}.hex\t{sender}\t{kind}\t{}", fields.join(" "))?;
        let text = format!(
            "# {kind}, sent by the {sender}, recorded from ractor_cluster 0.16.5\n{}\n",
            hex::encode(frame)
        );
        fs::write(out.join(file).with_extension("hex"), text)?;
    }
    for line in before.lines().filter(|line| line.starts_with(LEGACY)) {
        writeln!(index, "{line}")?;
    }
    fs::write(index_file, index)?;
    println!("{} frames written to {}", golden.len(), out.display());
    Ok(())
}
