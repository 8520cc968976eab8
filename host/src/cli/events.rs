//! `events`: what happened on nodes lately, and what happens next.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::deploy::on_nodes;
use super::failure::Failure;
use super::follow::{Following, Page, Pages, follow};
use super::lasting::PatienceArguments;
use super::output::{self, NotWritten, Reader, in_line};
use super::units;
use crate::control::{Answer, Request};
use crate::events::{EventPage, EventQuery, TimedEvent};
use crate::host::HostBuilder;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host events
  ractor-host events --follow
  ractor-host events --lines 20 --all-nodes --output json";

#[derive(Debug, Args)]
pub(super) struct EventsArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// Go on with the events to come, until the command is interrupted or the node is gone for good.
    #[arg(long, short = 'F')]
    pub(super) follow: bool,
    #[command(flatten)]
    pub(super) patience: PatienceArguments,
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

/// The events of one node.
struct EventPages {
    query: EventQuery,
    format: OutputFormat,
    is_marked: bool,
}

pub(super) fn events(arguments: &EventsArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    on_nodes(&arguments.control, builder, async |nodes| {
        let is_marked = nodes.len() > 1;
        let readers = nodes.into_iter().map(|node| {
            let query = EventQuery {
                next: None,
                last: arguments.lines,
                wait_ms: 0,
            };
            let pages = EventPages {
                query,
                format: arguments.output,
                is_marked,
            };
            (node, pages)
        });
        let following = Following::new(arguments.follow, &arguments.control, arguments.patience.retry_for);
        follow(readers.collect(), &following).await
    })
}

impl Pages for EventPages {
    fn request(&mut self, wait_ms: u64) -> Request {
        self.query.wait_ms = wait_ms;
        Request::Events(self.query)
    }

    fn show(&mut self, node: &str, page: Answer) -> anyhow::Result<Page> {
        let Answer::Events(page) = page else {
            anyhow::bail!("{node} did not show its events");
        };
        self.query.next = Some(page.next);
        Ok(match show(node, &page, self.format, self.is_marked)? {
            Reader::Gone => Page::Unread,
            Reader::There => Page::Whole,
        })
    }

    fn begin_anew(&mut self) {
        self.query.next = Some(0);
    }
}

fn show(node: &str, page: &EventPage, format: OutputFormat, is_marked: bool) -> Result<Reader, NotWritten> {
    output::write_part(|out| {
        let mark = if is_marked {
            format!("{}  ", in_line(node))
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
                    writeln!(out, "{mark}{}  {}", ago(event.at_ms), in_line(&words))?;
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
