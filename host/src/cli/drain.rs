//! `drain`: nodes that leave in order.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::deploy::on_nodes;
use super::failure::Failure;
use super::nodes::ControlledNode;
use super::operating::DrainArguments;
use super::output::printable;
use super::survey::Survey;
use crate::control::{Answer, Request};
use crate::host::HostBuilder;

/// A node that leaves.
#[derive(Debug, Serialize)]
struct LeavingNode {
    node: String,
    /// True if the command has waited for its end, and it is down.
    down: bool,
}

pub(super) fn drain(arguments: &DrainArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let asked = on_nodes(&arguments.control, builder, async |nodes| {
        let mut outcomes = Vec::new();
        // One after the other, so that the others take over what the first had; without `--wait` nobody asked for that. If one of them
        // doesn't leave, those after it stay.
        for node in nodes {
            let outcome = leave(node, arguments.wait).await;
            let is_first_failure = outcome.is_err();
            outcomes.push(outcome);
            if is_first_failure {
                break;
            }
        }
        Ok(Survey::of(outcomes))
    })?;
    asked.report(arguments.output, |out, all| {
        all.iter().try_for_each(|LeavingNode { node, down }| {
            writeln!(out, "{} {}", printable(node), if *down { "is down" } else { "leaves" })
        })
    })
}

async fn leave(mut node: ControlledNode, waits: bool) -> anyhow::Result<LeavingNode> {
    let Answer::Leaving = node.ask(&Request::Leave).await? else {
        anyhow::bail!("{} did not say that it leaves", node.name);
    };
    let name = node.name.clone();
    if waits {
        node.until_down().await?;
    }
    Ok(LeavingNode {
        node: name,
        down: waits,
    })
}
