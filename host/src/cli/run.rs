//! `run`: the node, until a signal.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use tracing_subscriber::filter::LevelFilter;

use super::arguments::RunArguments;
use super::failure::Failure;
use crate::host::{HostBuilder, RunningHost, Stopped};
use crate::ops::telemetry;

pub(super) fn run(arguments: &RunArguments, builder: HostBuilder) -> Result<ExitCode, Failure> {
    telemetry::init(arguments.log_format, LevelFilter::INFO).map_err(|error| Failure::Usage(error.into()))?;
    let config = builder.config(&arguments.file)?;
    for warning in &config.warnings.first {
        let (file, line) = (warning.file.display(), warning.line);
        tracing::warn!(%file, line, help = warning.help, "{}", warning.message);
    }
    let runtime = tokio::runtime::Runtime::new()
        .context("no threads to run on")
        .map_err(Failure::Runtime)?;
    let stopped = runtime.block_on(builder.run_with(config, announce));
    match stopped.map_err(|error| Failure::Runtime(error.into()))? {
        Stopped::InOrder(_) => Ok(ExitCode::SUCCESS),
        Stopped::AtOnce(signal) => {
            tracing::warn!(%signal, "stopped at once");
            // The runtime would wait for what is still running.
            runtime.shutdown_background();
            Ok(ExitCode::from(signal.exit_code()))
        }
    }
}

/// The one line on stdout, for whoever waits for the node to be up.
fn announce(host: &RunningHost) {
    let mut stdout = std::io::stdout().lock();
    let line = writeln!(stdout, "ready node={} listen={}", host.node_name(), host.listen_addr());
    if let Err(error) = line.and_then(|()| stdout.flush()) {
        tracing::warn!(%error, "nobody reads stdout: the node is up all the same");
    }
}
