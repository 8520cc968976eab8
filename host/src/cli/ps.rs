//! `ps`: the actors of nodes.

use std::cmp::Reverse;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use serde::Serialize;

use super::arguments::{OutputFormat, PsArguments};
use super::deploy::on_nodes;
use super::failure::Failure;
use super::lasting::{Attempt, LastingNode, PatienceArguments};
use super::nodes::ControlledNode;
use super::output::{self, NotWritten, Reader, printable};
use super::survey::{Survey, survey};
use super::table::{number, text, write_table};
use super::timeout::parse_timeout;
use super::units::{bytes, percent, rate};
use crate::control::{ActorFigures, ActorKind, ActorRow, Answer, Lately, Request, StoppedActor};
use crate::host::HostBuilder;

/// The digits of a digest that people are shown.
const DIGITS: usize = 12;

/// What takes the screen of a terminal back to its beginning, and empties it from there.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

#[derive(Debug, Args)]
pub(super) struct PsCommand {
    #[command(flatten)]
    pub(super) of: PsArguments,
    /// Sort by this column; numbers are sorted largest first.
    #[arg(long, value_enum, default_value_t)]
    pub(super) sort: SortBy,
    /// Only actors that have this text in their name, in the name of a group or of their module.
    #[arg(long, value_name = "TEXT")]
    pub(super) filter: Option<String>,
    /// Look again and again, until the command is interrupted: every 2s, or at this interval.
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2s", value_parser = parse_timeout)]
    pub(super) watch: Option<Duration>,
    #[command(flatten)]
    pub(super) patience: PatienceArguments,
}

/// What decides about the order of actors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SortBy {
    /// The number of the actor, which is the order of their start.
    #[default]
    Pid,
    /// The name; those without one come last.
    Name,
    /// Messages that wait.
    Waiting,
    /// Messages in each second, lately.
    Messages,
    /// Processor time, lately.
    Cpu,
    /// Memory.
    Memory,
    /// Restarts.
    Restarts,
}

/// The actors of one node.
#[derive(Debug, Serialize)]
pub(super) struct NodeActors {
    pub(super) node: String,
    pub(super) actors: Vec<ActorRow>,
    /// Those that did not fit into the node's answer.
    pub(super) left_out: usize,
    /// What operators have stopped there.
    pub(super) stopped: Vec<StoppedActor>,
}

/// Says that a node has more than it could answer.
pub(super) fn note_left_out(node: &str, left_out: usize, what: &str) {
    if left_out > 0 {
        output::note(format_args!(
            "{node} has {left_out} more {what}, which don't fit into its answer"
        ));
    }
}

pub(super) fn ps(arguments: &PsCommand, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    if let Some(interval) = arguments.watch {
        return watch(arguments, interval, builder);
    }
    let mut asked = actors(&arguments.of, builder)?;
    arrange(&mut asked.answers, arguments);
    asked.report(arguments.of.output, write_actors)
}

