//! The commands of `ractor-host`, and of every program that embeds it.
//!
//! Exit codes: 0 when all went well, 1 when something failed at run time, 2 for a wrong file or usage.

mod argument;
mod arguments;
mod capabilities;
mod check;
mod client;
mod deploy;
mod dev;
mod failure;
mod inspect;
mod message;
mod nodes;
mod rollout;
mod run;
mod signature;
mod target;
mod timeout;
mod typed;

use std::process::ExitCode;

use clap::Parser;

use crate::host::HostBuilder;
use arguments::{Arguments, Command};
use failure::Failure;

/// The whole program: parses the command line, does what it says, and reports what goes wrong on stderr. `builder` has
/// the native actors that a node.toml may name.
pub fn main(builder: HostBuilder) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too. If the terminal is gone, there is nobody to tell.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::USAGE));
        }
    };
    let outcome = match arguments.command {
        Command::Run(arguments) => run::run(&arguments, builder),
        Command::Dev(arguments) => dev::dev(&arguments, builder),
        Command::Check(arguments) => check::check(&arguments, &builder),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        Command::Call(arguments) => message::call(arguments),
        Command::Cast(arguments) => message::cast(arguments),
        Command::Describe(arguments) => message::describe(arguments),
        Command::Reload(arguments) => deploy::reload(&arguments),
        Command::Rollback(arguments) => deploy::rollback(&arguments),
        Command::Status(arguments) => deploy::status(&arguments),
    };
    outcome.unwrap_or_else(Failure::report)
}
