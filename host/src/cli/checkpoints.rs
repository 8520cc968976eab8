//! `checkpoints`: the kept states of an actor, and the way back to one.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::deploy::on_nodes;
use super::failure::Failure;
use super::nodes::ControlledNode;
use super::output::{self, printable};
use super::ps::short_digest;
use super::show::ago;
use super::steer;
use super::table::{number, text, write_table};
use super::units::bytes;
use crate::control::{Answer, CheckpointRow, Request, Target, WentBack};
use crate::host::HostBuilder;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host checkpoints counter
  ractor-host checkpoints counter --back
  ractor-host checkpoints counter --back 17 --output json";

#[derive(Debug, Args)]
pub(super) struct CheckpointsArguments {
    #[command(flatten)]
    control: ControlArguments,
    /// The actor: its name, `NAME@NODE` or `pid:N`.
    target: Target,
    /// Restore the checkpoint with this number. Without a number, restore the newest one that differs from the actor's current state.
    #[arg(long, value_name = "NUMBER", num_args = 0..=1)]
    back: Option<Option<u64>>,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// The kept states of one actor.
#[derive(Debug, Serialize)]
struct NodeCheckpoints {
    node: String,
    actor: String,
    checkpoints: Vec<CheckpointRow>,
}

/// An actor that went back.
#[derive(Debug, Serialize)]
struct NodeWentBack {
    node: String,
    #[serde(flatten)]
    went_back: WentBack,
}

pub(super) fn checkpoints(arguments: &CheckpointsArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    if let Target::Group(group) = &arguments.target {
        return Err(Failure::usage(format_args!(
            "`checkpoints` is about one actor, and group:{group} may have many; `ps --filter {group}` lists them"
        )));
    }
    on_nodes(&arguments.control, builder, async |nodes| {
        let (mut nodes, target) = steer::aim(nodes, &arguments.target)?;
        let target = target.to_string();
        if let (Some(_), [first, _, ..]) = (arguments.back, &nodes[..]) {
            let first = &first.name;
            anyhow::bail!("several nodes are asked: say which one is meant, such as `{target}@{first}`");
        }
        let mut all = Vec::new();
        for node in &mut nodes {
            match arguments.back {
                Some(number) => return go_back(node, target, number, arguments.output).await,
                None => all.push(list(node, target.clone()).await?),
            }
        }
        output::write(|out| match arguments.output {
            OutputFormat::Text => all.iter().try_for_each(|of| write_list(out, of)),
            OutputFormat::Json => output::write_json(out, &all),
        })?;
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn list(node: &mut ControlledNode, actor: String) -> anyhow::Result<NodeCheckpoints> {
    let request = Request::Checkpoints { actor: actor.clone() };
    let Answer::Checkpoints { checkpoints } = node.ask(&request).await? else {
        anyhow::bail!("{} did not say which states it keeps", node.name);
    };
    Ok(NodeCheckpoints {
        node: node.name.clone(),
        actor,
        checkpoints,
    })
}

async fn go_back(
    node: &mut ControlledNode,
    actor: String,
    number: Option<u64>,
    format: OutputFormat,
) -> anyhow::Result<()> {
    let Answer::WentBack(went_back) = node.ask(&Request::GoBack { actor, number }).await? else {
        anyhow::bail!("{} did not say what it did", node.name);
    };
    let done = NodeWentBack {
        node: node.name.clone(),
        went_back,
    };
    output::write(|out| match format {
        OutputFormat::Json => output::write_json(out, &done),
        OutputFormat::Text => {
            let WentBack { actor, to, kept } = &done.went_back;
            writeln!(
                out,
                "{}@{}: went back to checkpoint {} of {} ago; what it knew until now {}",
                printable(actor),
                printable(&done.node),
                to.number,
                ago(to.taken_ms),
                if *kept { "was kept, too" } else { "is gone" }
            )
        }
    })?;
    Ok(())
}

fn write_list(out: &mut impl io::Write, of: &NodeCheckpoints) -> io::Result<()> {
    let (actor, node) = (printable(&of.actor), printable(&of.node));
    if of.checkpoints.is_empty() {
        return writeln!(out, "{actor}@{node} has no checkpoints");
    }
    writeln!(out, "{actor}@{node}")?;
    let columns = [
        number("NUMBER"),
        text("AGE"),
        number("SIZE"),
        number("STATE VERSION"),
        text("CODE"),
    ];
    let rows = of.checkpoints.iter().map(|kept| {
        [
            kept.number.to_string(),
            ago(kept.taken_ms),
            bytes(kept.bytes),
            kept.state_version.to_string(),
            format!("{}@{}", kept.module, short_digest(&kept.digest)),
        ]
    });
    write_table(out, columns, rows)
}
