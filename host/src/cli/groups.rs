//! `groups`: the process groups that nodes see.

use std::process::ExitCode;

use ractor::pg::DEFAULT_SCOPE;
use serde::Serialize;

use super::arguments::GroupsArguments;
use super::failure::Failure;
use super::ps::note_left_out;
use super::survey::survey;
use super::table::{number, text, write_table};
use crate::control::{Answer, GroupRow, Request};
use crate::host::HostBuilder;

/// The groups that one node sees.
#[derive(Debug, Serialize)]
struct NodeGroups {
    node: String,
    groups: Vec<GroupRow>,
    /// Those that did not fit into the node's answer.
    left_out: usize,
}

pub(super) fn groups(arguments: &GroupsArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let asked = survey(&arguments.control, builder, async |node| {
        let Answer::Groups { groups, left_out } = node.ask(&Request::Groups).await? else {
            anyhow::bail!("{} did not say which groups it sees", node.name);
        };
        note_left_out(&node.name, left_out, "groups");
        Ok(NodeGroups {
            node: node.name.clone(),
            groups,
            left_out,
        })
    })?;
    asked.report(arguments.output, |out, all| {
        let columns = [
            text("NODE"),
            text("GROUP"),
            text("SCOPE"),
            number("HERE"),
            text("ELSEWHERE"),
        ];
        let rows = all
            .iter()
            .flat_map(|of| of.groups.iter().map(|group| row(&of.node, group)));
        write_table(out, columns, rows)
    })
}

fn row(node: &str, group: &GroupRow) -> [String; 5] {
    let elsewhere: Vec<String> = group
        .elsewhere
        .iter()
        .map(|on| format!("{} on {}", on.members, on.node))
        .collect();
    [
        node.to_owned(),
        group.group.clone(),
        if group.scope == DEFAULT_SCOPE {
            String::new()
        } else {
            group.scope.clone()
        },
        group.here.to_string(),
        elsewhere.join(", "),
    ]
}
