//! What became of a rollout, node by node, for people and for programs.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::nodes::ControlledNode;
use super::progress::Progress;
use crate::control::{Answer, AskError, GivenUpStatus, NodeStatus, Request, RequestId, StoppedActor};
use crate::supervision::reload::{ActorReport, Outcome, ReloadReport, Verdict};

/// The most actors of each node that are listed for people. Those that failed come first.
const ACTORS_SHOWN: usize = 20;

/// What became of all nodes.
#[derive(Debug, Serialize)]
pub(super) struct RolloutReport {
    pub(super) module: String,
    pub(super) uploads: Vec<Upload>,
    pub(super) nodes: Vec<NodeOutcome>,
}

/// What was sent to a node.
#[derive(Debug, Serialize)]
pub(super) struct Upload {
    pub(super) node: String,
    pub(super) bytes: u64,
    pub(super) ms: u128,
}

/// What became of one node.
#[derive(Debug, Serialize)]
pub(super) struct NodeOutcome {
    pub(super) node: String,
    pub(super) address: String,
    #[serde(flatten)]
    pub(super) outcome: NodeResult,
}

/// What became of one node.
#[derive(Debug, Serialize)]
#[serde(tag = "rollout", rename_all = "kebab-case")]
pub(super) enum NodeResult {
    /// What was asked for was done, or would be.
    Done { report: ReloadReport, left_out: usize },
    /// It was begun and did not succeed.
    Failed { report: ReloadReport, left_out: usize },
    /// It was not begun.
    Refused { reason: String },
    /// Whether it was done is not known. The node can be asked, by the number of the request.
    Unknown { reason: String, request: String },
    /// Another node failed before its turn.
    NotReached,
}

/// Asks every node whether it could do it.
pub(super) async fn check(nodes: &mut [ControlledNode], module: &str, dry_run: &Request) -> RolloutReport {
    let progress = Progress::new();
    let _spinner = progress.spinner(&format!(
        "{module}: asking {} nodes whether they could take it",
        nodes.len()
    ));
    let asked = nodes.iter_mut().map(async |node| {
        let result = match node.try_ask(dry_run).await {
            Ok(answer) => answered(answer),
            // Nothing is done in a dry run, whether it is known how it ended or not.
            Err(error) => NodeResult::Refused {
                reason: error.to_string(),
            },
        };
        outcome(node, result)
    });
    rollout(module, futures_util::future::join_all(asked).await)
}

/// Has it done by one node after the other, until one fails.
pub(super) async fn roll(
    nodes: &mut [ControlledNode],
    module: &str,
    id: RequestId,
    request: &Request,
) -> RolloutReport {
    let mut rollout = rollout(module, Vec::new());
    let (progress, count) = (Progress::new(), nodes.len());
    for (index, node) in nodes.iter_mut().enumerate() {
        let _spinner = progress.spinner(&format!("{}: {module} ({} of {count})", node.name, index + 1));
        // A node whose answer was lost counts as one that failed: the others stay as they are until somebody has looked.
        let outcome = if rollout.is_well() {
            one(node, id, request).await
        } else {
            outcome(node, NodeResult::NotReached)
        };
        rollout.nodes.push(outcome);
    }
    rollout
}

/// Asks every node what became of an earlier request. Nothing is done anew.
pub(super) async fn ask_again(nodes: &mut [ControlledNode], module: &str, id: RequestId) -> RolloutReport {
    let asked = nodes
        .iter_mut()
        .map(async |node| one(node, id, &Request::Outcome { id }).await);
    rollout(module, futures_util::future::join_all(asked).await)
}

fn rollout(module: &str, nodes: Vec<NodeOutcome>) -> RolloutReport {
    RolloutReport {
        module: module.to_owned(),
        uploads: Vec::new(),
        nodes,
    }
}

async fn one(node: &mut ControlledNode, id: RequestId, request: &Request) -> NodeOutcome {
    let result = result_of(node.try_ask(request).await, id);
    outcome(node, result)
}

