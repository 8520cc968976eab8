//! `run`: the node, until a signal.

use std::io::Write;
use std::process::ExitCode;

use tracing_subscriber::filter::LevelFilter;

use super::arguments::RunArguments;
use super::failure::Failure;
use crate::host::{HostBuilder, RunningHost, Stopped};
use crate::ops::telemetry;

pub(super) fn run(arguments: &RunArguments, builder: HostBuilder) -> Result<ExitCode, Failure> {
    telemetry::init(arguments.log_format, LevelFilter::INFO).map_err(Failure::usage)?;
    let config = builder.config(&arguments.file)?;
    for warning in &config.warnings.first {
        let (file, line) = (warning.file.display(), warning.line);
        tracing::warn!(%file, line, help = warning.help, "{}", warning.message);
    }
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::runtime)?;
    let stopped = runtime.block_on(builder.run_with(config, announce));
    // What still runs, such as a compilation that nobody needs any more, is not waited for.
    runtime.shutdown_background();
    match stopped.map_err(Failure::runtime)? {
        Stopped::InOrder(_) => Ok(ExitCode::SUCCESS),
        // The log says which.
        Stopped::Unkept(..) => Ok(ExitCode::FAILURE),
        Stopped::AtOnce(signal) => {
            tracing::warn!(%signal, "stopped at once");
            Ok(ExitCode::from(signal.exit_code()))
        }
    }
}

/// The one line on stdout, for whoever waits for the node to be up.
pub(super) fn announce(host: &RunningHost) {
    let mut stdout = std::io::stdout().lock();
    let line = writeln!(stdout, "ready node={} listen={}", host.node_name(), host.listen_addr());
    if let Err(error) = line.and_then(|()| stdout.flush()) {
        tracing::warn!(%error, "nobody reads stdout: the node is up all the same");
    }
}
