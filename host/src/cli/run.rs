//! `run`: the node, until a signal.

use std::process::ExitCode;

use tokio::runtime::Runtime;
use tracing_subscriber::filter::LevelFilter;

use super::arguments::RunArguments;
use super::check::options;
use super::failure::Failure;
use crate::host::{HostBuilder, HostError, RunningHost, Stopped, survive_file_size_limit};
use crate::ops::{console, telemetry};

pub(super) fn run(arguments: &RunArguments, builder: HostBuilder) -> Result<ExitCode, Failure> {
    let runtime = begin(arguments)?;
    let config = builder.config_with(&arguments.file, &options(&arguments.set))?;
    for warning in &config.warnings.first {
        let (file, line) = (warning.file.display(), warning.line);
        tracing::warn!(%file, line, help = warning.help, "{}", warning.message);
    }
    let stopped = runtime.block_on(builder.run_with(config, announce));
    // What still runs, such as a compilation that nobody needs any more, is not waited for.
    runtime.shutdown_background();
    exit_code(stopped)
}

/// What a node needs before it says a word: the first line of a log may be the one that is too much for its file.
pub(super) fn begin(arguments: &RunArguments) -> Result<Runtime, Failure> {
    let runtime = Runtime::new().map_err(Failure::runtime)?;
    runtime
        .block_on(async { survive_file_size_limit() })
        .map_err(Failure::runtime)?;
    telemetry::init(arguments.log_format, LevelFilter::INFO).map_err(Failure::usage)?;
    Ok(runtime)
}

/// What the process ends with when its node has ended.
pub(super) fn exit_code(stopped: Result<Stopped, HostError>) -> Result<ExitCode, Failure> {
    match stopped {
        Ok(Stopped::InOrder(_)) => Ok(ExitCode::SUCCESS),
        // The log says which.
        Ok(Stopped::Unkept(..)) => Ok(ExitCode::FAILURE),
        Ok(Stopped::AtOnce(signal)) => {
            tracing::warn!(%signal, "stopped at once");
            Ok(ExitCode::from(signal.exit_code()))
        }
        Err(error @ HostError::GivenUp(_)) => Err(Failure::GivenUp(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// The one line on stdout, for whoever waits for the node to be up.
pub(super) fn announce(host: &RunningHost) {
    let (name, address) = (host.node_name(), host.listen_addr());
    console::print(format_args!("ready node={name} listen={address}"));
}
