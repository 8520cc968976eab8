//! `logs`: the last lines of nodes, and those to come.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::arguments::OutputFormat;
use super::deploy::on_nodes;
use super::failure::Failure;
use super::follow::{Following, Page, Pages, follow};
use super::operating::LogsArguments;
use super::output::{self, NotWritten, Reader, in_line, printable};
use super::steer;
use crate::control::{Answer, LogLines, LogQuery, LoggedLine, Request};
use crate::host::HostBuilder;

/// A line of JSON: a line of the log, or how many are missing.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Line {
        node: &'a str,
        #[serde(flatten)]
        line: &'a LoggedLine,
    },
    Lost {
        node: &'a str,
        lost: u64,
    },
}

/// The log of one node.
struct LogPages {
    query: LogQuery,
    format: OutputFormat,
    is_marked: bool,
}

pub(super) fn logs(arguments: &LogsArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    on_nodes(&arguments.control, builder, async |nodes| {
        let (nodes, target) = match &arguments.target {
            Some(target) => {
                let (nodes, target) = steer::aim(nodes, target)?;
                (nodes, Some(target))
            }
            None => (nodes, None),
        };
        let is_marked = nodes.len() > 1;
        let readers = nodes.into_iter().map(|node| {
            let query = LogQuery {
                next: None,
                last: arguments.lines,
                target: target.clone(),
                level: arguments.level.map(Into::into),
                wait_ms: 0,
            };
            let pages = LogPages {
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

impl Pages for LogPages {
    fn request(&mut self, wait_ms: u64) -> Request {
        self.query.wait_ms = wait_ms;
        Request::Logs(self.query.clone())
    }

    fn show(&mut self, node: &str, page: Answer) -> anyhow::Result<Page> {
        let Answer::Logs(lines) = page else {
            anyhow::bail!("{node} did not show its log");
        };
        self.query.next = Some(lines.next);
        Ok(match show(node, &lines, self.format, self.is_marked)? {
            Reader::Gone => Page::Unread,
            Reader::There if lines.is_all => Page::Whole,
            Reader::There => Page::More,
        })
    }

    fn begin_anew(&mut self) {
        self.query.next = Some(0);
    }
}

fn show(node: &str, answer: &LogLines, format: OutputFormat, is_marked: bool) -> Result<Reader, NotWritten> {
    output::write_part(|out| {
        let mark = if is_marked {
            format!("{}  ", in_line(node))
        } else {
            String::new()
        };
        if answer.lost > 0 {
            let lost = answer.lost;
            match format {
                OutputFormat::Text => writeln!(out, "{mark}({lost} lines were lost)")?,
                OutputFormat::Json => writeln!(out, "{}", serde_json::to_string(&Entry::Lost { node, lost })?)?,
            }
        }
        for line in &answer.lines {
            match format {
                OutputFormat::Text => {
                    // A backtrace has several.
                    for text in line.text.lines() {
                        writeln!(out, "{mark}{}", printable(text))?;
                    }
                }
                OutputFormat::Json => writeln!(out, "{}", serde_json::to_string(&Entry::Line { node, line })?)?,
            }
        }
        Ok(())
    })
}