/// Looks again and again, until nobody reads it, or the last node is gone for good.
fn watch(arguments: &PsCommand, interval: Duration, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let (timeout, patience) = (arguments.of.control.timeout, arguments.patience.retry_for);
    on_nodes(&arguments.of.control, builder, async |nodes| {
        let nodes = nodes.into_iter().map(|node| LastingNode::new(node, timeout, patience));
        let mut nodes: Vec<LastingNode> = nodes.collect();
        while !nodes.is_empty() {
            let (mut all, mut lost, mut gone) = (Vec::new(), Vec::new(), Vec::new());
            let looks = nodes
                .iter_mut()
                .map(|node| node.attempt(async |node, _| look(node).await));
            for (index, attempt) in join_all(looks).await.into_iter().enumerate() {
                match attempt {
                    Ok(Attempt::Answered(actors)) => all.push(actors),
                    Ok(Attempt::Lost { reason, .. }) => lost.push(reason),
                    Err(error) => {
                        output::say("error", &format!("{error:#}"));
                        gone.push(index);
                    }
                }
            }
            gone.into_iter().rev().for_each(|index| drop(nodes.remove(index)));
            arrange(&mut all, arguments);
            if show_look(&all, &lost, arguments.of.output)? == Reader::Gone {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::time::sleep(interval).await;
        }
        Ok(ExitCode::FAILURE)
    })
}

/// Shows what one look has brought, and of which nodes it has brought nothing.
fn show_look(all: &[NodeActors], lost: &[String], format: OutputFormat) -> Result<Reader, NotWritten> {
    let is_screen = io::stdout().is_terminal();
    output::write_part(|out| {
        match format {
            OutputFormat::Text if is_screen => out.order(CLEAR)?,
            OutputFormat::Text => {}
            // A line for each look, so that a program can tell where one ends.
            OutputFormat::Json => return writeln!(out, "{}", serde_json::to_string(&all)?),
        }
        write_actors(out, all)?;
        // On a screen, what stderr says is gone with the next look.
        let lost = lost.iter().filter(|_| is_screen);
        lost.into_iter()
            .try_for_each(|reason| writeln!(out, "{}; trying again", printable(reason)))
    })
}

/// All actors of the nodes that the arguments name.
pub(super) fn actors(arguments: &PsArguments, builder: &HostBuilder) -> Result<Survey<NodeActors>, Failure> {
    survey(&arguments.control, builder, look)
}

async fn look(node: &mut ControlledNode) -> anyhow::Result<NodeActors> {
    let Answer::Actors { actors, left_out } = node.ask(&Request::Actors).await? else {
        anyhow::bail!("{} did not say which actors it has", node.name);
    };
    note_left_out(&node.name, left_out, "actors");
    let stopped = match node.try_ask(&Request::Stopped).await {
        Ok(Answer::Stopped { actors }) => actors,
        // A node of an earlier version, which stops nobody.
        _ => Vec::new(),
    };
    Ok(NodeActors {
        node: node.name.clone(),
        actors,
        left_out,
        stopped,
    })
}

/// Leaves out what is not asked for, and puts the others in order.
fn arrange(nodes: &mut [NodeActors], arguments: &PsCommand) {
    for NodeActors { actors, .. } in nodes {
        if !arguments.of.all {
            actors.retain(|actor| matches!(actor.kind, ActorKind::Guest | ActorKind::Native));
        }
        if let Some(filter) = &arguments.filter {
            actors.retain(|actor| has(actor, filter));
        }
        sort(actors, arguments.sort);
    }
}

pub(super) fn has(actor: &ActorRow, text: &str) -> bool {
    let module = actor.module.as_ref().map(|module| &module.name);
    let mut words = actor.name.iter().chain(module).chain(&actor.groups);
    words.any(|word| word.contains(text))
}

fn sort(actors: &mut [ActorRow], by: SortBy) {
    let figure = |actor: &ActorRow, of: fn(&Lately) -> f64| {
        let lately = actor.figures.and_then(|figures| figures.lately);
        // Whole numbers, which have an order: a thousandth tells enough apart.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rates are small and not negative"
        )]
        lately.map(|lately| (of(&lately) * 1e3) as u64)
    };
    match by {
        SortBy::Pid => actors.sort_by_key(|actor| actor.pid),
        SortBy::Name => actors.sort_by(|a, b| (a.name.is_none(), &a.name).cmp(&(b.name.is_none(), &b.name))),
        SortBy::Waiting => actors.sort_by_key(|actor| Reverse(actor.waiting)),
        SortBy::Messages => actors.sort_by_key(|actor| Reverse(figure(actor, Lately::messages_per_second))),
        SortBy::Cpu => actors.sort_by_key(|actor| Reverse(figure(actor, Lately::busy_share))),
        SortBy::Memory => actors.sort_by_key(|actor| Reverse(actor.figures.map(|figures| figures.memory_bytes))),
        SortBy::Restarts => actors.sort_by_key(|actor| Reverse(actor.figures.map(|figures| figures.restarts))),
    }
}

