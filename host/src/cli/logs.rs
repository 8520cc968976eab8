//! `logs`: the last lines of nodes, and those to come.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::arguments::OutputFormat;
use super::deploy::on_nodes;
use super::failure::Failure;
use super::nodes::ControlledNode;
use super::operating::LogsArguments;
use super::output::{self, NotWritten, Reader, printable};
use super::steer;
use crate::control::{Answer, LogLines, LogQuery, LoggedLine, Request};
use crate::host::HostBuilder;

/// The time that one node waits for a line before the next one is asked.
const TURN: Duration = Duration::from_millis(500);

/// The same if there is no next one.
const LONG_TURN: Duration = Duration::from_secs(20);

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

pub(super) fn logs(arguments: &LogsArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    on_nodes(&arguments.control, builder, async |nodes| {
        let (nodes, target) = match &arguments.target {
            Some(target) => {
                let (nodes, target) = steer::aim(nodes, target)?;
                (nodes, Some(target))
            }
            None => (nodes, None),
        };
        let turn = if nodes.len() > 1 { TURN } else { LONG_TURN };
        let query = LogQuery {
            next: None,
            last: arguments.lines,
            target,
            level: arguments.level.map(Into::into),
            wait_ms: 0,
        };
        let mut readers: Vec<(ControlledNode, LogQuery)> =
            nodes.into_iter().map(|node| (node, query.clone())).collect();
        let is_marked = readers.len() > 1;
        loop {
            for (node, query) in &mut readers {
                if read(node, query, arguments, is_marked).await? == Reader::Gone {
                    return Ok(());
                }
                if arguments.follow {
                    query.wait_ms = u64::try_from(turn.as_millis()).unwrap_or(u64::MAX);
                }
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
    query: &mut LogQuery,
    arguments: &LogsArguments,
    is_marked: bool,
) -> anyhow::Result<Reader> {
    loop {
        // Whoever follows a log may do so for days; it is each answer that has its time.
        node.renew_deadline(arguments.control.timeout);
        let Answer::Logs(answer) = node.ask(&Request::Logs(query.clone())).await? else {
            anyhow::bail!("{} did not show its log", node.name);
        };
        query.next = Some(answer.next);
        let reader = show(&node.name, &answer, arguments.output, is_marked)?;
        if answer.is_all || reader == Reader::Gone {
            return Ok(reader);
        }
    }
}

fn show(node: &str, answer: &LogLines, format: OutputFormat, is_marked: bool) -> Result<Reader, NotWritten> {
    output::write_part(|out| {
        let mark = if is_marked {
            format!("{}  ", printable(node))
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
