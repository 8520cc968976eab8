//! `bindgen`: typed clients of an actor, from what it says of itself.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use ractor_host_project::{Audience, Interface, Language};

use super::arguments::{NodeArguments, OptionalCookieArguments, TlsArguments};
use super::failure::Failure;
use super::project::language;
use super::signature::contract_json;
use super::timeout::parse_timeout;
use super::{inspect, message, output};
use crate::config::PeerAddress;
use crate::guest::Contract;
use crate::host::HostBuilder;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host bindgen --lang python counter.wasm --output src/counter.py
  ractor-host bindgen --lang go -f node.toml counter
  ractor-host bindgen --lang ts --node 127.0.0.1:4697 --cookie-file cookie counter
  ractor-host bindgen --lang rust --native --node 127.0.0.1:4697 --cookie-file cookie group:counters";

#[derive(Debug, Args)]
pub(super) struct BindgenArguments {
    /// The language of the client.
    #[arg(long, value_name = "LANG", value_parser = language())]
    lang: Language,
    /// A component (.wasm) or, with --config or --node, an actor: its name, `group:NAME` for a member of a process group, or `pid:N`.
    #[arg(value_name = "X")]
    subject: String,
    /// In Rust: for native actors, with the derive of ractor_cluster, and not for guests.
    #[arg(long)]
    native: bool,
    /// The file to write. Without it, the client goes to stdout.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The node.toml of a node on this machine that has the actor.
    #[arg(short = 'f', long, value_name = "NODE.TOML", conflicts_with = "node")]
    config: Option<PathBuf>,
    /// The address of a node that has the actor.
    #[arg(long, value_name = "HOST:PORT")]
    node: Option<PeerAddress>,
    /// The file with the cookie of the cluster.
    #[arg(long, value_name = "FILE", requires = "node", conflicts_with = "cookie_env")]
    cookie_file: Option<PathBuf>,
    /// The environment variable with the cookie of the cluster.
    #[arg(long, value_name = "VARIABLE", requires = "node")]
    cookie_env: Option<String>,
    #[command(flatten)]
    tls: TlsArguments,
    /// How long the node may take to answer: 500ms, 5s, 2m.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_timeout)]
    timeout: Duration,
}

pub(super) fn bindgen(arguments: BindgenArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let (lang, file) = (arguments.lang, arguments.output.clone());
    let audience = if arguments.native {
        Audience::Natives
    } else {
        Audience::Guests
    };
    let contract = contract(arguments, builder)?;
    if contract.messages.is_empty() {
        return Err(Failure::runtime(format_args!(
            "{} does not say which messages it takes, so there is nothing to make a client of",
            contract.name
        )));
    }
    let interface: Interface = serde_json::from_value(contract_json(&contract)).map_err(Failure::runtime)?;
    let client = ractor_host_project::bindgen(&interface, lang, audience)?;
    match file {
        None => output::write(|out| out.write_all(client.as_bytes()))?,
        Some(file) => std::fs::write(&file, client)
            .map_err(|error| Failure::runtime(format_args!("cannot write {}: {error}", file.display())))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn contract(arguments: BindgenArguments, builder: &HostBuilder) -> Result<Contract, Failure> {
    let BindgenArguments {
        subject,
        config,
        node,
        cookie_file,
        cookie_env,
        tls,
        timeout,
        ..
    } = arguments;
    if config.is_none() && node.is_none() {
        return inspect::contract_of(Path::new(&subject), builder.interfaces());
    }
    let node = NodeArguments {
        config,
        node: node.into_iter().collect(),
        cookie: OptionalCookieArguments {
            cookie_file,
            cookie_env,
        },
        tls,
        timeout,
    };
    message::contract_of(&node, subject.parse().map_err(Failure::usage)?, builder)
}
