//! `--stay`: the nodes of a demo go on when its story is told, for people who want to look at them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::node::Node;
use crate::process;
use crate::report;

/// The time that nodes have to end by themselves when somebody wants to stop. Ctrl-C at a terminal reaches them, too, and a second
/// signal would cut short how they leave.
const OWN_END: Duration = Duration::from_secs(3);

/// What becomes of the nodes when the story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Stop,
    Stay,
}

/// Says where the dashboards of these nodes are, the one to look at first as the last line, and waits until somebody wants to stop.
/// `token` is the file with what it takes to change something there.
///
/// # Errors
/// A node has no dashboard, or ends meanwhile.
pub(super) fn stay(nodes: &mut [&mut Node], token: &Path) -> Result<()> {
    report::step("the nodes stay until Ctrl-C");
    report::note(&format!(
        "changing something there takes the token in {}",
        token.display()
    ));
    let mut first = None;
    for node in nodes.iter() {
        let dashboard = node
            .dashboard()
            .ok_or_else(|| anyhow!("node {} has no dashboard: it didn't say `admin=…`", node.name()))?;
        report::note(&format!("{} is at {dashboard}", node.name()));
        first = first.or(Some(dashboard));
    }
    if let Some(dashboard) = first {
        report::line(&format!("dashboard: {dashboard}"));
    }
    process::wait_for_interrupt(|| nodes.iter_mut().try_for_each(|node| node.check_runs()))?;
    // Those that still run after this time were not reached by the signal, and are stopped as always.
    drop(process::poll(OWN_END, || {
        let mut all = true;
        for node in nodes.iter_mut() {
            all &= node.has_ended()?;
        }
        Ok(all.then_some(()))
    }));
    Ok(())
}