fn write_actors(out: &mut impl Write, nodes: &[NodeActors]) -> io::Result<()> {
    let columns = [
        text("NAME"),
        text("NODE"),
        number("PID"),
        text("KIND").spare(3),
        text("MODULE").spare(2),
        text("GROUPS").spare(4),
        number("WAITING"),
        number("MSG/S"),
        number("CPU"),
        number("MEMORY"),
        number("RESIDENT").spare(5),
        number("RESTARTS").spare(1),
    ];
    let rows = nodes
        .iter()
        .flat_map(|of| of.actors.iter().map(|actor| row(&of.node, actor)));
    write_table(out, columns, rows)?;
    for of in nodes {
        for StoppedActor { name, .. } in &of.stopped {
            let (name, node) = (printable(name), printable(&of.node));
            writeln!(
                out,
                "{name}@{node} was stopped by an operator; `ractor-host start {name}` starts it"
            )?;
        }
    }
    Ok(())
}

fn row(node: &str, actor: &ActorRow) -> [String; 12] {
    let figures = actor.figures;
    let lately = figures.and_then(|figures| figures.lately);
    [
        actor.name.clone().unwrap_or_default(),
        node.to_owned(),
        actor.pid.to_string(),
        kind(actor.kind).to_owned(),
        module(actor),
        actor.groups.join(", "),
        actor.waiting.map(|waiting| waiting.to_string()).unwrap_or_default(),
        lately
            .map(|lately| rate(lately.messages_per_second()))
            .unwrap_or_default(),
        lately.map(|lately| percent(lately.busy_share())).unwrap_or_default(),
        figures.map(|figures| bytes(figures.memory_bytes)).unwrap_or_default(),
        resident(figures).unwrap_or_default(),
        figures.map(|figures| figures.restarts.to_string()).unwrap_or_default(),
    ]
}

/// What it has of the machine's memory, as people are shown it; none where that isn't known.
pub(super) fn resident(figures: Option<ActorFigures>) -> Option<String> {
    figures?.resident_bytes.map(bytes)
}

/// As people are shown it.
pub(super) fn kind(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Guest => "guest",
        ActorKind::Native => "native",
        ActorKind::Local => "local",
        ActorKind::Supervisor => "supervisor",
    }
}

/// The module and the beginning of its digest; nothing for an actor without one.
pub(super) fn module(actor: &ActorRow) -> String {
    let Some(module) = &actor.module else {
        return String::new();
    };
    format!("{}@{}", module.name, short_digest(&module.digest))
}

/// The beginning of a digest, as people are shown it.
pub(super) fn short_digest(digest: &str) -> String {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    digits.chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    fn actor(pid: u64, name: Option<&str>, messages: u64, busy_us: u64, memory_bytes: u64) -> ActorRow {
        ActorRow {
            pid,
            name: name.map(str::to_owned),
            kind: ActorKind::Guest,
            module: None,
            groups: vec!["shop".to_owned()],
            waiting: Some(0),
            supervisor: None,
            figures: Some(ActorFigures {
                memory_bytes,
                resident_bytes: Some(1 << 20),
                lately: Some(Lately {
                    over_ms: 1_000,
                    messages,
                    busy_us,
                }),
                ..ActorFigures::default()
            }),
        }
    }

    fn order(by: SortBy) -> Vec<u64> {
        let mut actors = [
            actor(1, None, 5, 100_000, 10),
            actor(2, Some("b"), 7, 0, 30),
            actor(3, Some("a"), 6, 500_000, 20),
        ];
        sort(&mut actors, by);
        actors.iter().map(|actor| actor.pid).collect()
    }

    #[test]
    fn actors_come_in_the_order_that_was_asked_for() {
        assert_eq!(order(SortBy::Pid), [1, 2, 3]);
        assert_eq!(order(SortBy::Name), [3, 2, 1]);
        assert_eq!(order(SortBy::Messages), [2, 3, 1]);
        assert_eq!(order(SortBy::Cpu), [3, 1, 2]);
        assert_eq!(order(SortBy::Memory), [2, 3, 1]);
    }

    #[test]
    fn a_filter_is_found_in_names_and_groups() {
        let actor = actor(1, Some("orders-1"), 0, 0, 0);
        assert!(has(&actor, "orders") && has(&actor, "sho") && !has(&actor, "bank"));
    }

    #[test]
    fn figures_of_an_actor_have_their_columns() {
        let row = row("node@host", &actor(1, Some("a"), 5, 250_000, 3 << 20));
        assert_eq!(row[7..], ["5.0", "25.0%", "3.0 MiB", "1.0 MiB", "0"]);
    }
}
