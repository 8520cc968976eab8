//! `cargo xtask fuzz`: what the fuzz targets check, on mutations of their corpora, with the stable compiler.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use clap::Args;

use crate::report;
use crate::span::Span;
use crate::workspace::Workspace;

/// Where the tests read how long they try mutations, in seconds.
const SECONDS_VARIABLE: &str = "RACTOR_FUZZ_SECONDS";
/// Where they read the number that their choices begin with.
const SEED_VARIABLE: &str = "RACTOR_FUZZ_SEED";
/// The most targets that there are: each may have to wait for all others.
const MOST_TARGETS: u64 = 16;

/// What is run, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Only tests with this in their name, such as `node_toml` or `disk`
    #[arg(value_name = "PATTERN")]
    only: Option<String>,
    /// For how long each target is run: `90s`, `15m`, `8h`. As many run at once as there are processors
    #[arg(long = "for", value_name = "TIME", default_value = "1m")]
    length: Span,
    /// Where the choices begin; another number each time unless it is given
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs them.
///
/// # Errors
/// An input broke a rule. It is kept in `fuzz/artifacts`.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let by_clock = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs()
    };
    let seed = options.seed.unwrap_or_else(by_clock);
    let pattern = options.only.as_deref().unwrap_or_default();
    report::step(&format!(
        "fuzzing without a fuzzer, {} s each, seed {seed}",
        options.length.seconds()
    ));
    workspace
        .cargo(["test", "--package", "ractor-host", "--lib", "--no-fail-fast"])
        .args(["--", &format!("fuzzing::tests::{pattern}"), "--nocapture"])
        .env(SECONDS_VARIABLE, options.length.seconds().to_string())
        .env(SEED_VARIABLE, seed.to_string())
        .limit_minutes(options.length.limit_minutes() * MOST_TARGETS)
        .show()
}
