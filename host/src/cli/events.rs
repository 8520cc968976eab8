//! `events`: what happened on nodes lately, and what happens next.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::deploy::on_nodes;
use super::failure::Failure;
use super::nodes::ControlledNode;
use super::output::{self, NotWritten, Reader, printable};
use super::units;
use crate::control::{Answer, Request};
use crate::events::{EventPage, EventQuery, TimedEvent};
use crate::host::HostBuilder;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host events
  ractor-host events --follow
  ractor-host events --lines 20 --all-nodes --output json";

/// The time that one node waits for an event before the next one is asked.
const TURN: Duration = Duration::from_millis(500);

/// The same if there is no next one.
const LONG_TURN: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(super) struct EventsArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// Go on with the events to come, until the command is interrupted or the node ends.
    #[arg(long, short = 'F')]
    pub(super) follow: bool,
    /// How many of the last events to show.
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 100)]
    pub(super) lines: usize,
    /// The format of the output. In JSON, each line is an object.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

/// A line of JSON: an event, or how many are missing.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Event {
        node: &'a str,
        #[serde(flatten)]
        event: &'a TimedEvent,
    },
    Lost {
        node: &'a str,
        lost: u64,
    },
}

pub(super) fn events(arguments: &EventsArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    on_nodes(&arguments.control, builder, async |nodes| {
        let turn = if nodes.len() > 1 { TURN } else { LONG_TURN };
        let first = EventQuery {
            next: None,
            last: arguments.lines,
            wait_ms: 0,
        };
        let mut readers: Vec<(ControlledNode, EventQuery)> = nodes.into_iter().map(|node| (node, first)).collect();
        let is_marked = readers.len() > 1;
        loop {
            for (node, query) in &mut readers {
                if read(node, query, arguments, is_marked).await? == Reader::Gone {
                    return Ok(());
                }
                query.wait_ms = u64::try_from(turn.as_millis()).unwrap_or(u64::MAX);
            }
            if !arguments.follow {
                return Ok(());
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what there is.
async fn read(
    node: &mut ControlledNode,
    query: &mut EventQuery,
    arguments: &EventsArguments,
    is_marked: bool,
) -> anyhow::Result<Reader> {
    // Whoever follows events may do so for days; it is each answer that has its time.
    node.renew_deadline(arguments.control.timeout);
    let Answer::Events(page) = node.ask(&Request::Events(*query)).await? else {
        anyhow::bail!("{} did not show its events", node.name);
    };
    query.next = Some(page.next);
    Ok(show(&node.name, &page, arguments.output, is_marked)?)
}

fn show(node: &str, page: &EventPage, format: OutputFormat, is_marked: bool) -> Result<Reader, NotWritten> {
    output::write_part(|out| {
        let mark = if is_marked {
            format!("{}  ", printable(node))
        } else {
            String::new()
        };
        if page.lost > 0 {
            let lost = page.lost;
            match format {
                OutputFormat::Text => writeln!(out, "{mark}({lost} events were lost)")?,
                OutputFormat::Json => writeln!(out, "{}", serde_json::to_string(&Entry::Lost { node, lost })?)?,
            }
        }
        for event in &page.events {
            match format {
                OutputFormat::Text => {
                    let words = event.event.to_string();
                    writeln!(out, "{mark}{}  {}", ago(event.at_ms), printable(&words))?;
                }
                OutputFormat::Json => writeln!(out, "{}", serde_json::to_string(&Entry::Event { node, event })?)?,
            }
        }
        Ok(())
    })
}

/// How long ago that was by this machine's clock, in a column of its own.
fn ago(at_ms: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    format!("{:>12}", format!("{} ago", units::duration(now.saturating_sub(at_ms))))
}
