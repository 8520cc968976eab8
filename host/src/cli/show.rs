//! `show`: everything of one actor.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use futures_util::future::join_all;
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::deploy::with_access;
use super::failure::Failure;
use super::nodes::{self, ControlledNode};
use super::output::in_line;
use super::ps::{kind, module, resident, short_digest};
use super::steer;
use super::survey::Survey;
use super::units::{bytes, duration, percent, rate, short};
use crate::control::{ActorDetail, ActorFigures, Answer, FailureDetail, ReloadDetail, ReminderRow, Request, Target};
use crate::host::HostBuilder;

#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// The actor: its name, `NAME@NODE` or `pid:N`.
    pub(super) target: Target,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

/// The actor of one node.
#[derive(Debug, Serialize)]
struct NodeActor {
    node: String,
    actor: ActorDetail,
}

pub(super) fn show(arguments: &ShowArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    if let Target::Group(group) = &arguments.target {
        return Err(Failure::usage(format_args!(
            "`show` shows one actor, and group:{group} may have many; `ps --filter {group}` lists them"
        )));
    }
    let outcomes = with_access(&arguments.control, builder, async |access| {
        let connected = nodes::connect_each(access, &arguments.control).await;
        let (connected, missing): (Vec<_>, Vec<_>) = connected.into_iter().partition(Result::is_ok);
        let (nodes, target) = steer::aim(connected.into_iter().flatten().collect(), &arguments.target)?;
        let asked = nodes.into_iter().map(|node| ask(node, &target));
        let mut outcomes = join_all(asked).await;
        // Where one node is meant and there, the others don't matter.
        if target == arguments.target {
            outcomes.extend(missing.into_iter().filter_map(Result::err).map(Err));
        }
        Ok(outcomes)
    })?;
    Survey::of(outcomes).report(arguments.output, |out, all| {
        all.iter().try_for_each(|of| write_detail(out, &of.node, &of.actor))
    })
}

async fn ask(mut node: ControlledNode, target: &Target) -> anyhow::Result<NodeActor> {
    let request = Request::Show {
        target: target.to_string(),
    };
    let Answer::Show { actor } = node.ask(&request).await? else {
        anyhow::bail!("{} did not say anything of {target}", node.name);
    };
    Ok(NodeActor {
        node: node.name,
        actor: *actor,
    })
}

/// Everything of an actor of this node, as people are shown it.
pub(super) fn write_detail(out: &mut impl Write, node: &str, actor: &ActorDetail) -> io::Result<()> {
    let row = &actor.row;
    let name = row.name.clone().unwrap_or_else(|| format!("pid:{}", row.pid));
    writeln!(out, "{}  {}", in_line(&name), kind(row.kind))?;
    let mut line = |what: &str, value: &str| writeln!(out, "  {what:<12} {}", in_line(value));
    line("node", node)?;
    match row.pid {
        0 => line("pid", "none: it is not active, and its next message activates it")?,
        pid => line("pid", &pid.to_string())?,
    }
    if row.module.is_some() {
        let version = actor.version.as_ref().map(|version| format!("  version {version}"));
        line("module", &format!("{}{}", module(row), version.unwrap_or_default()))?;
    }
    if !row.groups.is_empty() {
        line("groups", &row.groups.join(", "))?;
    }
    if let Some(supervisor) = row.supervisor {
        line("supervisor", &called(actor.supervisor_name.as_ref(), supervisor))?;
    }
    if !actor.children.is_empty() {
        let names = actor
            .child_names
            .iter()
            .map(Option::as_ref)
            .chain(std::iter::repeat(None));
        let children = actor.children.iter().zip(names);
        let children: Vec<String> = children.map(|(pid, name)| called(name, *pid)).collect();
        line("children", &children.join(", "))?;
    }
    if let Some(figures) = &row.figures {
        write_figures(out, figures)?;
    }
    for limit in &actor.limits {
        let is_size = limit.key.ends_with("_bytes");
        let number = |number: u64| if is_size { bytes(number) } else { number.to_string() };
        writeln!(
            out,
            "  {:<16} {} of {} ({}%)",
            in_line(&limit.key),
            number(limit.used),
            number(limit.limit),
            limit.used.saturating_mul(100) / limit.limit.max(1)
        )?;
    }
    for grant in &actor.grants {
        writeln!(out, "  may {}", in_line(grant))?;
    }
    if let Some(newest) = actor.checkpoints.first() {
        writeln!(
            out,
            "  {} checkpoints, the newest {} ago with {}; `ractor-host checkpoints` lists them",
            actor.checkpoints.len(),
            ago(newest.taken_ms),
            bytes(newest.bytes)
        )?;
    }
    for reminder in &actor.reminders {
        write_reminder(out, reminder)?;
    }
    if let Some(failure) = &actor.last_failure {
        write_failure(out, failure)?;
    }
    actor.reloads.iter().try_for_each(|reload| write_reload(out, reload))
}

