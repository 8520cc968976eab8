//! The commands of this workspace: `cargo xtask demo`, `cargo xtask test`, `cargo xtask bench`, and what these need installed and built.
//!
//! Each command says what it does while it works (`==> …`), and ends with a reason if it fails.

mod bench;
mod demo;
mod deny;
mod guests;
mod languages;
mod process;
mod programs;
mod report;
mod target;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// The commands of this workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build two nodes, start them, and let native and WebAssembly actors call each other
    Demo,
    /// Check everything: formatting, lints, every test, dependencies. What `.ci/run` runs
    Test {
        /// Leave out formatting, lints, instruction counts and the dependency policy
        #[arg(long)]
        quick: bool,
    },
    /// Measure: this node beside the published ractor_cluster and the floor of the machine
    Bench(bench::Options),
    /// Make rustc's wasm32-wasip2 target available, which guests are compiled to
    SetupTarget,
    /// Compile the guests of this workspace to WebAssembly components
    BuildGuests,
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    process::stop_on_signals()?;
    let workspace = Workspace::find()?;
    match task {
        Task::Demo => demo::run(&workspace),
        Task::Test { quick } => test::run(&workspace, *quick),
        Task::Bench(options) => bench::run(&workspace, options),
        Task::SetupTarget => target::set_up(&workspace),
        Task::BuildGuests => guests::build_all(&workspace).map(drop),
    }
}
