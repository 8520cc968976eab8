//! `ps`: the actors of nodes.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use super::arguments::{OutputFormat, PsArguments};
use super::deploy::{json, on_nodes};
use super::failure::Failure;
use super::output::{self, printable};
use super::table::{number, text, write_table};
use crate::control::{ActorKind, ActorRow, Answer, Request, StoppedActor};
use crate::host::HostBuilder;

/// The digits of a digest that people are shown.
const DIGITS: usize = 12;

/// The actors of one node.
#[derive(Debug, Serialize)]
pub(super) struct NodeActors {
    pub(super) node: String,
    pub(super) actors: Vec<ActorRow>,
    /// What operators have stopped there.
    pub(super) stopped: Vec<StoppedActor>,
}

pub(super) fn ps(arguments: &PsArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let mut all = actors(arguments, builder)?;
    if !arguments.all {
        for node in &mut all {
            node.actors
                .retain(|actor| matches!(actor.kind, ActorKind::Guest | ActorKind::Native));
        }
    }
    output::write(|out| match arguments.output {
        OutputFormat::Text => write_actors(out, &all),
        OutputFormat::Json => json(&all).and_then(|text| writeln!(out, "{text}")),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// All actors of the nodes that the arguments name.
pub(super) fn actors(arguments: &PsArguments, builder: &HostBuilder) -> Result<Vec<NodeActors>, Failure> {
    on_nodes(&arguments.control, builder, async |mut nodes| {
        let mut all = Vec::new();
        for node in &mut nodes {
            let Answer::Actors { actors } = node.ask(&Request::Actors).await? else {
                anyhow::bail!("{} did not say which actors it has", node.name);
            };
            let stopped = match node.try_ask(&Request::Stopped).await {
                Ok(Answer::Stopped { actors }) => actors,
                // A node of an earlier version, which stops nobody.
                _ => Vec::new(),
            };
            all.push(NodeActors {
                node: node.name.clone(),
                actors,
                stopped,
            });
        }
        Ok(all)
    })
}

fn write_actors(out: &mut impl Write, nodes: &[NodeActors]) -> io::Result<()> {
    let columns = [
        text("NAME"),
        text("NODE"),
        number("PID"),
        text("KIND"),
        text("MODULE"),
        text("GROUPS"),
        number("WAITING"),
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

fn row(node: &str, actor: &ActorRow) -> [String; 7] {
    [
        actor.name.clone().unwrap_or_default(),
        node.to_owned(),
        actor.pid.to_string(),
        kind(actor.kind).to_owned(),
        module(actor),
        actor.groups.join(", "),
        actor.waiting.map(|waiting| waiting.to_string()).unwrap_or_default(),
    ]
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
    let digest = module.digest.strip_prefix("sha256:").unwrap_or(&module.digest);
    let digest: String = digest.chars().take(DIGITS).collect();
    format!("{}@{digest}", module.name)
}