/// What is known of a request after this answer.
fn result_of(answer: Result<Answer, AskError>, id: RequestId) -> NodeResult {
    let unknown = |reason: String| NodeResult::Unknown {
        reason,
        request: id.to_string(),
    };
    match answer {
        Ok(Answer::NoRecord) => unknown(
            "it has no record of this request: it did not arrive, or the node has been restarted since".to_owned(),
        ),
        Ok(Answer::BrokenOff { reason }) => unknown(reason),
        Ok(answer) => answered(answer),
        Err(error) if error.leaves_open() => unknown(error.to_string()),
        Err(error) => NodeResult::Refused {
            reason: error.to_string(),
        },
    }
}

fn answered(answer: Answer) -> NodeResult {
    match answer {
        Answer::Report { report, left_out } if report.is_success() => NodeResult::Done { report, left_out },
        Answer::Report { report, left_out } => NodeResult::Failed { report, left_out },
        _ => NodeResult::Refused {
            reason: "the node gave an unexpected answer".to_owned(),
        },
    }
}

fn outcome(node: &ControlledNode, outcome: NodeResult) -> NodeOutcome {
    NodeOutcome {
        node: node.name.clone(),
        address: node.address.clone(),
        outcome,
    }
}

impl RolloutReport {
    /// True if every node did what was asked.
    pub(super) fn is_well(&self) -> bool {
        self.nodes
            .iter()
            .all(|node| matches!(node.outcome, NodeResult::Done { .. }))
    }

    /// For people.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for upload in &self.uploads {
            match upload.bytes {
                0 => writeln!(out, "{}: has the component already", upload.node)?,
                bytes => writeln!(out, "{}: uploaded {bytes} bytes in {} ms", upload.node, upload.ms)?,
            }
        }
        for NodeOutcome { node, outcome, .. } in &self.nodes {
            match outcome {
                NodeResult::Done { report, left_out } | NodeResult::Failed { report, left_out } => {
                    write_report(out, node, report, *left_out)?;
                }
                NodeResult::Refused { reason } => writeln!(out, "{node}: nothing was touched: {reason}")?,
                NodeResult::Unknown { reason, request } => writeln!(
                    out,
                    "{node}: it is not known whether this was done: {reason}; the same command with `--request {request}` \
                     asks the node"
                )?,
                NodeResult::NotReached => writeln!(out, "{node}: not reached, because a node before it failed")?,
            }
        }
        Ok(())
    }
}

fn write_report(out: &mut impl Write, node: &str, report: &ReloadReport, left_out: usize) -> io::Result<()> {
    let ReloadReport {
        module,
        old,
        new,
        verdict,
        changes,
        actors,
        unrecorded,
    } = report;
    let (old, new) = (short(old), short(new));
    let count = actors.len() + left_out;
    match verdict {
        Verdict::DryRun => writeln!(out, "{node}: {module} {old} → {new} could be done, {count} actors")?,
        Verdict::Reloaded if old == new => {
            writeln!(out, "{node}: {module} {new} is what runs, {count} actors changed")?
        }
        Verdict::Reloaded => writeln!(out, "{node}: {module} {old} → {new} done, {count} actors")?,
        Verdict::RolledBack => writeln!(out, "{node}: {module} {old} → {new} FAILED: it runs {old} as before")?,
        Verdict::Mixed => writeln!(
            out,
            "{node}: {module} {old} → {new} FAILED in part: some actors run {old}"
        )?,
    }
    if let Some(reason) = unrecorded {
        writeln!(out, "  NOT WRITTEN DOWN: {reason}")?;
    }
    for change in changes {
        writeln!(out, "  {change}")?;
    }
    let (failed, others): (Vec<_>, Vec<_>) = actors.iter().partition(|actor| {
        matches!(
            actor.outcome,
            Outcome::Failed { .. } | Outcome::NotRolledBack { .. } | Outcome::Ended
        )
    });
    for actor in failed.iter().chain(&others).take(ACTORS_SHOWN) {
        write_actor(out, actor)?;
    }
    match count.saturating_sub(ACTORS_SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more; --output json has them all"),
    }
}

