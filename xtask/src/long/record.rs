//! What was run last, when, at which commit, for how long, and how it ended: a line for each beginning and each end, in a file of
//! the target folder.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::process::Run;
use crate::report;
use crate::workspace::Workspace;

use super::part::{self, Part};

/// The file's name in the target folder.
const FILE: &str = "long-tests.jsonl";

/// How a part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ending {
    /// It runs, or did when it was ended together with this program.
    Unknown,
    Passed,
    Failed,
    Interrupted,
}

impl Ending {
    pub(super) fn of(outcome: &Result<()>, interrupted: bool) -> Self {
        match outcome {
            Ok(()) => Self::Passed,
            Err(_) if interrupted => Self::Interrupted,
            Err(_) => Self::Failed,
        }
    }

    fn spoken(self) -> &'static str {
        match self {
            Self::Unknown => "did not end",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Interrupted => "was interrupted",
        }
    }
}

/// One run of one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    part: String,
    /// In UTC, as people write it.
    began: String,
    commit: String,
    seconds: u64,
    ending: Ending,
}

impl Entry {
    /// A run that begins now.
    pub(super) fn beginning(workspace: &Workspace, part: Part) -> Self {
        let said = |run: Run| {
            let text = run.within(workspace.root()).capture();
            text.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
        };
        let mut commit = said(Run::new("git").args(["rev-parse", "--short=12", "HEAD"]));
        let changes = Run::new("git").args(["status", "--porcelain", "--untracked-files=no"]);
        let changes = changes.within(workspace.root()).capture();
        if changes.is_ok_and(|files| !files.trim().is_empty()) {
            commit += " and changes";
        }
        Self {
            part: part.name().to_owned(),
            began: said(Run::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"])),
            commit,
            seconds: 0,
            ending: Ending::Unknown,
        }
    }

    /// It is over.
    pub(super) fn ended(&mut self, after: Duration, ending: Ending) {
        self.seconds = after.as_secs();
        self.ending = ending;
    }

    fn spoken(&self) -> String {
        let Self {
            began,
            commit,
            seconds,
            ending,
            ..
        } = self;
        let mut line = format!("{} on {began} at commit {commit}", ending.spoken());
        if *ending != Ending::Unknown {
            line += &format!(", after {}", report::spoken(Duration::from_secs(*seconds)));
        }
        line
    }
}

/// The file.
pub(super) struct Record {
    file: PathBuf,
}

impl Record {
    pub(super) fn of(workspace: &Workspace) -> Self {
        Self::within(workspace.target())
    }

    fn within(folder: &Path) -> Self {
        Self {
            file: folder.join(FILE),
        }
    }

    /// Appends a line.
    ///
    /// # Errors
    /// The file can't be written.
    pub(super) fn add(&self, entry: &Entry) -> Result<()> {
        let line = serde_json::to_string(entry)? + "\n";
        let mut file = OpenOptions::new().create(true).append(true).open(&self.file);
        let written = file.as_mut().map_err(|error| std::io::Error::from(error.kind()));
        written
            .and_then(|file| file.write_all(line.as_bytes()))
            .with_context(|| format!("cannot write {}", self.file.display()))
    }

