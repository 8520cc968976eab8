//! `dev`: the node, and whoever edits the source of its guests sees them change.
//!
//! Sources that change are built; the file that comes of it changes, and the node, which watches it, reloads its actors with
//! their state. What doesn't build is shown, and the actors go on as they are.

mod builder;
mod recipe;

use std::process::ExitCode;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use self::builder::Builder;
use super::arguments::RunArguments;
use super::failure::Failure;
use super::run::announce;
use crate::host::{HostBuilder, Stopped};
use crate::ops::telemetry;
use crate::supervision::reload::ReloadReport;

pub(super) fn dev(arguments: &RunArguments, builder: HostBuilder) -> Result<ExitCode, Failure> {
    telemetry::init(arguments.log_format, LevelFilter::INFO).map_err(Failure::usage)?;
    let mut config = builder.config(&arguments.file)?;
    for upkeep in &mut config.upkeep {
        // What is pinned can't change.
        let is_pinned = config
            .modules
            .iter()
            .any(|module| module.name == upkeep.module && module.digest.is_some());
        upkeep.watch = !is_pinned;
    }
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::runtime)?;
    let folder = arguments
        .file
        .parent()
        .map(std::path::Path::to_owned)
        .unwrap_or_default();
    let stopped = runtime.block_on(async {
        let builders = Builder::all(&config, &folder);
        for builder in &builders {
            builder.first().await.map_err(Failure::runtime)?;
        }
        let _building: Vec<_> = builders.into_iter().map(Builder::start).collect();
        let stopped = builder.on_reload(tell).run_with(config, announce).await;
        stopped.map_err(Failure::runtime)
    });
    runtime.shutdown_background();
    match stopped? {
        Stopped::InOrder(_) => Ok(ExitCode::SUCCESS),
        Stopped::Unkept(..) => Ok(ExitCode::FAILURE),
        Stopped::AtOnce(signal) => Ok(ExitCode::from(signal.exit_code())),
    }
}

/// One line for whoever edits.
fn tell(module: &str, outcome: &Result<ReloadReport, String>) {
    let report = match outcome {
        Ok(report) => report,
        Err(reason) => return println!("{module} is not reloaded: {reason}"),
    };
    let actors = report.actors.len();
    if let Some((actor, step, reason)) = report.failures().next() {
        let name = actor.name.as_deref().unwrap_or("an actor");
        return println!("{module} is not reloaded: {name} failed at {step}: {reason}; what ran before goes on");
    }
    let pause = report
        .actors
        .iter()
        .filter_map(|actor| actor.pause_us)
        .max()
        .unwrap_or_default();
    let bytes: u64 = report.actors.iter().filter_map(|actor| actor.state_bytes).sum();
    let pause = Duration::from_micros(pause);
    println!("reloaded {module}: {actors} actors, {bytes} bytes of state, longest pause {pause:?}");
}
