//! `tree`: which actor supervises which.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::process::ExitCode;

use super::arguments::PsArguments;
use super::failure::Failure;
use super::output;
use super::ps::{self, NodeActors};
use crate::control::{ActorKind, ActorRow};
use crate::host::HostBuilder;

pub(super) fn tree(arguments: &PsArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let mut asked = ps::actors(arguments, builder)?;
    if !arguments.all {
        asked.answers.iter_mut().for_each(without_machinery);
    }
    // As JSON it is what `ps` says: each actor says who supervises it.
    asked.report(arguments.output, |out, all| {
        output::write_printable(out, |out| all.iter().try_for_each(|node| write_node(out, node)))
    })
}

/// Leaves out what the node itself is made of, but for what supervises actors of users.
fn without_machinery(node: &mut NodeActors) {
    let supervisors: BTreeSet<u64> = node
        .actors
        .iter()
        .filter(|actor| matches!(actor.kind, ActorKind::Guest | ActorKind::Native))
        .filter_map(|actor| actor.supervisor)
        .collect();
    node.actors.retain(|actor| match actor.kind {
        ActorKind::Guest | ActorKind::Native | ActorKind::Supervisor => true,
        ActorKind::Local => supervisors.contains(&actor.pid),
    });
}

fn write_node(out: &mut impl Write, NodeActors { node, actors, .. }: &NodeActors) -> io::Result<()> {
    writeln!(out, "{node}")?;
    let known: BTreeSet<u64> = actors.iter().map(|actor| actor.pid).collect();
    let mut children: BTreeMap<Option<u64>, Vec<&ActorRow>> = BTreeMap::new();
    for actor in actors {
        // An actor whose supervisor has ended, or is left out, stands at the top.
        let above = actor.supervisor.filter(|pid| known.contains(pid) && *pid != actor.pid);
        children.entry(above).or_default().push(actor);
    }
    // By hand and not by recursion: guests decide how deep their families are.
    let mut open: Vec<(String, bool, &ActorRow)> = Vec::new();
    push(&mut open, "", children.remove(&None).unwrap_or_default());
    while let Some((indent, is_last, actor)) = open.pop() {
        let branch = if is_last { "└─ " } else { "├─ " };
        writeln!(out, "{indent}{branch}{}", label(actor))?;
        let below = if is_last { "   " } else { "│  " };
        let of_actor = children.remove(&Some(actor.pid)).unwrap_or_default();
        push(&mut open, &format!("{indent}{below}"), of_actor);
    }
    Ok(())
}

/// The first of them is to be popped first.
fn push<'a>(open: &mut Vec<(String, bool, &'a ActorRow)>, indent: &str, actors: Vec<&'a ActorRow>) {
    let last = actors.last().map(|actor| actor.pid);
    let entries = actors.into_iter().rev();
    open.extend(entries.map(|actor| (indent.to_owned(), Some(actor.pid) == last, actor)));
}

fn label(actor: &ActorRow) -> String {
    let name = actor
        .name
        .as_deref()
        .map_or_else(|| format!("pid:{}", actor.pid), str::to_owned);
    let module = ps::module(actor);
    match actor.kind {
        ActorKind::Guest => format!("{name}  {module}"),
        other => format!("{name}  {}", ps::kind(other)),
    }
}
