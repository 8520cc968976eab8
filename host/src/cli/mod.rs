//! The commands of `ractor-host`, and of every program that embeds it.
//!
//! Exit codes: 0 when all went well, 1 when something failed at run time, 2 for a wrong file or usage, 3 when an essential actor
//! was given up; `docs/running.md` has them all. Whatever happens to stdout and stderr changes none of them, but for results
//! that can't be written to stdout.

mod apply;
mod argument;
mod arguments;
mod bindgen;
mod capabilities;
mod check;
mod checkpoints;
mod client;
mod completions;
mod credentials;
mod deploy;
mod dev;
mod doctor;
mod drain;
mod entities;
mod events;
mod failure;
mod follow;
mod groups;
mod init;
mod inspect;
mod lasting;
mod links;
mod loglevel;
mod logs;
mod man;
mod message;
mod node_summary;
mod nodes;
mod operating;
mod output;
mod process;
mod progress;
mod project;
mod ps;
mod rollout;
mod run;
mod schema;
mod show;
mod signals;
mod signature;
mod spawn;
mod steer;
mod store;
mod survey;
mod table;
mod timeout;
mod top;
mod trace;
mod tree;
mod units;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

use crate::host::HostBuilder;
use crate::ops::telemetry;
use crate::supervision::SteerAction;
use arguments::{Arguments, Command};
use failure::Failure;

/// The whole program: parses the command line, does what it says, and reports what goes wrong on stderr. `builder` has
/// the native actors that a node.toml may name, and the interfaces that the program adds for guests.
pub fn main(builder: HostBuilder) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    // Also if something in here panics.
    let _flush = FlushOnDrop;
    let outcome = match arguments.command {
        Command::Run(arguments) => run::run(&arguments, builder),
        Command::Dev(arguments) => dev::dev(&arguments, builder),
        Command::Check(arguments) => check::check(&arguments, &builder),
        Command::Inspect(arguments) => inspect::inspect(&arguments, builder.interfaces()),
        Command::Call(arguments) => message::call(arguments, &builder),
        Command::Cast(arguments) => message::cast(arguments, &builder),
        Command::Describe(arguments) => message::describe(arguments, &builder),
        Command::Reload(arguments) => deploy::reload(&arguments, &builder),
        Command::Rollback(arguments) => deploy::rollback(&arguments, &builder),
        Command::Status(arguments) => deploy::status(&arguments, &builder),
        Command::Ps(arguments) => ps::ps(&arguments, &builder),
        Command::Tree(arguments) => tree::tree(&arguments, &builder),
        Command::Entities(arguments) => entities::entities(&arguments, &builder),
        Command::Groups(arguments) => groups::groups(&arguments, &builder),
        Command::Store(arguments) => store::store(&arguments, &builder),
        Command::Stop(arguments) => steer::steer(SteerAction::Stop, &arguments, &builder),
        Command::Start(arguments) => steer::steer(SteerAction::Start, &arguments, &builder),
        Command::Kill(arguments) => steer::steer(SteerAction::Kill, &arguments, &builder),
        Command::Restart(arguments) => steer::steer(SteerAction::Restart, &arguments, &builder),
        Command::Drain(arguments) => drain::drain(&arguments, &builder),
        Command::Loglevel(arguments) => loglevel::loglevel(&arguments, &builder),
        Command::Logs(arguments) => logs::logs(&arguments, &builder),
        Command::Nodes(arguments) => links::links(&arguments, &builder),
        Command::Node(arguments) => node_summary::node(&arguments, &builder),
        Command::Show(arguments) => show::show(&arguments, &builder),
        Command::Apply(arguments) => apply::apply(*arguments, &builder),
        Command::Schema => schema::schema(),
        Command::Trace(arguments) => trace::trace(&arguments, &builder),
        Command::Checkpoints(arguments) => checkpoints::checkpoints(&arguments, &builder),
        Command::Spawn(arguments) => spawn::spawn(&arguments, &builder),
        Command::Top(arguments) => top::top(&arguments, &builder),
        Command::Events(arguments) => events::events(&arguments, &builder),
        Command::Project(command) => project::project(command, &builder),
        Command::Init(arguments) => init::init(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments, &builder),
        Command::Completions(arguments) => completions::completions(&arguments),
        Command::Man(arguments) => man::man(&arguments),
    };
    outcome.unwrap_or_else(Failure::report)
}

/// Prints what is wrong with the command line, or the help or the version that was asked for.
fn explain(error: &clap::Error) -> ExitCode {
    let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::USAGE));
    match error.print() {
        Err(failed) if !error.use_stderr() && failed.kind() != ErrorKind::BrokenPipe => {
            Failure::runtime(format_args!("can't write to stdout: {failed}")).report()
        }
        // If the terminal is gone, there is nobody to tell.
        _ => code,
    }
}

/// Lets what was said last leave the process.
struct FlushOnDrop;

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        telemetry::flush();
    }
}
