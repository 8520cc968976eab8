//! `store`: the store of a cluster, set up ahead of the first node, and looked at.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use tracing_subscriber::filter::LevelFilter;

use super::arguments::ConfigArguments;
use super::failure::Failure;
use super::output;
use super::process::Process;
use crate::config::{ClusterSection, NodeConfig};
use crate::host::{HostBuilder, cluster_store};
use crate::postgres::{ClusterNode, Health, StoreError};

#[derive(Debug, Args)]
pub(super) struct StoreArguments {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Make the tables of the store that node.toml names, or bring them to this program's version. Nothing that is there is lost.
    ///
    /// The first node does it by itself, if its user may. This is for a user who may more.
    #[command(
        after_help = "Example:\n  DATABASE_URL=postgres://owner@db.internal/app ractor-host store init node.toml"
    )]
    Init(ConfigArguments),
    /// Show what the store is like, and which nodes it lists.
    #[command(after_help = "Example:\n  ractor-host store status node.toml")]
    Status(ConfigArguments),
}

pub(super) fn store(arguments: &StoreArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    match &arguments.command {
        StoreCommand::Init(arguments) => init(arguments, builder),
        StoreCommand::Status(arguments) => status(arguments, builder),
    }
}

/// The cluster of a node.toml.
fn cluster(arguments: &ConfigArguments, builder: &HostBuilder) -> Result<ClusterSection, Failure> {
    let NodeConfig { cluster, file, .. } = builder.config_with(&arguments.file, &arguments.options())?;
    let none = || {
        Failure::usage(format_args!(
            "{}: there is no [cluster], and so no store",
            file.display()
        ))
    };
    cluster.ok_or_else(none)
}

fn failed(section: &ClusterSection, error: &StoreError) -> Failure {
    Failure::runtime(format_args!("{}: {error}", section.address))
}

fn init(arguments: &ConfigArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let process = Process::of_command(LevelFilter::WARN)?;
    let section = cluster(arguments, builder)?;
    let store = cluster_store(&section);
    let prepared = process
        .complete(store.prepare())
        .map_err(|error| failed(&section, &error))?;
    output::write(|out| match (prepared.before, prepared.now) {
        (0, now) => writeln!(out, "{}: the tables are made, version {now}", section.address),
        (before, now) if before == now => writeln!(out, "{}: the tables are there, version {now}", section.address),
        (before, now) => writeln!(
            out,
            "{}: the tables had version {before}, and have {now} now",
            section.address
        ),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn status(arguments: &ConfigArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let process = Process::of_command(LevelFilter::WARN)?;
    let section = cluster(arguments, builder)?;
    let store = cluster_store(&section);
    let asked = process.complete(async {
        let health = store.health().await?;
        let nodes = match health.tables {
            Some(_) => store.nodes().await?,
            None => Vec::new(),
        };
        Ok::<_, StoreError>((health, nodes))
    });
    let (health, nodes) = asked.map_err(|error| failed(&section, &error))?;
    output::write(|out| {
        write_health(out, &section, &health)?;
        nodes.iter().try_for_each(|node| write_node(out, node))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn write_health(out: &mut impl Write, section: &ClusterSection, health: &Health) -> io::Result<()> {
    writeln!(out, "{}", section.address)?;
    let encrypted = if health.is_encrypted { "over TLS" } else { "without TLS" };
    writeln!(out, "  PostgreSQL {}, {encrypted}", health.server)?;
    match health.tables {
        Some(version) => writeln!(out, "  tables of version {version}")?,
        None => writeln!(
            out,
            "  no tables yet: a node makes them at its start, or `ractor-host store init`"
        )?,
    }
    for right in &health.missing_rights {
        writeln!(out, "  this user may not {right}")?;
    }
    let latency = health.latency;
    let (median, longest) = (latency.median.as_secs_f64() * 1e3, latency.longest.as_secs_f64() * 1e3);
    writeln!(
        out,
        "  {median:.1} ms there and back, {longest:.1} ms at most; its clock is {} ms ahead",
        health.clock_ahead_ms
    )?;
    writeln!(out, "  commits {}", safety(health))
}

/// What a commit survives, in words.
pub(super) fn safety(health: &Health) -> &'static str {
    match health.survives_failover() {
        Some(true) => "wait for a standby, and survive the loss of this server",
        Some(false) => "survive a crash of this server, and not its loss: no standby is synchronous",
        None => {
            "survive a crash of this server; whether a standby is synchronous is not for this user to see (pg_read_all_stats)"
        }
    }
}

fn write_node(out: &mut impl Write, node: &ClusterNode) -> io::Result<()> {
    let standing = if node.is_live { "live" } else { "draining" };
    let left = match node.lease_left_ms {
        left if left > 0 => format!("its lease has {:.1} s left", left as f64 / 1e3),
        over => format!("its lease has been over for {:.1} s", over.unsigned_abs() as f64 / 1e3),
    };
    writeln!(
        out,
        "  node {} at {}, {standing}; {left}",
        output::printable(&node.name),
        output::printable(&node.address)
    )
}
