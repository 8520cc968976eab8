//! `entities`: the types of entities that nodes have, the entities with states, and giving up a state.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::failure::Failure;
use super::survey::survey;
use super::table::{number, text, write_table};
use crate::control::{Answer, EntityTypeRow, MOST_LISTED, Request, Target};
use crate::host::HostBuilder;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EntitiesArguments {
    #[command(subcommand)]
    command: Option<EntitiesCommand>,
    #[command(flatten)]
    own: TypesArguments,
}

#[derive(Debug, Args)]
struct TypesArguments {
    #[command(flatten)]
    control: ControlArguments,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

#[derive(Debug, Subcommand)]
enum EntitiesCommand {
    /// List the entities of a type that have states, active or not.
    #[command(after_help = "Example:\n  ractor-host entities ls cart --limit 100 --after entity:cart/4711")]
    Ls(ListArguments),
    /// Give up the state of an entity. If it is active it ends first; its next message finds it without a state.
    #[command(after_help = "Example:\n  ractor-host entities delete entity:cart/4711")]
    Delete(DeleteArguments),
}

#[derive(Debug, Args)]
struct ListArguments {
    #[command(flatten)]
    control: ControlArguments,
    /// The type.
    #[arg(value_name = "TYPE")]
    entity_type: String,
    /// Those after this entity, written as `entity:TYPE/KEY`.
    #[arg(long, value_name = "ENTITY")]
    after: Option<String>,
    /// The most that are listed.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_LISTED)))]
    limit: u32,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

#[derive(Debug, Args)]
struct DeleteArguments {
    #[command(flatten)]
    control: ControlArguments,
    /// The entity: `entity:TYPE/KEY`.
    target: Target,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// The types of entities of one node.
#[derive(Debug, Serialize)]
struct NodeTypes {
    node: String,
    types: Vec<EntityTypeRow>,
}

/// Some entities of one node.
#[derive(Debug, Serialize)]
struct NodeKeys {
    node: String,
    entities: Vec<String>,
    more: bool,
}

/// An entity whose state one node has given up.
#[derive(Debug, Serialize)]
struct NodeDeleted {
    node: String,
    deleted: String,
}

pub(super) fn entities(arguments: &EntitiesArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    match &arguments.command {
        None => types(&arguments.own, builder),
        Some(EntitiesCommand::Ls(arguments)) => list(arguments, builder),
        Some(EntitiesCommand::Delete(arguments)) => delete(arguments, builder),
    }
}

fn types(arguments: &TypesArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let asked = survey(&arguments.control, builder, async |node| {
        let Answer::Entities { types } = node.ask(&Request::Entities).await? else {
            anyhow::bail!("{} did not say which entities it has", node.name);
        };
        let node = node.name.clone();
        Ok(NodeTypes { node, types })
    })?;
    asked.report(arguments.output, |out, all| {
        let columns = [
            text("NODE"),
            text("TYPE"),
            text("CODE"),
            text("DURABILITY"),
            number("ACTIVE"),
            number("WAITING"),
            number("STATES"),
            number("ACTIVATIONS"),
            number("PASSIVATIONS"),
            number("FAILED"),
            number("CRASHES"),
            text("LAST ERROR"),
        ];
        let rows = all
            .iter()
            .flat_map(|of| of.types.iter().map(|row| cells(&of.node, row)));
        write_table(out, columns, rows)
    })
}

/// The most of an error that a table has room for. As JSON it is there in full.
const SHOWN: usize = 80;

fn cells(node: &str, row: &EntityTypeRow) -> [String; 12] {
    let code = row.module.clone();
    [
        node.to_owned(),
        row.entity_type.clone(),
        code.unwrap_or_else(|| "native".to_owned()),
        row.durability.clone(),
        row.active.to_string(),
        row.waiting.to_string(),
        row.states.map(|states| states.to_string()).unwrap_or_default(),
        row.activations.to_string(),
        row.passivations.to_string(),
        row.failed_activations.to_string(),
        row.crashes.to_string(),
        row.last_error
            .as_deref()
            .map(|error| format!("{error:.SHOWN$}"))
            .unwrap_or_default(),
    ]
}

fn list(arguments: &ListArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let request = Request::EntityKeys {
        entity_type: arguments.entity_type.clone(),
        after: arguments.after.clone(),
        limit: arguments.limit,
    };
    let asked = survey(&arguments.control, builder, async |node| {
        let Answer::EntityKeys(listed) = node.ask(&request).await? else {
            anyhow::bail!("{} did not say which entities it has", node.name);
        };
        Ok(NodeKeys {
            node: node.name.clone(),
            entities: listed.entities,
            more: listed.more,
        })
    })?;
    asked.report(arguments.output, |out, all| {
        let rows = all
            .iter()
            .flat_map(|of| of.entities.iter().map(|entity| [of.node.clone(), entity.clone()]));
        write_table(out, [text("NODE"), text("ENTITY")], rows)
    })
}

fn delete(arguments: &DeleteArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let Target::Entity(entity) = &arguments.target else {
        let target = &arguments.target;
        return Err(Failure::usage(format_args!(
            "`{target}` is no entity: write `entity:TYPE/KEY`"
        )));
    };
    let request = Request::DeleteEntity {
        entity: entity.to_string(),
    };
    let asked = survey(&arguments.control, builder, async |node| {
        let Answer::EntityDeleted { entity } = node.ask(&request).await? else {
            anyhow::bail!("{} did not say what became of it", node.name);
        };
        let node = node.name.clone();
        Ok(NodeDeleted { node, deleted: entity })
    })?;
    asked.report(arguments.output, |out, all| {
        all.iter()
            .try_for_each(|of| writeln!(out, "{}: the state of {} is given up", of.node, of.deleted))
    })
}
