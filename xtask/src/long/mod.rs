//! `cargo xtask test --long`: what takes hours, one part after the other, within the time that it is given.

mod part;
mod record;
mod repeat;
mod shares;

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process;
use crate::report;
use crate::span::Span;
use crate::workspace::Workspace;

use self::part::{Part, Prepared};
use self::record::{Ending, Entry, Record};

/// The time that is shared where none is named.
const USUAL: &str = "1h";

/// A word after `--long`: how long it takes in all, or a part to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Time(Span),
    Part(Part),
}

impl FromStr for Word {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(span) = text.parse() {
            return Ok(Self::Time(span));
        }
        Part::named(text).map(Self::Part).ok_or_else(|| {
            format!(
                "expected a length of time such as `90s`, `15m` or `8h`, or one of the parts {}",
                part::names(&Part::ALL)
            )
        })
    }
}

/// Runs the parts that are named, or all of them, and goes on after one that fails. What was run when is kept in the target folder
/// and shown first.
///
/// # Errors
/// Two times are named, or a part failed. What it printed says how to see that again.
pub(crate) fn run(workspace: &Workspace, words: &[Word]) -> Result<()> {
    let (span, parts) = understood(words)?;
    let record = Record::of(workspace);
    show_record(&record);
    let prepared = Prepared::for_parts(workspace, &parts)?;
    let started = Instant::now();
    let mut failed = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let left = Duration::from_secs(span.seconds()).saturating_sub(started.elapsed());
        let to_come = parts.get(at..).unwrap_or_default();
        let share = shares::of_first(left, to_come.iter().map(|part| part.weight()));
        if let Err(error) = run_part(&prepared, *part, share, &record) {
            report::failure(&error);
            failed.push(*part);
        }
        if process::interrupted() {
            bail!("interrupted");
        }
    }
    show_record(&record);
    if failed.is_empty() {
        report::step(&format!("all long tests passed: {}", part::names(&parts)));
        return Ok(());
    }
    bail!(
        "{} of {} long tests failed: {}; what they said is above",
        failed.len(),
        parts.len(),
        part::names(&failed)
    )
}

/// Says what was run last, and when.
pub(crate) fn show(workspace: &Workspace) {
    show_record(&Record::of(workspace));
}

/// One line about what was run last, for the end of a run of all other checks.
pub(crate) fn summary(workspace: &Workspace) -> String {
    Record::of(workspace).summary()
}

fn show_record(record: &Record) {
    report::step("long tests so far");
    report::note(&record.table());
}

/// Runs one part, and writes down that it began and how it ended.
fn run_part(prepared: &Prepared<'_>, part: Part, share: Duration, record: &Record) -> Result<()> {
    let mut entry = Entry::beginning(prepared.workspace(), part);
    record.add(&entry)?;
    let started = Instant::now();
    let outcome = part.run(prepared, share);
    entry.ended(started.elapsed(), Ending::of(&outcome, process::interrupted()));
    record.add(&entry)?;
    outcome
}

/// The time and the parts, in the order in which they run.
fn understood(words: &[Word]) -> Result<(Span, Vec<Part>)> {
    let mut span = None;
    let mut named = Vec::new();
    for word in words {
        match word {
            Word::Time(time) if span.is_none() => span = Some(*time),
            Word::Time(_) => bail!("`--long` takes one length of time, which its parts share"),
            Word::Part(part) => named.push(*part),
        }
    }
    let span = match span {
        Some(span) => span,
        None => USUAL.parse().map_err(anyhow::Error::msg)?,
    };
    let is_meant = |part: &Part| named.is_empty() || named.contains(part);
    Ok((span, Part::ALL.into_iter().filter(is_meant).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<(u64, String)> {
        let words: Result<Vec<Word>, String> = line.split_whitespace().map(str::parse).collect();
        let (span, parts) = understood(&words.map_err(anyhow::Error::msg)?)?;
        Ok((span.seconds(), part::names(&parts)))
    }

    #[test]
    fn without_words_all_parts_share_an_hour() -> Result<()> {
        assert_eq!(words("")?, (3600, part::names(&Part::ALL)));
        Ok(())
    }

    #[test]
    fn a_time_and_parts_can_be_named_in_any_order() -> Result<()> {
        assert_eq!(words("8h simulation soak")?, (28_800, "soak, simulation".to_owned()));
        assert_eq!(words("soak 90s soak")?, (90, "soak".to_owned()));
        Ok(())
    }

    #[test]
    fn the_help_names_every_part() {
        let mut command = <crate::Arguments as clap::CommandFactory>::command();
        let test = command.find_subcommand_mut("test").expect("there is such a command");
        let help = test.render_long_help().to_string();
        assert!(help.contains(&part::names(&Part::ALL)), "{help}");
    }

    #[test]
    fn what_is_neither_is_refused_with_what_could_be_said() {
        let refused = words("8h sauce").expect_err("no part has this name").to_string();
        assert!(refused.contains("`8h`") && refused.contains("simulation"), "{refused}");
        assert!(words("8h 9h").is_err());
    }
}
