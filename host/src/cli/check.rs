//! `check`: is this node.toml good?

use std::io::Write;
use std::process::ExitCode;

use tracing_subscriber::filter::LevelFilter;

use super::arguments::CheckArguments;
use super::capabilities::write_grants;
use super::failure::Failure;
use super::output;
use super::process::Process;
use crate::config::{AdminSection, Code, NodeConfig};
use crate::guest::Modules;
use crate::host::HostBuilder;
use crate::ops::console;
use crate::tls::ClientAuth;

pub(super) fn check(arguments: &CheckArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let process = Process::of_command(LevelFilter::WARN)?;
    let config = builder.config_with(&arguments.config.file, &arguments.config.options())?;
    if !config.warnings.first.is_empty() {
        console::eprint(format_args!("{}\n", config.warnings));
    }
    let modules = process.complete(output::explained(
        builder.check(&config),
        format_args!("the modules of {}", config.file.display()),
    ))?;
    output::write(|out| report(out, &config, &modules))?;
    Ok(ExitCode::SUCCESS)
}

/// What was found, and what that was checked for.
fn report(out: &mut impl Write, config: &NodeConfig, modules: &Modules) -> std::io::Result<()> {
    writeln!(out, "{} is good", config.file.display())?;
    writeln!(
        out,
        "  node {}, would listen on {}",
        config.node.full_name(),
        config.node.listen
    )?;
    match &config.node.tls {
        None => writeln!(out, "  without TLS")?,
        Some(tls) if tls.client_auth == ClientAuth::Required => {
            writeln!(out, "  with TLS, and a certificate is required of those who connect")?;
        }
        Some(_) => writeln!(out, "  with TLS")?,
    }
    if let Some(admin) = &config.admin {
        write_admin(out, admin)?;
    }
    for peer in &config.node.peers {
        writeln!(out, "  peer {peer}, not dialled")?;
    }
    if let Some(cluster) = &config.cluster {
        let (address, advertise) = (&cluster.address, &cluster.advertise);
        writeln!(
            out,
            "  store {address}, not asked; others would reach this node at {advertise}"
        )?;
    }
    for source in &config.modules {
        if let Some(module) = modules.find(&source.name) {
            let pinned = if source.digest.is_some() {
                "as pinned"
            } else {
                "not pinned"
            };
            let (name, path) = (&source.name, source.path.display());
            writeln!(
                out,
                "  module `{name}` ({path}) compiles and is an actor; {} ({pinned})",
                module.digest()
            )?;
        }
    }
    for actor in &config.actors {
        write!(out, "  actor `{}` of {}", actor.name, actor.code)?;
        if actor.count > 1 {
            write!(out, ", {} of them", actor.count)?;
        }
        if !actor.groups.is_empty() {
            write!(out, ", in the groups {}", actor.groups.join(", "))?;
        }
        writeln!(out)?;
        if let Code::Module(_) = actor.code {
            write_grants(out, &actor.grants)?;
        }
    }
    Ok(())
}

/// Where the admin HTTP would be, and who could do what there.
fn write_admin(out: &mut impl Write, admin: &AdminSection) -> std::io::Result<()> {
    let scheme = if admin.tls.is_some() { "https" } else { "http" };
    writeln!(out, "  admin HTTP, would listen on {scheme}://{}", admin.listen)?;
    if let Some(role) = admin.anonymous() {
        writeln!(out, "    whoever is on this machine may {role}")?;
    }
    for entry in &admin.tokens {
        writeln!(out, "    a token is known by which one may {}", entry.role)?;
    }
    if let Some(role) = admin.tls.as_ref().and_then(|tls| tls.client_role) {
        writeln!(out, "    a certificate is required, by which one may {role}")?;
    }
    for peer in &admin.required_peers {
        writeln!(out, "    ready with a session with {peer} only")?;
    }
    Ok(())
}
