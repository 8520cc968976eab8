//! What was found: good or not, why that matters, and what to do about it.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::arguments::OutputFormat;
use crate::cli::failure::Failure;
use crate::cli::output::{self, Tone, printable};

/// How good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Ok,
    /// It works, and may not for long, or not well.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What kind of thing: a word that stays the same between versions.
    pub(super) check: &'static str,
    /// Which one.
    pub(super) subject: String,
    pub(super) what: String,
    pub(super) why: Option<String>,
    #[serde(rename = "do")]
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, subject: impl Display, what: impl Display) -> Self {
        Self::new(Level::Ok, check, subject, what)
    }

    pub(super) fn warn(check: &'static str, subject: impl Display, what: impl Display) -> Self {
        Self::new(Level::Warn, check, subject, what)
    }

    pub(super) fn fail(check: &'static str, subject: impl Display, what: impl Display) -> Self {
        Self::new(Level::Fail, check, subject, what)
    }

    fn new(level: Level, check: &'static str, subject: impl Display, what: impl Display) -> Self {
        Self {
            level,
            check,
            subject: subject.to_string(),
            what: what.to_string(),
            why: None,
            remedy: None,
        }
    }

    /// Why that matters.
    pub(super) fn because(mut self, why: impl Display) -> Self {
        self.why = Some(why.to_string());
        self
    }

    /// What to do about it.
    pub(super) fn mend(mut self, remedy: impl Display) -> Self {
        self.remedy = Some(remedy.to_string());
        self
    }
}

/// All that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// True if nothing fails.
    ok: bool,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn of(findings: Vec<Finding>) -> Self {
        Self {
            ok: findings.iter().all(|finding| finding.level != Level::Fail),
            findings,
        }
    }

    /// Writes it to stdout. The exit code says whether something fails.
    pub(super) fn print(&self, format: OutputFormat) -> Result<ExitCode, Failure> {
        output::write(|out| match format {
            OutputFormat::Text => self.write(out),
            OutputFormat::Json => output::write_json(out, self),
        })?;
        Ok(if self.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for finding in &self.findings {
            let (word, tone) = match finding.level {
                Level::Ok => ("ok  ", Tone::Good),
                Level::Warn => ("warn", Tone::Doubtful),
                Level::Fail => ("FAIL", Tone::Bad),
            };
            write!(out, "{}  {:<13} ", output::coloured(word, tone), finding.check)?;
            // What begins with its subject needs no other one.
            if finding.what.starts_with(&finding.subject) {
                write_indented(out, &finding.what)?;
            } else {
                write_indented(out, &format!("{}: {}", finding.subject, finding.what))?;
            }
            for (word, text) in [("why", &finding.why), ("do", &finding.remedy)] {
                if let Some(text) = text {
                    write!(out, "      {word:<13} ")?;
                    write_indented(out, text)?;
                }
            }
        }
        let count = |level| self.findings.iter().filter(|finding| finding.level == level).count();
        let (failures, warnings) = (count(Level::Fail), count(Level::Warn));
        match (failures, warnings) {
            (0, 0) => writeln!(out, "nothing is wrong"),
            _ => writeln!(
                out,
                "{} and {}",
                counted(failures, "failure"),
                counted(warnings, "warning")
            ),
        }
    }
}

/// Lines behind the first stand below it.
fn write_indented(out: &mut impl Write, text: &str) -> io::Result<()> {
    let text = printable(text.trim_end());
    writeln!(out, "{}", text.replace('\n', &format!("\n{:20}", "")))
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_no_failure() {
        let found = |level| Finding::new(level, "clock", "the clock", "it ticks");
        assert!(Report::of(vec![found(Level::Ok), found(Level::Warn)]).ok);
        assert!(!Report::of(vec![found(Level::Ok), found(Level::Fail)]).ok);
    }

    #[test]
    fn a_report_says_what_why_and_what_to_do() {
        let finding = Finding::warn("clock", "the clock", "it is late")
            .because("certificates end")
            .mend("set it");
        let mut text = Vec::new();
        Report::of(vec![finding]).write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "warn  clock         the clock: it is late\n      why           certificates end\n      do            set it\n\
             0 failures and 1 warning\n"
        );
    }
}
