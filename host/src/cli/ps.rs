//! `ps`: the actors of nodes.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use super::arguments::{OutputFormat, PsArguments};
use super::deploy::{json, on_nodes};
use super::failure::Failure;
use super::output;
use crate::control::{ActorKind, ActorRow, Answer, Request};
use crate::host::HostBuilder;

/// The actors of one node.
#[derive(Debug, Serialize)]
struct NodeActors {
    node: String,
    actors: Vec<ActorRow>,
}

pub(super) fn ps(arguments: &PsArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let all = on_nodes(&arguments.control, builder, async |mut nodes| {
        let mut all = Vec::new();
        for node in &mut nodes {
            let Answer::Actors { mut actors } = node.ask(&Request::Actors).await? else {
                anyhow::bail!("{} did not say which actors it has", node.name);
            };
            actors.retain(|actor| arguments.all || matches!(actor.kind, ActorKind::Guest | ActorKind::Native));
            all.push(NodeActors {
                node: node.name.clone(),
                actors,
            });
        }
        Ok(all)
    })?;
    output::write(|out| match arguments.output {
        OutputFormat::Text => write_table(out, &all),
        OutputFormat::Json => json(&all).and_then(|text| writeln!(out, "{text}")),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn write_table(out: &mut impl Write, nodes: &[NodeActors]) -> io::Result<()> {
    for NodeActors { node, actors } in nodes {
        writeln!(out, "{node}")?;
        for actor in actors {
            let name = actor.name.as_deref().unwrap_or("-");
            writeln!(out, "  {:<20} {name}", actor.pid)?;
        }
    }
    Ok(())
}
