//! `spawn`: another guest of a module that a node has.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::deploy::on_nodes;
use super::failure::Failure;
use super::output::{self, printable};
use super::ps::short_digest;
use crate::control::{Answer, Request, SpawnedActor, Spawning};
use crate::host::HostBuilder;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host spawn counter extra-counter 5
  ractor-host spawn worker worker-9 str:hello --group workers";

#[derive(Debug, Args)]
pub(super) struct SpawnArguments {
    #[command(flatten)]
    control: ControlArguments,
    /// The name of a module in the node's node.toml.
    module: String,
    /// The name of the new actor.
    name: String,
    /// What it starts with, as `arguments` in node.toml: a literal with a type, such as `u64:5`, or a word if the module says the type.
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    arguments: Vec<String>,
    /// A process group that it joins. May be given several times.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// The new actor of one node.
#[derive(Debug, Serialize)]
struct NodeSpawned {
    node: String,
    #[serde(flatten)]
    actor: SpawnedActor,
}

pub(super) fn spawn(arguments: &SpawnArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    on_nodes(&arguments.control, builder, async |mut nodes| {
        let node = match &mut nodes[..] {
            [node] => node,
            _ => anyhow::bail!("an actor starts on one node: name one with `--node`, and leave out `--all-nodes`"),
        };
        let request = Request::Spawn(Spawning {
            module: arguments.module.clone(),
            name: arguments.name.clone(),
            arguments: arguments.arguments.clone(),
            groups: arguments.groups.clone(),
        });
        let Answer::Spawned(actor) = node.ask(&request).await? else {
            anyhow::bail!("{} did not say whether the actor has started", node.name);
        };
        let spawned = NodeSpawned {
            node: node.name.clone(),
            actor,
        };
        output::write(|out| match arguments.output {
            OutputFormat::Json => output::write_json(out, &spawned),
            OutputFormat::Text => {
                let SpawnedActor { name, pid, digest } = &spawned.actor;
                let (name, node) = (printable(name), printable(&spawned.node));
                let (module, digest) = (printable(&arguments.module), short_digest(digest));
                writeln!(out, "{name}@{node}: started with pid {pid}; it runs {module}@{digest}")
            }
        })?;
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
