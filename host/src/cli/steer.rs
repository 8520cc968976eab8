//! `stop`, `start`, `kill` and `restart`: what becomes of actors.

use std::io::Write as _;
use std::process::ExitCode;

use futures_util::future::join_all;
use serde::Serialize;

use super::deploy::on_nodes;
use super::failure::Failure;
use super::nodes::ControlledNode;
use super::operating::SteerArguments;
use super::output::printable;
use super::survey::Survey;
use crate::control::{Answer, Request, Steer, SteeredActor, Target};
use crate::host::HostBuilder;
use crate::supervision::SteerAction;

/// What became of the actors of one node.
#[derive(Debug, Serialize)]
struct NodeSteered {
    node: String,
    actors: Vec<SteeredActor>,
}

pub(super) fn steer(
    action: SteerAction,
    arguments: &SteerArguments,
    builder: &HostBuilder,
) -> Result<ExitCode, Failure> {
    let asked = on_nodes(&arguments.control, builder, async |nodes| {
        let (mut nodes, target) = aim(nodes, &arguments.target)?;
        if let (false, [first, _, ..]) = (arguments.all, &nodes[..]) {
            let first = &first.name;
            anyhow::bail!("several nodes are asked: say which one is meant, such as `{target}@{first}`, or `--all`");
        }
        let steer = Steer {
            action,
            target,
            all: arguments.all,
        };
        let asked = nodes.iter_mut().map(async |node| {
            let Answer::Steered { actors } = node.ask(&Request::Steer(steer.clone())).await? else {
                anyhow::bail!("{} did not say what it did", node.name);
            };
            anyhow::Ok(NodeSteered {
                node: node.name.clone(),
                actors,
            })
        });
        // What was done on one node is told also if another one fails.
        Ok(Survey::of(join_all(asked).await))
    })?;
    let is_done = asked.answers.iter().flat_map(|of| &of.actors).all(|actor| actor.done);
    let code = asked.report(arguments.output, |out, all| {
        all.iter().try_for_each(|of| {
            of.actors
                .iter()
                .try_for_each(|actor| writeln!(out, "{}", in_words(&of.node, action, actor)))
        })
    })?;
    Ok(if is_done { code } else { ExitCode::FAILURE })
}

/// The nodes that the target is sought on, and the target there. `NAME@NODE` means one of those that are connected to, by its full name
/// or by what is before the `@` in it; any other `@` is a part of the name.
pub(super) fn aim(mut nodes: Vec<ControlledNode>, target: &Target) -> anyhow::Result<(Vec<ControlledNode>, Target)> {
    let text = target.to_string();
    let of = |node: &ControlledNode| {
        let short = node.name.split('@').next().unwrap_or_default();
        let ends = [format!("@{}", node.name), format!("@{short}")];
        ends.iter()
            .find_map(|end| text.strip_suffix(end.as_str()))
            .map(str::to_owned)
    };
    let Some((index, there)) = nodes
        .iter()
        .enumerate()
        .find_map(|(index, node)| Some((index, of(node)?)))
    else {
        return Ok((nodes, target.clone()));
    };
    let node = nodes.swap_remove(index);
    Ok((vec![node], there.parse()?))
}

fn in_words(node: &str, action: SteerAction, actor: &SteeredActor) -> String {
    let name = match (&actor.name, actor.pid) {
        (Some(name), _) => name.clone(),
        (None, Some(pid)) => format!("pid:{pid}"),
        (None, None) => "an actor without a name".to_owned(),
    };
    let (done, not) = match action {
        SteerAction::Stop => ("stopped", "not stopped"),
        SteerAction::Start => ("started", "not started"),
        SteerAction::Kill => ("killed", "not killed"),
        SteerAction::Restart => ("restarted", "not restarted"),
    };
    let what = if actor.done { done } else { not };
    let note = actor.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    format!("{}@{}: {what}{}", printable(&name), printable(node), printable(&note))
}
