//! `dev`: the node, with guests that change whenever their source does.
//!
//! Sources that change are built; the file that comes of it changes, and the node, which watches it, reloads its actors with
//! their state. What doesn't build is shown, and the actors go on as they are. In Python, JavaScript and TypeScript nothing is compiled: the
//! component is a runtime, and the file that changes is the source of the project as one text.

mod builder;
mod recipe;

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::join_all;

use self::builder::Builder;
use super::arguments::RunArguments;
use super::failure::Failure;
use super::process::Process;
use super::run::{announce, exit_code};
use crate::config::ConfigOptions;
use crate::host::HostBuilder;
use crate::ops::console;
use crate::supervision::reload::ReloadReport;

/// The time for which an idle actor's new code is watched. Whoever edits waits for the word that it is reloaded.
const PROBATION: Duration = Duration::from_millis(100);

/// The largest source that is run, in bytes, unless node.toml says another.
const SOURCE_BYTES: u64 = 16 << 20;

pub(super) fn dev(arguments: &RunArguments, builder: HostBuilder) -> Result<ExitCode, Failure> {
    let process = Process::of_node(arguments.log_format)?;
    let options = ConfigOptions {
        modules_are_built_later: true,
        ..arguments.config.options()
    };
    let mut config = builder.config_with(&arguments.config.file, &options)?;
    for build in &mut config.builds {
        // What is pinned can't change.
        let is_pinned = config
            .modules
            .iter()
            .any(|module| module.name == build.module && module.digest.is_some());
        build.watch = !is_pinned;
        build.probation_time = Some(PROBATION);
    }
    // Whoever edits waits for the first run of each version, and hardly for its speed.
    config.runtime.tiered_compilation.get_or_insert(true);
    let folder = arguments
        .config
        .file
        .parent()
        .map(std::path::Path::to_owned)
        .unwrap_or_default();
    // All modules of a project are one text.
    config.runtime.source_bytes.get_or_insert(SOURCE_BYTES);
    let stopped = process.complete(async {
        let mut builders = Builder::all(&mut config, &folder);
        // Side by side: each may have tools to install, and most of the time they wait for the network.
        let firsts = join_all(builders.iter_mut().map(Builder::first)).await;
        firsts
            .into_iter()
            .collect::<Result<(), _>>()
            .map_err(Failure::runtime)?;
        // A name, and not `_` alone, which would drop them at once: they build as long as they live.
        let _building: Vec<_> = builders.into_iter().map(Builder::start).collect();
        Ok::<_, Failure>(builder.on_reload(print_outcome).run_with(config, announce).await)
    });
    exit_code(stopped?)
}

/// One line for the person who edits.
fn print_outcome(module: &str, outcome: &Result<ReloadReport, String>) {
    match outcome {
        Ok(report) => print_report(module, report),
        Err(reason) => console::print(format_args!("{module} is not reloaded: {reason}")),
    }
}

fn print_report(module: &str, report: &ReloadReport) {
    if let Some((actor, step, reason)) = report.failures().next() {
        let name = actor.name.as_deref().unwrap_or("an actor");
        return console::print(format_args!(
            "{module} is not reloaded: {name} failed at {step}: {reason}; what ran before goes on"
        ));
    }
    let actors = report.actors.len();
    let pauses = report.actors.iter().filter_map(|actor| actor.pause_us);
    let pause = Duration::from_micros(pauses.max().unwrap_or_default());
    let bytes: u64 = report.actors.iter().filter_map(|actor| actor.state_bytes).sum();
    console::print(format_args!(
        "reloaded {module}: {actors} actors, {bytes} bytes of state, longest pause {pause:?}"
    ));
}