    /// For each part what is known of its last run.
    pub(super) fn table(&self) -> String {
        let entries = self.entries();
        let width = Part::ALL.iter().map(|part| part.name().len()).max().unwrap_or_default();
        let lines = Part::ALL.iter().map(|part| {
            let said = last(&entries, *part).map_or_else(|| "never".to_owned(), Entry::spoken);
            format!("{:width$}  {said}", part.name())
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The last run of all, those whose last run did not pass, and those that were never run.
    pub(super) fn summary(&self) -> String {
        let entries = self.entries();
        let Some(latest) = entries.last() else {
            return "long tests: never run here; `cargo xtask test --long` runs them".to_owned();
        };
        let mut line = format!("long tests: last run on {} at commit {}", latest.began, latest.commit);
        let not_passed = |part: &Part| last(&entries, *part).is_some_and(|entry| entry.ending != Ending::Passed);
        line += &listed("did not pass", &not_passed);
        line += &listed("never", &|part| last(&entries, *part).is_none());
        line
    }

    /// Line by line. What an earlier version wrote and this one doesn't understand is left out.
    fn entries(&self) -> Vec<Entry> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

/// The parts that belong in a list with this title, if there are any.
fn listed(title: &str, belongs: &dyn Fn(&Part) -> bool) -> String {
    let parts: Vec<Part> = Part::ALL.into_iter().filter(belongs).collect();
    if parts.is_empty() {
        return String::new();
    }
    format!("; {title}: {}", part::names(&parts))
}

fn last(entries: &[Entry], part: Part) -> Option<&Entry> {
    entries.iter().rev().find(|entry| entry.part == part.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(part: Part, began: &str, ending: Ending) -> Entry {
        Entry {
            part: part.name().to_owned(),
            began: began.to_owned(),
            commit: "abc".to_owned(),
            seconds: 4000,
            ending,
        }
    }

    fn record_of(entries: &[Entry]) -> Result<(tempfile::TempDir, Record)> {
        let folder = tempfile::tempdir()?;
        let record = Record::within(folder.path());
        entries.iter().try_for_each(|entry| record.add(entry))?;
        Ok((folder, record))
    }

    #[test]
    fn the_last_run_of_each_part_is_told() -> Result<()> {
        let (_folder, record) = record_of(&[
            entry(Part::Soak, "monday", Ending::Unknown),
            entry(Part::Soak, "monday", Ending::Failed),
            entry(Part::Soak, "tuesday", Ending::Unknown),
            entry(Part::Soak, "tuesday", Ending::Passed),
            entry(Part::Fuzz, "wednesday", Ending::Unknown),
        ])?;
        let table = record.table();
        let said = |part: &str| table.lines().find_map(|line| line.strip_prefix(part)).map(str::trim);
        assert_eq!(said("soak"), Some("passed on tuesday at commit abc, after 1 h 06 min"));
        assert_eq!(said("fuzz"), Some("did not end on wednesday at commit abc"));
        assert_eq!(said("mutants"), Some("never"));
        Ok(())
    }

    #[test]
    fn the_summary_names_what_is_missing_and_what_did_not_pass() -> Result<()> {
        let passed = Part::ALL.map(|part| entry(part, "sunday", Ending::Passed));
        let (_folder, record) = record_of(&passed)?;
        assert_eq!(record.summary(), "long tests: last run on sunday at commit abc");

        record.add(&entry(Part::Histories, "monday", Ending::Failed))?;
        assert_eq!(
            record.summary(),
            "long tests: last run on monday at commit abc; did not pass: histories"
        );

        let (_folder, record) = record_of(&[entry(Part::Soak, "monday", Ending::Passed)])?;
        let summary = record.summary();
        assert!(
            summary.contains("; never: ") && summary.contains("mutants"),
            "{summary}"
        );
        assert!(!summary.contains("soak"), "{summary}");
        Ok(())
    }

    #[test]
    fn without_a_record_nothing_was_run() -> Result<()> {
        let (_folder, record) = record_of(&[])?;
        assert!(record.summary().contains("never run here"));
        assert!(record.table().lines().all(|line| line.ends_with("never")));
        Ok(())
    }

    #[test]
    fn a_line_that_is_not_understood_hides_no_other() -> Result<()> {
        let (_folder, record) = record_of(&[entry(Part::Soak, "monday", Ending::Passed)])?;
        let mut text = fs::read_to_string(&record.file)?;
        text += "{\"part\":\"soak\",\"cut o";
        fs::write(&record.file, text)?;
        assert!(record.table().contains("passed on monday"));
        Ok(())
    }

    #[test]
    fn an_error_after_a_signal_is_an_interruption() {
        let failure = || Err(anyhow::anyhow!("no"));
        assert_eq!(Ending::of(&Ok(()), false), Ending::Passed);
        assert_eq!(Ending::of(&failure(), false), Ending::Failed);
        assert_eq!(Ending::of(&failure(), true), Ending::Interrupted);
    }
}
