//! `trace`: what passes an actor, message by message.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::arguments::{ControlArguments, OutputFormat};
use super::deploy::on_nodes;
use super::failure::Failure;
use super::follow::{Following, Page, Pages, follow_until};
use super::nodes::ControlledNode;
use super::output::{self, NotWritten, Reader, in_line};
use super::signals::Signals;
use super::steer;
use super::timeout::parse_timeout;
use super::units::{bytes, duration, short};
use crate::control::{
    Answer, Request, Target, TraceBegun, TraceEnd, TraceQuery, TraceStart, TracedEvent, TracedEvents, TracedKind,
};
use crate::host::HostBuilder;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host trace counter
  ractor-host trace counter --filter AddAndGet --for 10s --count 100
  ractor-host trace group:counters --no-values --output json";

/// The longest that a node waits for an event: less than the time after which it ends a trace that nobody reads.
const TURN: Duration = Duration::from_secs(5);

/// The most characters of a value that people are shown.
const VALUE: usize = 200;

#[derive(Debug, Args)]
pub(super) struct TraceArguments {
    #[command(flatten)]
    control: ControlArguments,
    /// Who is traced: an actor's name, `NAME@NODE`, `group:NAME` for the members of a group, or `pid:N`.
    target: Target,
    /// Only messages of this name, and what comes of them.
    #[arg(long, value_name = "MESSAGE")]
    filter: Option<String>,
    /// Show only that messages pass, and their sizes. A key of the role `observe` allows no more.
    #[arg(long)]
    no_values: bool,
    /// The longest that the trace lasts: 10s, 5m. At most 10m.
    #[arg(long = "for", value_name = "TIME", default_value = "1m", value_parser = parse_timeout)]
    lasts: Duration,
    /// Stop after this many events.
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    count: u64,
    /// The most events in one second. What is beyond it is left out and counted.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// The format of the output. In JSON, each line is an object.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// A trace on one node.
struct TracePages<'a> {
    query: TraceQuery,
    left_out: u64,
    arguments: &'a TraceArguments,
}

/// A line of JSON: an event, how many are missing, or the end.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Event {
        node: &'a str,
        #[serde(flatten)]
        event: &'a TracedEvent,
    },
    Missing {
        node: &'a str,
        /// Those that were too many in one second.
        left_out: u64,
        /// Those that have gone before they could be read.
        lost: u64,
    },
    Ended {
        node: &'a str,
        ended: TraceEnd,
    },
}

pub(super) fn trace(arguments: &TraceArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    on_nodes(&arguments.control, builder, async |nodes| {
        // Before a trace begins: none is to go on because a signal came at the wrong moment.
        let mut signals = Signals::new()?;
        let (nodes, target) = steer::aim(nodes, &arguments.target)?;
        let mut traces = Vec::new();
        for mut node in nodes {
            let pages = begin(&mut node, target.clone(), arguments).await?;
            traces.push((node, pages));
        }
        let following = Following {
            turn: TURN,
            // A trace ends with the life of its node.
            ..Following::new(true, &arguments.control, Duration::ZERO)
        };
        follow_until(traces, &following, signals.recv()).await
    })
}

async fn begin<'a>(
    node: &mut ControlledNode,
    target: Target,
    arguments: &'a TraceArguments,
) -> anyhow::Result<TracePages<'a>> {
    let values = !arguments.no_values;
    let start = TraceStart {
        target: target.clone(),
        message: arguments.filter.clone(),
        values,
        each_second: arguments.rate,
        most: arguments.count,
        for_ms: u64::try_from(arguments.lasts.as_millis()).unwrap_or(u64::MAX),
    };
    let Answer::TraceBegun(begun) = node.ask(&Request::BeginTrace(start)).await? else {
        anyhow::bail!("{} did not say that it traces", node.name);
    };
    let TraceBegun {
        trace,
        actors,
        each_second,
        most,
        for_ms,
    } = begun;
    let who = match &actors[..] {
        [] => format!("{target}, which is not there at present,"),
        [one] => one.clone(),
        several => format!("{} actors", several.len()),
    };
    output::note(format_args!(
        "tracing {who} on {} for {}, up to {most} events, {each_second} in a second",
        node.name,
        duration(for_ms)
    ));
    Ok(TracePages {
        query: TraceQuery {
            trace,
            next: 0,
            values,
            wait_ms: 0,
        },
        left_out: 0,
        arguments,
    })
}

impl Pages for TracePages<'_> {
    fn request(&mut self, wait_ms: u64) -> Request {
        self.query.wait_ms = wait_ms;
        Request::Trace(self.query.clone())
    }

    fn show(&mut self, node: &str, page: Answer) -> anyhow::Result<Page> {
        let Answer::Traced(answer) = page else {
            anyhow::bail!("{node} did not show its trace");
        };
        self.query.next = answer.next;
        let new = answer.left_out.saturating_sub(self.left_out);
        self.left_out = answer.left_out;
        if show(node, &answer, new, self.arguments)? == Reader::Gone {
            return Ok(Page::Unread);
        }
        let Some(end) = answer.ended else {
            return Ok(Page::Whole);
        };
        if self.arguments.output == OutputFormat::Text {
            output::note(format_args!("the trace on {node} has ended: {}", why(end)));
        }
        Ok(Page::Last)
    }

    fn begin_anew(&mut self) {
        self.query.next = 0;
    }

    fn farewell(&self) -> Option<Request> {
        Some(Request::EndTrace {
            trace: self.query.trace,
        })
    }
}

