//! `loglevel`: what nodes log.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;
use tracing_subscriber::filter::LevelFilter;

use super::failure::Failure;
use super::operating::LoglevelArguments;
use super::output::{self, printable};
use super::survey::survey;
use crate::config::did_you_mean;
use crate::control::{ActorLevel, Answer, LevelChange, LogLevels, Request};
use crate::host::HostBuilder;

/// What one node logs.
#[derive(Debug, Serialize)]
struct NodeLogLevels {
    node: String,
    #[serde(flatten)]
    levels: LogLevels,
}

pub(super) fn loglevel(arguments: &LoglevelArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    let request = Request::LogLevels {
        change: change(arguments)?,
        seconds: arguments.passing.map(|time| time.as_secs().max(1)),
    };
    let asked = survey(&arguments.control, builder, async |node| {
        let Answer::LogLevels(levels) = node.ask(&request).await? else {
            anyhow::bail!("{} did not say what it logs", node.name);
        };
        Ok(NodeLogLevels {
            node: node.name.clone(),
            levels,
        })
    })?;
    asked.report(arguments.output, |out, all| {
        all.iter().try_for_each(|of| write(out, of))
    })
}

fn change(arguments: &LoglevelArguments) -> Result<Option<LevelChange>, Failure> {
    let (actor, directive) = (arguments.actor.clone(), arguments.directive.clone());
    Ok(match (actor, directive) {
        (None, None) if arguments.reset => Some(LevelChange::Reset),
        (None, None) => None,
        (None, Some(directive)) => {
            check_words(&directive)?;
            Some(LevelChange::All { directive })
        }
        (Some(actor), None) if arguments.reset => Some(LevelChange::Actor { actor, level: None }),
        (Some(_), None) => {
            return Err(Failure::usage(
                "say which level the actor is to have, such as `ractor-host loglevel debug --actor counter`, or `--reset`",
            ));
        }
        (Some(actor), Some(directive)) => {
            let level = level(&directive).ok_or_else(|| {
                Failure::usage(format_args!(
                    "{directive:?} is no level; an actor has one of off, error, warn, info, debug and trace"
                ))
            })?;
            let level = Some(level);
            Some(LevelChange::Actor { actor, level })
        }
    })
}

/// A word that is no level stands for the part of the program of that name: all of it is logged then, and nothing else. Few mean that.
fn check_words(directive: &str) -> Result<(), Failure> {
    let is_level = |part: &str| part.parse::<LevelFilter>().is_ok();
    let mut parts = directive.split(',').map(str::trim);
    for part in parts.clone().filter(|part| !is_level(part)) {
        if let Some(question) = did_you_mean(part, LEVELS.map(|(name, _)| name)) {
            return Err(Failure::usage(format_args!("`{part}` is no level; {question}")));
        }
    }
    if !parts.any(is_level) {
        output::note(format_args!(
            "nothing is logged any more of what this does not name; `info,{directive}` keeps that"
        ));
    }
    Ok(())
}

const LEVELS: [(&str, ActorLevel); 6] = [
    ("off", ActorLevel::Off),
    ("error", ActorLevel::Error),
    ("warn", ActorLevel::Warn),
    ("info", ActorLevel::Info),
    ("debug", ActorLevel::Debug),
    ("trace", ActorLevel::Trace),
];

fn level(text: &str) -> Option<ActorLevel> {
    let level = LEVELS.iter().find(|(name, _)| *name == text);
    level.map(|(_, level)| *level)
}

fn write(out: &mut impl Write, NodeLogLevels { node, levels }: &NodeLogLevels) -> io::Result<()> {
    let directive = printable(&levels.directive);
    write!(out, "{} logs {directive}", printable(node))?;
    for (actor, level) in &levels.actors {
        let level = LEVELS
            .iter()
            .find(|(_, known)| known == level)
            .map_or("", |(name, _)| *name);
        write!(out, ", of the actor {} {level}", printable(actor))?;
    }
    if let Some(seconds) = levels.seconds_left {
        write!(out, ", for {seconds} seconds more")?;
    }
    if levels.directive != levels.at_start {
        write!(out, "; it was {} at the start", printable(&levels.at_start))?;
    }
    writeln!(out)
}