fn write_figures(out: &mut impl Write, figures: &ActorFigures) -> io::Result<()> {
    let mut line = |what: &str, value: String| writeln!(out, "  {what:<12} {value}");
    line("up", duration(figures.age_ms))?;
    line("messages", figures.messages.to_string())?;
    line(
        "calls",
        format!("{} answered, {} failed", figures.calls_answered, figures.calls_failed),
    )?;
    line("processor", short(figures.busy_us))?;
    let resident = resident(Some(*figures)).map(|resident| format!("{resident} resident; "));
    line(
        "memory",
        format!(
            "{}grown to {}",
            resident.unwrap_or_default(),
            bytes(figures.memory_bytes)
        ),
    )?;
    if let Some(lately) = &figures.lately {
        let over = duration(lately.over_ms);
        let messages = rate(lately.messages_per_second());
        line(
            "lately",
            format!(
                "{messages} messages/s and {} of a processor, over {over}",
                percent(lately.busy_share())
            ),
        )?;
    }
    line(
        "failures",
        format!("{}, and {} restarts in place", figures.failures, figures.restarts),
    )
}

fn write_reminder(out: &mut impl Write, reminder: &ReminderRow) -> io::Result<()> {
    let ReminderRow {
        id,
        message,
        due_ms,
        period_ms,
        given_up_ms,
    } = reminder;
    let now_ms = now_ms();
    let due = due_ms.map(|due_ms| match due_ms.checked_sub(now_ms) {
        Some(wait_ms) => format!("due in {}", duration(wait_ms)),
        None => format!("due for {}", ago(due_ms)),
    });
    let every = period_ms.map(|period_ms| format!("and then every {}", duration(period_ms)));
    let given_up = given_up_ms.map(|given_up_ms| {
        format!(
            "a firing that was due {} ago failed too often and was given up",
            ago(given_up_ms)
        )
    });
    let parts: Vec<String> = [due, every, given_up].into_iter().flatten().collect();
    writeln!(
        out,
        "  reminder {}: {}, {}",
        in_line(id),
        in_line(message),
        parts.join(", ")
    )
}

fn write_failure(out: &mut impl Write, failure: &FailureDetail) -> io::Result<()> {
    writeln!(
        out,
        "  failed {} ago in {}: {}",
        ago(failure.at_ms),
        in_line(&failure.during),
        in_line(&failure.reason)
    )?;
    for frame in &failure.backtrace {
        writeln!(out, "    at {}", in_line(frame))?;
    }
    Ok(())
}

fn write_reload(out: &mut impl Write, reload: &ReloadDetail) -> io::Result<()> {
    let (from, to) = (short_digest(&reload.from), short_digest(&reload.to));
    write!(
        out,
        "  reloaded {} ago from {} to {}, after a pause of {}",
        ago(reload.at_ms),
        in_line(&from),
        in_line(&to),
        short(reload.pause_us)
    )?;
    match &reload.failed {
        Some(reason) => writeln!(out, "; it did not stay: {}", in_line(reason)),
        None => writeln!(out),
    }
}

/// An actor by its name, as far as it has one.
fn called(name: Option<&String>, pid: u64) -> String {
    name.map_or_else(|| format!("pid:{pid}"), |name| format!("{name} (pid:{pid})"))
}

/// How long ago that was by the clock of this machine.
pub(super) fn ago(at_ms: u64) -> String {
    duration(now_ms().saturating_sub(at_ms))
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