fn why(end: TraceEnd) -> &'static str {
    match end {
        TraceEnd::Time => "its time is over (`--for`)",
        TraceEnd::Count => "it has seen as many events as it was to (`--count`)",
        TraceEnd::Unread => "nobody has read it for a while",
        TraceEnd::Stopped => "somebody has ended it",
    }
}

fn show(node: &str, answer: &TracedEvents, left_out: u64, arguments: &TraceArguments) -> Result<Reader, NotWritten> {
    let TracedEvents {
        events, lost, ended, ..
    } = answer;
    output::write_part(|out| {
        for event in events {
            match arguments.output {
                OutputFormat::Text => write_event(out, event)?,
                OutputFormat::Json => write_json(out, &Entry::Event { node, event })?,
            }
        }
        if left_out > 0 || *lost > 0 {
            match arguments.output {
                OutputFormat::Text => write_missing(out, left_out, *lost, arguments.rate)?,
                OutputFormat::Json => write_json(
                    out,
                    &Entry::Missing {
                        node,
                        left_out,
                        lost: *lost,
                    },
                )?,
            }
        }
        match (arguments.output, *ended) {
            (OutputFormat::Json, Some(ended)) => write_json(out, &Entry::Ended { node, ended }),
            _ => Ok(()),
        }
    })
}

fn write_json(out: &mut impl Write, entry: &Entry<'_>) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string(entry)?)
}

fn write_missing(out: &mut impl Write, left_out: u64, lost: u64, rate: u32) -> io::Result<()> {
    if left_out > 0 {
        writeln!(out, "({left_out} events were left out: more than {rate} in a second)")?;
    }
    if lost > 0 {
        writeln!(out, "({lost} events were lost: they came faster than they were read)")?;
    }
    Ok(())
}

fn write_event(out: &mut impl Write, event: &TracedEvent) -> io::Result<()> {
    writeln!(out, "{}", in_line(&in_words(event)))
}

fn in_words(event: &TracedEvent) -> String {
    let TracedEvent {
        at_us,
        actor,
        event: kind,
        message,
        bytes: size,
        call,
        peer,
        took_us,
        failed,
        values,
        ..
    } = event;
    let (what, towards) = match kind {
        TracedKind::CastIn => ("got cast", "from"),
        TracedKind::CallIn => ("got call", "from"),
        TracedKind::Handled => ("handled", ""),
        TracedKind::ReplyOut => ("replied", "to"),
        TracedKind::CastOut => ("sent cast", "to"),
        TracedKind::CallOut => ("sent call", "to"),
        TracedKind::ReplyIn => ("got reply", "from"),
    };
    let mut line = format!("{} {actor}  {what:<9}  {message}", clock(*at_us));
    match values {
        Some(Value::Array(arguments)) if is_message(*kind) => {
            let shown: Vec<String> = arguments.iter().map(|argument| shown(&argument.to_string())).collect();
            line.push_str(&format!("({})", shown.join(", ")));
        }
        Some(value) => line.push_str(&format!(" = {}", shown(&value.to_string()))),
        None => {}
    }
    if let Some(call) = call {
        line.push_str(&format!("  #{call}"));
    }
    if *kind != TracedKind::Handled && failed.is_none() {
        line.push_str(&format!("  {}", bytes(*size)));
    }
    if let Some(peer) = peer {
        line.push_str(&format!("  {towards} {peer}"));
    }
    if let Some(took) = took_us {
        line.push_str(&format!("  after {}", short(*took)));
    }
    if let Some(failed) = failed {
        line.push_str(&format!("  failed: {failed}"));
    }
    line
}

fn is_message(kind: TracedKind) -> bool {
    !matches!(kind, TracedKind::ReplyIn | TracedKind::ReplyOut | TracedKind::Handled)
}

fn shown(value: &str) -> String {
    match value.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// The time of the day in UTC, as the log has it.
fn clock(at_us: u64) -> String {
    let seconds = at_us / 1_000_000;
    let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:06}", seconds % 60, at_us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: TracedKind) -> TracedEvent {
        TracedEvent {
            at_us: 1_790_000_000_000_123,
            actor: "counter".to_owned(),
            pid: 7,
            event: kind,
            message: "Add".to_owned(),
            bytes: 16,
            call: None,
            peer: None,
            took_us: None,
            failed: None,
            values: None,
        }
    }

    #[test]
    fn an_event_is_a_line() {
        let call = TracedEvent {
            call: Some(3),
            peer: Some("shop".to_owned()),
            values: Some(json!([5, "a\u{1b}b"])),
            ..event(TracedKind::CallIn)
        };
        let mut line = Vec::new();
        write_event(&mut line, &call).unwrap();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "14:13:20.000123 counter  got call   Add(5, \"a\\u001bb\")  #3  16 B  from shop\n"
        );
        let reply = TracedEvent {
            took_us: Some(85),
            values: Some(json!([1, 2])),
            ..event(TracedKind::ReplyOut)
        };
        assert_eq!(
            in_words(&reply),
            "14:13:20.000123 counter  replied    Add = [1,2]  16 B  after 85µs"
        );
        let handled = TracedEvent {
            took_us: Some(1_500),
            failed: Some("trapped".to_owned()),
            ..event(TracedKind::Handled)
        };
        assert_eq!(
            in_words(&handled),
            "14:13:20.000123 counter  handled    Add  after 1.5ms  failed: trapped"
        );
        assert_eq!(shown(&"x".repeat(300)).chars().count(), VALUE + 1);
    }
}
