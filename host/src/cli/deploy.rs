//! `reload` and `rollback`: other code for a module of one node or of several.
//!
//! With `--file` the component is uploaded to all nodes first, then all are asked whether they could take it, and only then
//! is it rolled out, node by node. The first failure ends that.

use std::process::ExitCode;
use std::time::Instant;

use tracing_subscriber::filter::LevelFilter;

use super::arguments::{ControlArguments, OutputFormat, ReloadArguments, RollbackArguments, StatusArguments};
use super::failure::Failure;
use super::nodes::{self, ControlledNode, NodeAccess};
use super::output;
use super::process::Process;
use super::progress::Progress;
use super::rollout::{self, RolloutReport, Upload};
use super::survey::survey;
use crate::control::{Answer, Request, RequestId};
use crate::files;
use crate::guest::Digest;
use crate::host::HostBuilder;
use crate::supervision::reload::Reload;

pub(super) fn reload(arguments: &ReloadArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    // Before any node is asked: a file that can't be read is found out here.
    let component = arguments.file.as_ref().map(|file| {
        files::read(file, files::LARGEST)
            .map_err(|error| Failure::usage(format_args!("{} can't be read: {error}", file.display())))
    });
    let component = component.transpose()?;
    let id = arguments.request.unwrap_or_else(RequestId::random);
    let rollout = on_nodes(&arguments.control, builder, async |mut nodes| {
        if arguments.request.is_some() {
            // `--request` asks about an earlier attempt, and must never become a second one.
            return Ok(rollout::ask_again(&mut nodes, &arguments.module, id).await);
        }
        // To all nodes before the first one changes, so that no upload can fail in the middle of the rollout.
        let (digest, uploads) = match &component {
            Some(bytes) => {
                let digest = Digest::of(bytes);
                (Some(digest), upload(&mut nodes, digest, bytes).await?)
            }
            None => (None, Vec::new()),
        };
        let request = |dry_run| Request::Reload {
            id,
            digest: digest.map(|digest| digest.to_string()),
            planned: None,
            reload: Reload {
                mode: arguments.mode.map(Into::into),
                on_failure: arguments.mixed.into(),
                force: arguments.force,
                dry_run,
                ..Reload::of(&arguments.module)
            },
        };
        // All nodes are asked before the first one changes: one that refuses keeps the others as they are.
        let mut rollout = rollout::check(&mut nodes, &arguments.module, &request(true)).await;
        if !arguments.dry_run && rollout.is_well() {
            rollout = rollout::roll(&mut nodes, &arguments.module, id, &request(false)).await;
        }
        rollout.uploads = uploads;
        Ok(rollout)
    })?;
    finish(&rollout, arguments.output)
}

pub(super) fn rollback(arguments: &RollbackArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let id = arguments.request.unwrap_or_else(RequestId::random);
    let rollout = on_nodes(&arguments.control, builder, async |mut nodes| {
        if arguments.request.is_some() {
            return Ok(rollout::ask_again(&mut nodes, &arguments.module, id).await);
        }
        let request = Request::Rollback {
            id,
            module: arguments.module.clone(),
            planned: None,
        };
        Ok(rollout::roll(&mut nodes, &arguments.module, id, &request).await)
    })?;
    finish(&rollout, arguments.output)
}

/// What those nodes run that answer, at the same time; the others are named on stderr.
pub(super) fn status(arguments: &StatusArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let asked = survey(&arguments.control, builder, async |node| {
        match node.ask(&Request::Status).await? {
            Answer::Status(status) => Ok(status),
            _ => Err(anyhow::anyhow!("{} did not say what it runs", node.name)),
        }
    })?;
    asked.report(arguments.output, |out, known| {
        output::write_printable(out, |out| {
            known.iter().try_for_each(|status| rollout::write_status(out, status))
        })
    })
}

/// Connects to all of them and does what is to be done.
pub(super) fn on_nodes<T>(
    arguments: &ControlArguments,
    builder: &HostBuilder,
    work: impl AsyncFnOnce(Vec<ControlledNode>) -> anyhow::Result<T>,
) -> Result<T, Failure> {
    with_access(arguments, builder, async |access| {
        let nodes = nodes::connect(access, arguments).await?;
        work(nodes).await
    })
}

pub(super) fn with_access<T>(
    arguments: &ControlArguments,
    builder: &HostBuilder,
    work: impl AsyncFnOnce(&NodeAccess) -> anyhow::Result<T>,
) -> Result<T, Failure> {
    let process = Process::of_command(LevelFilter::OFF)?;
    let access = NodeAccess::new(arguments, builder)?;
    let outcome = process.complete(work(&access));
    outcome.map_err(|error| Failure::runtime(format_args!("{error:#}")))
}

/// To all of them at the same time. If one of them fails, nothing has changed anywhere.
async fn upload(nodes: &mut [ControlledNode], digest: Digest, bytes: &[u8]) -> anyhow::Result<Vec<Upload>> {
    let progress = Progress::new();
    let uploads = nodes.iter_mut().map(async |node| {
        let started = Instant::now();
        let sent = node.upload(digest, bytes, &progress).await?;
        anyhow::Ok(Upload {
            node: node.name.clone(),
            bytes: sent,
            ms: started.elapsed().as_millis(),
        })
    });
    futures_util::future::try_join_all(uploads).await
}

fn finish(rollout: &RolloutReport, format: OutputFormat) -> Result<ExitCode, Failure> {
    output::write(|out| match format {
        OutputFormat::Text => output::write_printable(out, |out| rollout.write(out)),
        OutputFormat::Json => output::write_json(out, rollout),
    })?;
    Ok(if rollout.is_well() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