fn write_actor(out: &mut impl Write, actor: &ActorReport) -> io::Result<()> {
    let ActorReport {
        name,
        pid,
        outcome,
        pause_us,
        state_bytes,
        waiting,
    } = actor;
    match name {
        Some(name) => write!(out, "  {name}: ")?,
        None => write!(out, "  pid {pid}: ")?,
    }
    match outcome {
        Outcome::Planned { mode } => write!(out, "would be reloaded ({mode:?})")?,
        Outcome::Reloaded { mode } => write!(out, "reloaded ({mode:?})")?,
        Outcome::Failed {
            step,
            reason,
            aftermath,
        } => write!(out, "failed at {step}: {reason} ({aftermath:?})")?,
        Outcome::RolledBack => write!(out, "taken back, because another one failed")?,
        Outcome::NotRolledBack { step, reason } => write!(out, "could not go back: failed at {step}: {reason}")?,
        Outcome::Untouched => write!(out, "not touched, because another one had failed")?,
        Outcome::Ended => write!(out, "has ended meanwhile")?,
    }
    if let Some(pause) = pause_us {
        write!(out, ", pause {:?}", Duration::from_micros(*pause))?;
    }
    if let Some(bytes) = state_bytes {
        write!(out, ", {bytes} bytes of state")?;
    }
    if let Some(waiting) = waiting {
        write!(out, ", {waiting} messages waiting")?;
    }
    writeln!(out)
}

/// What a node runs, for people.
pub(super) fn write_status(out: &mut impl Write, status: &NodeStatus) -> io::Result<()> {
    let state = match (status.leaving, status.ready) {
        (true, _) => ", LEAVING",
        (false, false) => ", NOT READY",
        (false, true) => "",
    };
    writeln!(out, "{}{state}", status.node)?;
    for given_up in status.given_up.iter().take(ACTORS_SHOWN) {
        let GivenUpStatus {
            actor,
            supervisor,
            reason,
        } = given_up;
        writeln!(
            out,
            "  actor {actor} was given up by the supervisor {supervisor}: {reason}"
        )?;
    }
    if let Some(more @ 1..) = status.given_up.len().checked_sub(ACTORS_SHOWN) {
        writeln!(out, "  and {more} more; --output json has them")?;
    }
    for peer in status.missing_peers.iter().take(ACTORS_SHOWN) {
        writeln!(out, "  there is no session with {peer}, which `required_peers` names")?;
    }
    if let Some(reason) = &status.not_joined {
        writeln!(out, "  it is not part of its cluster yet: {reason}")?;
    }
    for StoppedActor { name, supervisor } in status.stopped.iter().take(ACTORS_SHOWN) {
        writeln!(
            out,
            "  {name} of the supervisor {supervisor} was stopped by an operator; `ractor-host start {name}` starts it"
        )?;
    }
    if let Some(more @ 1..) = status.stopped.len().checked_sub(ACTORS_SHOWN) {
        writeln!(out, "  and {more} more that were stopped; --output json has them")?;
    }
    for module in &status.modules {
        let version = module.version.as_deref().unwrap_or("unknown");
        writeln!(
            out,
            "  module {} {}, version {version}, {} actors, {}",
            module.name,
            short(&module.digest),
            module.actors,
            if module.reloadable {
                "can hand over its state"
            } else {
                "can't hand over its state"
            },
        )?;
        if !module.previous.is_empty() {
            let previous: Vec<&str> = module.previous.iter().map(|digest| short(digest)).collect();
            writeln!(out, "    before: {}", previous.join(", "))?;
        }
        for actor in module.first.iter().filter(|actor| actor.digest != module.digest) {
            let name = actor.name.as_deref().unwrap_or("without a name");
            writeln!(
                out,
                "    actor {name} (pid {}) runs {}",
                actor.pid,
                short(&actor.digest)
            )?;
        }
    }
    Ok(())
}

/// As much of a digest as tells it from others.
fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody who is told that nothing was touched deploys again.
    #[test]
    fn only_what_a_node_has_said_of_a_request_is_known() {
        let failed = |reason: &str| AskError::Failed(reason.to_owned());
        for (answer, is_known) in [
            (Err(failed("there is no such module")), true),
            (Err(AskError::Unsent(Box::new(AskError::Timeout))), true),
            (Err(AskError::Timeout), false),
            (Err(AskError::Ended), false),
            (Err(AskError::NotUnderstood), false),
            (Ok(Answer::NoRecord), false),
            (
                Ok(Answer::BrokenOff {
                    reason: "it was".to_owned(),
                }),
                false,
            ),
        ] {
            let said = format!("{answer:?}");
            let result = result_of(answer, RequestId::random());
            assert_eq!(
                !matches!(result, NodeResult::Unknown { .. }),
                is_known,
                "{said}: {result:?}"
            );
        }
    }
}
