//! `nodes`: the sessions of nodes with other nodes.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::failure::Failure;
use super::output::printable;
use super::survey::survey;
use super::table::{number, text, write_table};
use super::units::{bytes, duration, rate, short};
use crate::control::{Answer, LinkRow, PeerVersion, Request, WantedMembers};
use crate::host::HostBuilder;

#[derive(Debug, Args)]
pub(super) struct LinksArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

/// The sessions of one node.
#[derive(Debug, Serialize)]
struct NodeLinks {
    node: String,
    links: Vec<LinkRow>,
}

pub(super) fn links(arguments: &LinksArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let asked = survey(&arguments.control, builder, async |node| {
        let Answer::Links { links } = node.ask(&Request::Links).await? else {
            anyhow::bail!("{} did not say which sessions it has", node.name);
        };
        Ok(NodeLinks {
            node: node.name.clone(),
            links,
        })
    })?;
    asked.report(arguments.output, write_links)
}

fn write_links(out: &mut impl Write, nodes: &[NodeLinks]) -> io::Result<()> {
    let columns = [
        text("NODE"),
        text("PEER"),
        text("VERSION").spare(5),
        text("ADDRESS").spare(3),
        number("UP").spare(1),
        number("RTT"),
        number("SENT/S"),
        number("RECEIVED/S"),
        number("SENT").spare(4),
        number("RECEIVED").spare(4),
        number("OUTBOX").spare(2),
        number("DEAD LETTERS"),
        text("WANTS").spare(6),
    ];
    let rows = nodes
        .iter()
        .flat_map(|of| of.links.iter().map(|link| row(&of.node, link)));
    write_table(out, columns, rows)?;
    nodes
        .iter()
        .filter(|of| of.links.is_empty())
        .try_for_each(|of| writeln!(out, "{} has no sessions with other nodes", printable(&of.node)))
}

fn row(node: &str, link: &LinkRow) -> [String; 13] {
    let figures = link.figures.as_ref();
    let show =
        |of: &dyn Fn(&crate::control::LinkRowFigures) -> Option<String>| figures.and_then(of).unwrap_or_default();
    [
        node.to_owned(),
        link.name.clone(),
        match link.version {
            PeerVersion::RactorHost => "ractor-host".to_owned(),
            PeerVersion::Stock => "ractor_cluster".to_owned(),
        },
        link.address.clone(),
        show(&|figures| Some(duration(figures.up_ms))),
        show(&|figures| figures.round_trip_us.map(short)),
        show(&|figures| {
            let lately = figures.lately?;
            Some(rate(per_second(lately.sent_messages, lately.over_ms)))
        }),
        show(&|figures| {
            let lately = figures.lately?;
            Some(rate(per_second(lately.received_messages, lately.over_ms)))
        }),
        show(&|figures| Some(bytes(figures.sent.bytes))),
        show(&|figures| Some(bytes(figures.received.bytes))),
        show(&|figures| Some(bytes(figures.outbox_bytes))),
        show(&|figures| {
            let all: u64 = figures.dead_letters.iter().map(|(_, count)| count).sum();
            Some(all.to_string())
        }),
        wants(link),
    ]
}

/// The groups that the peer wants to know of, as a person reads it.
fn wants(link: &LinkRow) -> String {
    let Some(wanted) = &link.wants else {
        return "all groups".to_owned();
    };
    let each = wanted.iter().map(|wanted| match wanted.members {
        WantedMembers::Every => wanted.pattern.clone(),
        WantedMembers::OnePerNode => format!("{} (one)", wanted.pattern),
    });
    let all = each.collect::<Vec<_>>().join(", ");
    if all.is_empty() { "no groups".to_owned() } else { all }
}

#[expect(clippy::cast_precision_loss, reason = "few digits are shown")]
fn per_second(count: u64, over_ms: u64) -> f64 {
    count as f64 * 1e3 / over_ms.max(1) as f64
}
