//! `run`: the node, until a signal.

use std::process::ExitCode;

use super::arguments::RunArguments;
use super::failure::Failure;
use super::process::Process;
use crate::host::{HostBuilder, HostError, RunningHost, Stopped};
use crate::ops::console;

pub(super) fn run(arguments: &RunArguments, builder: HostBuilder) -> Result<ExitCode, Failure> {
    let process = Process::of_node(arguments.log_format)?;
    let config = builder.config_with(&arguments.config.file, &arguments.config.options())?;
    for warning in &config.warnings.first {
        let (file, line) = (warning.file.display(), warning.line);
        tracing::warn!(%file, line, help = warning.help, "{}", warning.message);
    }
    exit_code(process.complete(builder.run_with(config, announce)))
}

/// What the process ends with when its node has ended.
pub(super) fn exit_code(stopped: Result<Stopped, HostError>) -> Result<ExitCode, Failure> {
    match stopped {
        Ok(Stopped::InOrder(_)) => Ok(ExitCode::SUCCESS),
        Ok(Stopped::OnRequest(unkept)) if unkept.is_empty() => Ok(ExitCode::SUCCESS),
        // The log says which.
        Ok(Stopped::Unkept(..) | Stopped::OnRequest(_)) => Ok(ExitCode::FAILURE),
        Ok(Stopped::AtOnce(signal)) => {
            tracing::warn!(%signal, "stopped at once");
            Ok(ExitCode::from(signal.exit_code()))
        }
        Err(error @ HostError::GivenUp(_)) => Err(Failure::GivenUp(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// The one line on stdout, for a program that waits for the node to be up.
pub(super) fn announce(host: &RunningHost) {
    let (name, address) = (host.node_name(), host.listen_addr());
    let admin = host.admin_url().map_or_else(String::new, |url| format!(" admin={url}"));
    console::print(format_args!("ready node={name} listen={address}{admin}"));
}
