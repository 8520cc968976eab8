//! The commands of this workspace: `cargo xtask demo`, `cargo xtask test`, `cargo xtask fuzz`, `cargo xtask mutants`,
//! `cargo xtask package`, `cargo xtask bench`, and what these need installed and built.
//!
//! Each command says what it does while it works (`==> …`), and ends with a reason if it fails.

mod bench;
mod demo;
mod deny;
mod fuzz;
mod guests;
mod languages;
mod mutants;
mod package;
mod process;
mod programs;
mod report;
mod span;
mod target;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::span::Span;
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
        /// Only the tests that find more the longer they run: each for an hour, or for this long
        #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "1h", conflicts_with = "quick")]
        long: Option<Span>,
    },
    /// Try mutations of the inputs in fuzz/corpus, without a fuzzer
    Fuzz(fuzz::Options),
    /// Change the code in small ways, and list the changes that no test notices
    Mutants(mutants::Options),
    /// Make the packages that would be published, and build each from its archive
    Package,
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
        Task::Test { long: Some(span), .. } => test::run_long(&workspace, *span),
        Task::Test { quick, long: None } => test::run(&workspace, *quick),
        Task::Fuzz(options) => fuzz::run(&workspace, options),
        Task::Mutants(options) => mutants::run(&workspace, options),
        Task::Package => package::run(&workspace),
        Task::Bench(options) => bench::run(&workspace, options),
        Task::SetupTarget => target::set_up(&workspace),
        Task::BuildGuests => guests::build_all(&workspace).map(drop),
    }
}
