//! `tree`: which actor supervises which.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::process::ExitCode;

use super::arguments::PsArguments;
use super::failure::Failure;
use super::output::{self, in_line};
use super::ps::{self, NodeActors};
use crate::control::{ActorKind, ActorRow};
use crate::host::HostBuilder;

/// The deepest level that is drawn further to the right than the one above it. Guests decide how deep their families are, and each level would
/// make every line below it longer.
const DEEPEST: usize = 32;

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
    writeln!(out, "{}", in_line(node))?;
    let known: BTreeSet<u64> = actors.iter().map(|actor| actor.pid).collect();
    let mut children: BTreeMap<Option<u64>, Vec<&ActorRow>> = BTreeMap::new();
    for actor in actors {
        // An actor whose supervisor has ended, or is left out, stands at the top.
        let above = actor.supervisor.filter(|pid| known.contains(pid) && *pid != actor.pid);
        children.entry(above).or_default().push(actor);
    }
    // By hand and not by recursion, for the same reason.
    let mut open: Vec<Branch<'_>> = Vec::new();
    push(&mut open, "", 1, children.remove(&None).unwrap_or_default());
    while let Some(Branch {
        indent,
        level,
        is_last,
        actor,
    }) = open.pop()
    {
        let branch = if is_last { "└─ " } else { "├─ " };
        let is_deep = level > DEEPEST;
        let deep = if is_deep {
            format!("(level {level}) ")
        } else {
            String::new()
        };
        writeln!(out, "{indent}{branch}{deep}{}", in_line(&label(actor)))?;
        let below = match (is_deep, is_last) {
            (true, _) => "",
            (false, true) => "   ",
            (false, false) => "│  ",
        };
        let of_actor = children.remove(&Some(actor.pid)).unwrap_or_default();
        push(&mut open, &format!("{indent}{below}"), level + 1, of_actor);
    }
    Ok(())
}

/// An actor, and where it stands.
struct Branch<'a> {
    /// What stands to the left of it.
    indent: String,
    level: usize,
    /// Of those below the same supervisor.
    is_last: bool,
    actor: &'a ActorRow,
}

/// The first of them is to be popped first.
fn push<'a>(open: &mut Vec<Branch<'a>>, indent: &str, level: usize, actors: Vec<&'a ActorRow>) {
    let last = actors.last().map(|actor| actor.pid);
    let entries = actors.into_iter().rev();
    open.extend(entries.map(|actor| Branch {
        indent: indent.to_owned(),
        level,
        is_last: Some(actor.pid) == last,
        actor,
    }));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(pid: u64, name: &str, supervisor: Option<u64>) -> ActorRow {
        ActorRow {
            pid,
            name: Some(name.to_owned()),
            kind: ActorKind::Native,
            module: None,
            groups: Vec::new(),
            waiting: None,
            supervisor,
            figures: None,
        }
    }

    fn drawn(actors: Vec<ActorRow>) -> String {
        let node = NodeActors {
            node: "a@b".to_owned(),
            actors,
            left_out: 0,
            stopped: Vec::new(),
        };
        let mut out = Vec::new();
        write_node(&mut out, &node).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn actors_stand_below_their_supervisors_each_on_a_line() {
        let actors = vec![
            actor(1, "root", None),
            actor(2, "one\ntwo", Some(1)),
            actor(3, "three", Some(2)),
            actor(4, "four", Some(1)),
        ];
        assert_eq!(
            drawn(actors),
            "a@b\n└─ root  native\n   ├─ one\\ntwo  native\n   │  └─ three  native\n   └─ four  native\n"
        );
    }

    #[test]
    fn a_family_that_is_very_deep_takes_a_line_for_each_and_no_more() {
        let many = 5_000;
        let chain = (1..=many).map(|pid| actor(pid, "deep", (pid > 1).then(|| pid - 1)));
        let text = drawn(chain.collect());
        assert_eq!(text.lines().count() as u64, many + 1);
        assert!(text.len() < 200 * 5_000, "{}", text.len());
        assert!(text.contains("└─ (level 5000) deep"));
    }
}
