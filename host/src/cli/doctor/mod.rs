//! `doctor`: what is wrong with this machine, a node.toml or a running node, and how to mend it. Looks, and changes nothing.

mod certificates;
mod disk;
mod file;
mod finding;
mod machine;
mod network;
mod node;
mod store;
mod tools;

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tracing_subscriber::filter::LevelFilter;

use self::finding::{Finding, Report};
use super::arguments::{ControlArguments, OutputFormat};
use super::failure::Failure;
use super::nodes::{self, NODE_TOML, NodeAccess};
use super::process::Process;
use crate::config::NodeConfig;
use crate::host::{HostBuilder, local_sockets};

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host doctor
  ractor-host doctor -f /etc/ractor-host/node.toml --output json
  ractor-host doctor --node 127.0.0.1:4697 --all-nodes --cookie-file cookie --key-file observe.key
  ractor-host doctor --dev";

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    #[command(flatten)]
    control: ControlArguments,
    /// Also check for the tools needed to build guests.
    #[arg(long)]
    dev: bool,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// Whether the node that a file describes runs on this machine now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Running,
    Down,
}

pub(super) fn doctor(arguments: &DoctorArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let process = Process::of_command(LevelFilter::OFF)?;
    // Options that lead nowhere are found out before anything is looked at.
    let file = file(arguments)?;
    let remote = arguments.control.node.first().filter(|_| file.is_none());
    let access = remote
        .map(|_| NodeAccess::new(&arguments.control, builder))
        .transpose()?;
    let findings = process.complete(async {
        let mut findings = Vec::new();
        match &access {
            // What is wrong with this machine is nothing to a node elsewhere.
            Some(access) => findings.extend(ask(access, &arguments.control).await),
            None => {
                findings.extend(machine::examine());
                if let Some(file) = &file {
                    findings.extend(examine_file(file, arguments, builder).await);
                }
            }
        }
        if arguments.dev {
            findings.extend(tools::examine());
        }
        findings
    });
    Report::of(findings).print(arguments.output)
}

/// The node.toml that is meant, if one is.
fn file(arguments: &DoctorArguments) -> Result<Option<PathBuf>, Failure> {
    let control = &arguments.control;
    if let Some(file) = &control.config {
        return match file.symlink_metadata() {
            Ok(_) => Ok(Some(file.clone())),
            Err(error) => Err(Failure::usage(format_args!("{}: {error}", file.display()))),
        };
    }
    let here = Path::new(NODE_TOML);
    Ok((control.node.is_empty() && here.exists()).then(|| here.to_owned()))
}

async fn examine_file(file: &Path, arguments: &DoctorArguments, builder: &HostBuilder) -> Vec<Finding> {
    let config = match builder.config(file) {
        Ok(config) => config,
        Err(error) => {
            let mistakes = Finding::fail("file", file.display(), error.to_string());
            return vec![mistakes.mend("correct it where the marks are; `ractor-host check` says when it is good")];
        }
    };
    let life = life(&config);
    let mut findings = file::examine(&config, builder).await;
    findings.extend(disk::examine(&config));
    findings.extend(certificates::examine(&config));
    findings.extend(network::examine(&config, life).await);
    findings.extend(store::examine(&config, life).await);
    match life {
        Life::Down => findings.push(Finding::ok(
            "node",
            config.node.full_name(),
            "it does not run on this machine now, so there was nothing to ask it",
        )),
        Life::Running => match NodeAccess::new(&as_local(arguments, file), builder) {
            Ok(access) => findings.extend(ask(&access, &arguments.control).await),
            Err(error) => findings.push(Finding::fail("node", config.node.full_name(), error.text())),
        },
    }
    findings
}

/// The same options, for the node of this file.
fn as_local(arguments: &DoctorArguments, file: &Path) -> ControlArguments {
    ControlArguments {
        config: Some(file.to_owned()),
        ..arguments.control.clone()
    }
}

/// Asks all nodes at the same time.
async fn ask(access: &NodeAccess, control: &ControlArguments) -> Vec<Finding> {
    let connected = nodes::connect_each(access, control).await;
    let examined = connected.into_iter().map(async |node| match node {
        Ok(mut node) => node::examine(&mut node).await,
        Err(error) => {
            vec![Finding::fail("node", "a node", format!("{error:#}")).because("it could not be asked how it is")]
        }
    });
    futures_util::future::join_all(examined)
        .await
        .into_iter()
        .flatten()
        .collect()
}

fn life(config: &NodeConfig) -> Life {
    let is_there = |path: &PathBuf| UnixStream::connect(path).is_ok();
    if local_sockets(config).iter().any(is_there) {
        Life::Running
    } else {
        Life::Down
    }
}
