//! `node`: what a node takes of its machine, and what it has done.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::failure::Failure;
use super::loglevel;
use super::output::printable;
use super::survey::survey;
use super::units::{bytes, duration, short};
use crate::control::{Answer, LogLevels, NodeFigures, Request};
use crate::host::HostBuilder;

#[derive(Debug, Args)]
pub(super) struct NodeSummaryArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

pub(super) fn node(arguments: &NodeSummaryArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let asked = survey(&arguments.control, builder, async |node| {
        let Answer::Figures { figures } = node.ask(&Request::Figures).await? else {
            anyhow::bail!("{} did not say how it is", node.name);
        };
        let log = match node.try_ask(&loglevel::LOOK).await {
            Ok(Answer::LogLevels(levels)) => Some(levels),
            // The log is that of the program around the node.
            _ => None,
        };
        Ok(NodeSummary { figures: *figures, log })
    })?;
    asked.report(arguments.output, |out, all| {
        all.iter().try_for_each(|node| write_node(out, node))
    })
}

/// A node in figures, and what it logs.
#[derive(Serialize)]
struct NodeSummary {
    #[serde(flatten)]
    figures: NodeFigures,
    /// None if the node can't say.
    log: Option<LogLevels>,
}

fn write_node(out: &mut impl Write, NodeSummary { figures, log }: &NodeSummary) -> io::Result<()> {
    let process = &figures.process;
    writeln!(
        out,
        "{}  ractor-host {}",
        printable(&figures.node),
        printable(&figures.version)
    )?;
    let mut line = |what: &str, value: String| writeln!(out, "  {what:<12} {value}");
    line("up", duration(figures.uptime_ms))?;
    line(
        "process",
        format!(
            "pid {}, {} threads ({} for actors), {} open files",
            process.pid, process.threads, figures.workers, process.open_files
        ),
    )?;
    line(
        "memory",
        match (figures.guests_resident_bytes, figures.own.resident_bytes) {
            (Some(guests), Some(own)) => format!(
                "{} resident: {} of guests, which have grown to {}, {} of the node itself",
                bytes(process.resident_bytes),
                bytes(guests),
                bytes(figures.guests_memory_bytes),
                bytes(own)
            ),
            _ => format!(
                "{} resident; guests have grown to {}",
                bytes(process.resident_bytes),
                bytes(figures.guests_memory_bytes)
            ),
        },
    )?;
    line(
        "processor",
        format!(
            "{}: {} of guests, {} of the node itself",
            short(process.cpu_us),
            short(figures.guests_busy_us),
            short(figures.own.cpu_us)
        ),
    )?;
    let limit = figures.guests_limit.map(|limit| format!(" of {limit}"));
    line("guests", format!("{}{}", figures.guests, limit.unwrap_or_default()))?;
    line(
        "waiting",
        format!("{} messages, {}", figures.waiting, bytes(figures.waiting_bytes)),
    )?;
    line("sessions", figures.sessions.to_string())?;
    line(
        "compiled",
        format!(
            "{} components; {} more came from the cache",
            figures.compile_cache.misses, figures.compile_cache.hits
        ),
    )?;
    if let Some(log) = log {
        line("log", loglevel::in_words(log))?;
    }
    if let Some(checkpoints) = &figures.checkpoints {
        let last = checkpoints
            .age_ms
            .map(|age| format!(", the last {} ago", duration(age)));
        line(
            "checkpoints",
            format!(
                "{} written, {}, {} attempts failed{}",
                checkpoints.written,
                bytes(checkpoints.bytes),
                checkpoints.failed,
                last.unwrap_or_default()
            ),
        )?;
    }
    Ok(())
}
