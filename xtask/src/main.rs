//! The commands of this workspace: `cargo xtask demo`, `cargo xtask test`, `cargo xtask fuzz`, `cargo xtask mutants`,
//! `cargo xtask package`, `cargo xtask bench`, and what these need installed and built.
//!
//! Each command says what it does while it works (`==> …`), and ends with a reason if it fails.

mod bench;
mod browser;
mod debian;
mod demo;
mod deny;
mod faketime;
mod fuzz;
mod guests;
mod languages;
mod long;
mod mutants;
mod package;
mod postgres;
mod process;
mod programs;
mod report;
mod span;
mod suites;
mod target;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::demo::Afterwards;
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
    Demo {
        /// What is shown
        #[arg(default_value = "counters")]
        which: demo::Demo,
        /// Let the nodes run on until Ctrl-C, and say where their dashboards are
        #[arg(long)]
        stay: bool,
    },
    /// Check everything: formatting, lints, every test, dependencies. What `.ci/run` runs
    Test {
        /// Leave out formatting, lints, instruction counts and the dependency policy
        #[arg(long)]
        quick: bool,
        /// Only what takes hours: all of it, or the parts that are named, one after the other within an hour, or within this long.
        /// The parts: builds, package, millions, broken, soak, histories, linearizability, simulation, interleavings, fuzz, mutants
        #[arg(long, value_name = "TIME|PART", num_args = 0.., conflicts_with = "quick")]
        long: Option<Vec<long::Word>>,
        /// Run nothing, and say which of the long tests were run last, when, and how that ended
        #[arg(long, requires = "long")]
        show: bool,
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
    /// Get the browser that the dashboard is tested in, and say how `cargo test` finds it
    SetupBrowser,
    /// Get the PostgreSQL that the store of clusters is tested with, and say how `cargo test` finds it
    SetupPostgres,
    /// Compile the guests of this workspace to WebAssembly components
    BuildGuests,
    /// Test the SDKs of other languages natively, which is part of `test`
    TestSdks,
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
        Task::Demo { which, stay } => {
            let afterwards = if *stay { Afterwards::Stay } else { Afterwards::Stop };
            demo::run(&workspace, *which, afterwards)
        }
        Task::Test { show: true, .. } => {
            long::show(&workspace);
            Ok(())
        }
        Task::Test { long: Some(words), .. } => long::run(&workspace, words),
        Task::Test { quick, .. } => test::run(&workspace, *quick),
        Task::Fuzz(options) => fuzz::run(&workspace, options),
        Task::Mutants(options) => mutants::run(&workspace, options),
        Task::Package => package::run(&workspace),
        Task::Bench(options) => bench::run(&workspace, options),
        Task::SetupTarget => target::set_up(&workspace),
        Task::SetupBrowser => browser::set_up(&workspace),
        Task::SetupPostgres => postgres::set_up(&workspace),
        Task::BuildGuests => guests::build_all(&workspace).map(drop),
        Task::TestSdks => languages::test_sdks(&workspace),
    }
}
