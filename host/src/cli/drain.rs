//! `drain`: nodes that leave in order.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::arguments::OutputFormat;
use super::deploy::{json, on_nodes};
use super::failure::Failure;
use super::operating::DrainArguments;
use super::output::{self, printable};
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
    let all = on_nodes(&arguments.control, builder, async |nodes| {
        // One after the other, so that the others take over what the first had; without `--wait` nobody asked for that.
        let mut all = Vec::new();
        for mut node in nodes {
            let Answer::Leaving = node.ask(&Request::Leave).await? else {
                anyhow::bail!("{} did not say that it leaves", node.name);
            };
            let name = node.name.clone();
            if arguments.wait {
                node.until_down().await?;
            }
            all.push(LeavingNode {
                node: name,
                down: arguments.wait,
            });
        }
        Ok(all)
    })?;
    output::write(|out| match arguments.output {
        OutputFormat::Text => all.iter().try_for_each(|LeavingNode { node, down }| {
            writeln!(out, "{} {}", printable(node), if *down { "is down" } else { "leaves" })
        }),
        OutputFormat::Json => json(&all).and_then(|text| writeln!(out, "{text}")),
    })?;
    Ok(ExitCode::SUCCESS)
}
