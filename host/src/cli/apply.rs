//! `apply`: a node.toml that was changed, brought into force.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::deploy::on_nodes;
use super::failure::{Failure, NEEDS_RESTART, USAGE};
use super::nodes::ControlledNode;
use super::output::{self, printable};
use super::survey::Survey;
use crate::control::{
    Answer, ApplyOutcome, ApplyReport, ChangeAction, ChangedThing, ConfigChange, EXPORTS, Request, RequestId,
};
use crate::host::HostBuilder;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host apply --dry-run
  ractor-host apply /etc/ractor-host/node.toml
  ractor-host apply --node 127.0.0.1:4697 --cookie-file cookie --key-file deploy.key --output json

Exit codes: 0 all of the file is in force, 1 something failed, 2 the file is wrong, 5 a part takes effect at the next start only.";

#[derive(Debug, Args)]
pub(super) struct ApplyArguments {
    /// The node.toml of a node on this machine, as --config. The node reads the file that it was started with.
    #[arg(value_name = "NODE.TOML", conflicts_with = "config")]
    file: Option<PathBuf>,
    #[command(flatten)]
    control: ControlArguments,
    /// Only show what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Change nothing, but ask what became of the request with this number. A command prints it when the answer is lost.
    #[arg(long, value_name = "NUMBER", conflicts_with = "dry_run")]
    request: Option<RequestId>,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// What came of it at one node.
#[derive(Debug, Serialize)]
struct NodeApplied {
    node: String,
    #[serde(flatten)]
    report: ApplyReport,
}

pub(super) fn apply(arguments: ApplyArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let ApplyArguments {
        file,
        mut control,
        dry_run,
        request,
        output: format,
    } = arguments;
    control.config = control.config.or(file);
    let asked = on_nodes(&control, builder, async |nodes| {
        let mut outcomes = Vec::new();
        let mut failed = None;
        // One after the other: what fails at one of them is not tried at the next.
        for node in nodes {
            let name = node.name.clone();
            if let Some(failed) = &failed {
                output::note(format_args!(
                    "{name} was not asked, because {failed} did not apply its file"
                ));
                continue;
            }
            let outcome = ask(node, dry_run, request).await;
            if !outcome.as_ref().is_ok_and(|applied| is_well(&applied.report)) {
                failed = Some(name);
            }
            outcomes.push(outcome);
        }
        Ok(Survey::of(outcomes))
    })?;
    let worst = asked
        .answers
        .iter()
        .map(|applied| code(&applied.report))
        .max_by_key(|code| severity(*code));
    let code = asked.report(format, |out, all| {
        all.iter().try_for_each(|applied| write(out, applied))
    })?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    Ok(ExitCode::from(worst.unwrap_or_default()))
}

async fn ask(mut node: ControlledNode, dry_run: bool, request: Option<RequestId>) -> anyhow::Result<NodeApplied> {
    let id = request.unwrap_or_else(RequestId::random);
    let asked = match request {
        Some(id) => Request::Outcome { id },
        None => Request::Apply { id, dry_run },
    };
    let name = node.name.clone();
    let answer = node.ask(&asked).await;
    let answer = if dry_run {
        answer?
    } else {
        answer.with_context(|| {
            format!("`ractor-host apply --request {id}` asks what became of it, if the answer was lost")
        })?
    };
    match answer {
        Answer::Applied { report } => Ok(NodeApplied {
            node: name,
            report: *report,
        }),
        Answer::NoRecord => {
            anyhow::bail!("{name} knows nothing of the request {id}: it did not arrive, or was forgotten")
        }
        _ => anyhow::bail!("{name} did not say what became of its node.toml"),
    }
}

fn is_well(report: &ApplyReport) -> bool {
    matches!(
        report.outcome,
        ApplyOutcome::Planned | ApplyOutcome::Unchanged | ApplyOutcome::Applied
    )
}

fn code(report: &ApplyReport) -> u8 {
    match report.outcome {
        ApplyOutcome::WrongFile => USAGE,
        ApplyOutcome::TakenBack | ApplyOutcome::Incomplete => 1,
        _ if !report.needs_restart.is_empty() => NEEDS_RESTART,
        ApplyOutcome::Planned | ApplyOutcome::Unchanged | ApplyOutcome::Applied => 0,
    }
}

/// Of several nodes the worst counts: one that failed before one whose file is wrong, and that before one that waits for a restart.
fn severity(code: u8) -> u8 {
    match code {
        0 => 0,
        NEEDS_RESTART => 1,
        USAGE => 2,
        _ => 3,
    }
}

fn write(out: &mut impl Write, NodeApplied { node, report }: &NodeApplied) -> io::Result<()> {
    let (node, file) = (printable(node), printable(&report.file));
    let headline = match report.outcome {
        ApplyOutcome::Planned if report.changes.is_empty() => "nothing would be done about",
        ApplyOutcome::Planned => "would apply",
        ApplyOutcome::Unchanged => "has nothing to do for",
        ApplyOutcome::Applied => "applied",
        ApplyOutcome::WrongFile => "refuses",
        ApplyOutcome::TakenBack => "could not apply, and is as it was before",
        ApplyOutcome::Incomplete => "could not apply all of, and could not take all of it back:",
    };
    writeln!(out, "{node}: {headline} {file}")?;
    for change in &report.changes {
        writeln!(out, "  {}", in_words(change))?;
    }
    if report.left_out > 0 {
        writeln!(out, "  and {} more changes", report.left_out)?;
    }
    for needed in &report.needs_restart {
        let why = needed.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        writeln!(out, "  needs a restart: {}{}", printable(&needed.key), printable(&why))?;
    }
    for reason in &report.reasons {
        for line in reason.lines() {
            writeln!(out, "  {}", printable(line))?;
        }
    }
    Ok(())
}

fn in_words(change: &ConfigChange) -> String {
    let sign = match change.action {
        ChangeAction::Add => '+',
        ChangeAction::Change => '~',
        ChangeAction::Remove => '-',
    };
    let name = printable(&change.name);
    let what = match (change.of, change.actors) {
        (ChangedThing::Module, _) => format!("module `{name}`"),
        (ChangedThing::Actors, Some(number)) if number > 1 => format!("{number} actors of `{name}`"),
        (ChangedThing::Actors, _) => format!("actor `{name}`"),
        (ChangedThing::Peer, _) => format!("peer {name}"),
        (ChangedThing::Secrets, _) => format!("secrets of [{name}]"),
        (ChangedThing::Log, _) => "what is logged".to_owned(),
        (ChangedThing::Certificates, _) if name == EXPORTS => "certificates of the OTLP exports".to_owned(),
        (ChangedThing::Certificates, _) => format!("certificates of [{name}]"),
    };
    let keys = printable(&change.keys.join(", ")).to_string();
    match (keys.is_empty(), change.of, change.action) {
        (true, ..) => format!("{sign} {what}"),
        (false, ChangedThing::Actors, ChangeAction::Change) => format!("{sign} {what}: {keys}; starts anew"),
        (false, ..) => format!("{sign} {what}: {keys}"),
    }
}
