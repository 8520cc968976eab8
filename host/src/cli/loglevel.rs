//! `loglevel`: what nodes log.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;
use tracing_subscriber::filter::LevelFilter;

use super::failure::Failure;
use super::operating::LoglevelArguments;
use super::output::{self, printable};
use super::survey::survey;
use super::units::duration;
use crate::config::did_you_mean;
use crate::control::{ActorLevel, Answer, LevelChange, LogLevels, LogOrigin, Request};
use crate::host::HostBuilder;

/// What a node is asked that only wants to be looked at.
pub(super) const LOOK: Request = Request::LogLevels {
    change: None,
    seconds: None,
};

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
    writeln!(out, "{} logs {}", printable(node), in_words(levels))
}

/// What is logged, for how long, and where that comes from.
pub(super) fn in_words(levels: &LogLevels) -> String {
    let mut words = printable(&levels.directive).into_owned();
    for (actor, level) in &levels.actors {
        let level = LEVELS
            .iter()
            .find(|(_, known)| known == level)
            .map_or("", |(name, _)| *name);
        words += &format!(", of the actor {} {level}", printable(actor));
    }
    if let Some(seconds) = levels.seconds_left {
        words += &format!(", for {} more", duration(seconds.saturating_mul(1000)));
    }
    let origin = match levels.origin {
        Some(LogOrigin::Environment) => ", as RUST_LOG of its environment says",
        Some(LogOrigin::NodeToml) => ", as `level` of [log] in node.toml says",
        Some(LogOrigin::Default) => ", which is the default",
        None => "",
    };
    if levels.overridden {
        let at_start = printable(&levels.at_start);
        words += &format!(", as an operator has said with `loglevel`; otherwise {at_start}{origin}");
    } else {
        words += origin;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_is_told_with_where_it_comes_from() {
        let mut levels = LogLevels {
            directive: "info".to_owned(),
            actors: [].into(),
            at_start: "info".to_owned(),
            origin: Some(LogOrigin::NodeToml),
            overridden: false,
            seconds_left: None,
        };
        assert_eq!(in_words(&levels), "info, as `level` of [log] in node.toml says");
        levels.overridden = true;
        levels.directive = "debug".to_owned();
        levels.seconds_left = Some(90);
        levels.actors = [("counter".to_owned(), ActorLevel::Trace)].into();
        levels.origin = Some(LogOrigin::Environment);
        assert_eq!(
            in_words(&levels),
            "debug, of the actor counter trace, for 1m 30s more, as an operator has said with `loglevel`; otherwise info, as RUST_LOG of \
             its environment says"
        );
    }
}
