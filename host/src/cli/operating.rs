//! The command line of what steers a node and reads its log.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::arguments::{ControlArguments, OutputFormat};
use super::lasting::PatienceArguments;
use super::timeout::parse_timeout;
use crate::control::{LogLevel, Target};

pub(super) const STOP_EXAMPLES: &str = "\
Examples:
  ractor-host stop counter
  ractor-host stop counter@alpha --node 127.0.0.1:4697 --all-nodes --cookie-file cookie --key-file operate.key
  ractor-host stop group:counters --all";

pub(super) const START_EXAMPLE: &str = "\
Example:
  ractor-host start counter";

pub(super) const KILL_EXAMPLE: &str = "\
Example:
  ractor-host kill counter";

pub(super) const RESTART_EXAMPLE: &str = "\
Example:
  ractor-host restart counter --output json";

pub(super) const DRAIN_EXAMPLES: &str = "\
Examples:
  ractor-host drain --wait
  ractor-host drain --node 127.0.0.1:4697 --cookie-file cookie --key-file operate.key";

pub(super) const LOGLEVEL_EXAMPLES: &str = "\
Examples:
  ractor-host loglevel
  ractor-host loglevel info,ractor_host::node=debug --for 10m
  ractor-host loglevel trace --actor counter
  ractor-host loglevel --reset";

pub(super) const LOGS_EXAMPLES: &str = "\
Examples:
  ractor-host logs
  ractor-host logs --follow counter
  ractor-host logs group:counters --level warn --lines 20 --output json";

#[derive(Debug, Args)]
pub(super) struct SteerArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// Who is meant: an actor's name, `NAME@NODE`, `group:NAME` or `pid:N`.
    pub(super) target: Target,
    /// If several are meant, all of them: the members of a group, or the actors of that name on all nodes that are asked.
    #[arg(long)]
    pub(super) all: bool,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(super) struct DrainArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// Wait until the node is down. Of several nodes, each one leaves when the one before it is down.
    #[arg(long)]
    pub(super) wait: bool,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(super) struct LoglevelArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// What to log: a level, or filters as in RUST_LOG. Without it, what is logged is shown.
    #[arg(value_name = "DIRECTIVE")]
    pub(super) directive: Option<String>,
    /// Change the level for this actor only. DIRECTIVE must then be a level, such as `debug`.
    #[arg(long, value_name = "NAME")]
    pub(super) actor: Option<String>,
    /// Restore the level the node started with; with --actor, remove the actor's own level.
    #[arg(long, conflicts_with = "directive")]
    pub(super) reset: bool,
    /// For this time only: 30s, 10m. Then it is what it was before.
    #[arg(long = "for", value_name = "TIME", value_parser = parse_timeout)]
    pub(super) passing: Option<Duration>,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(super) struct LogsArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// Lines about this actor alone: its name, `NAME@NODE`, `group:NAME` or `pid:N`.
    pub(super) target: Option<Target>,
    /// Go on with the lines to come, until the command is interrupted or the node is gone for good.
    #[arg(long, short = 'F')]
    pub(super) follow: bool,
    #[command(flatten)]
    pub(super) patience: PatienceArguments,
    /// How many of the last lines to show.
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 100)]
    pub(super) lines: usize,
    /// Show only lines of this level or a more severe one.
    #[arg(long, value_enum)]
    pub(super) level: Option<LineLevel>,
    /// The format of the output. In JSON, each line is an object.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

/// How important a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LineLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LineLevel> for LogLevel {
    fn from(level: LineLevel) -> Self {
        match level {
            LineLevel::Error => Self::Error,
            LineLevel::Warn => Self::Warn,
            LineLevel::Info => Self::Info,
            LineLevel::Debug => Self::Debug,
            LineLevel::Trace => Self::Trace,
        }
    }
}
