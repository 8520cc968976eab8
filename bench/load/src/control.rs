//! The lines on stdin by which a program is driven, and the answers on stdout: `ok JSON` or `err TEXT`, one for each.
//!
//! | line | what it does |
//! |---|---|
//! | `casts SIZE WINDOW MS` | casts of SIZE bytes |
//! | `calls IN_FLIGHT TIMEOUT_MS MS` | calls; a timeout of 0 is none |
//! | `mixed RATE MS` | calls while casts flow |
//! | `usage` | what the process has used |
//!
//! Everything else is for the program itself.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::report::Report;
use crate::usage::Usage;
use crate::{Target, loads};

/// What a load may take beyond its own time before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// One program of the benchmark.
pub trait Node {
    /// What its loads are sent to.
    type Target: Target;

    /// The actor that counts.
    ///
    /// # Errors
    /// There is no link to one.
    fn sink(&self) -> anyhow::Result<Self::Target>;

    /// The actor that answers calls while the other one counts.
    ///
    /// # Errors
    /// There is no link to one.
    fn callee(&self) -> anyhow::Result<Self::Target>;

    /// Does what only this program knows to do.
    ///
    /// # Errors
    /// It doesn't know it, or fails.
    fn own(&mut self, words: &[&str]) -> impl Future<Output = anyhow::Result<Value>>;
}

/// Does what stdin says until it ends.
///
/// # Errors
/// stdin can't be read or stdout not written.
pub async fn serve<N: Node>(mut node: N) -> anyhow::Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split_whitespace().collect();
        match run(&mut node, &words).await {
            Ok(value) => say(&format!("ok {value}"))?,
            Err(error) => say(&format!("err {}", format!("{error:#}").replace('\n', " ")))?,
        }
    }
    Ok(())
}

/// Prints one line.
///
/// # Errors
/// Nobody reads it.
pub fn say(line: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

async fn run<N: Node>(node: &mut N, words: &[&str]) -> anyhow::Result<Value> {
    match words {
        ["usage"] => json(&Usage::now()),
        ["casts", size, window, ms] => {
            let size = usize::try_from(number(size)?)?;
            measured(loads::casts(node.sink()?, size, number(window)?, millis(ms)?)).await
        }
        ["calls", in_flight, timeout, ms] => {
            let timeout = Some(millis(timeout)?).filter(|timeout| !timeout.is_zero());
            let in_flight = usize::try_from(number(in_flight)?)?;
            measured(loads::calls(node.sink()?, in_flight, timeout, millis(ms)?)).await
        }
        ["mixed", rate, ms] => measured(loads::mixed(node.sink()?, node.callee()?, number(rate)?, millis(ms)?)).await,
        words => node.own(words).await,
    }
}

/// Runs a load on the threads that actors run on.
async fn measured(load: impl Future<Output = anyhow::Result<Report>> + Send + 'static) -> anyhow::Result<Value> {
    match tokio::time::timeout(PATIENCE, tokio::spawn(load)).await {
        Ok(report) => json(&report??),
        Err(_) => bail!("did not end within {} s", PATIENCE.as_secs()),
    }
}

fn json(value: &impl Serialize) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(value)?)
}

/// A number of the line.
///
/// # Errors
/// It isn't one.
pub fn number(text: &str) -> anyhow::Result<u64> {
    text.parse().with_context(|| format!("{text:?} is not a number"))
}

/// The word of the line at this place.
///
/// # Errors
/// The line has fewer.
pub fn word<'a>(words: &[&'a str], at: usize) -> anyhow::Result<&'a str> {
    words.get(at).copied().with_context(|| format!("word {at} is missing"))
}

fn millis(text: &str) -> anyhow::Result<Duration> {
    Ok(Duration::from_millis(number(text)?))
}
