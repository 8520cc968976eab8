//! Instructions of small pieces of work, counted by callgrind: the one figure that a busy machine doesn't change.
//!
//! Each piece is run twice, more often the second time; the difference is free of what a process does at its start. The
//! counts are compared with those in `bench/baseline.json`, as long as the compiler is the one that they were made with.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::programs::release;
use crate::process::Run;
use crate::report;
use crate::workspace::Workspace;

/// The number of times that a piece of work is done in the two runs.
const TIMES: [u64; 2] = [100, 300];
/// The percentage of additional instructions that is a regression, and of saved ones that is worth a new baseline.
const TOLERANCE: u64 = 10;

/// The counts that the repository holds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Baseline {
    /// What compiled it; other versions make other instructions.
    compiler: String,
    machine: String,
    /// Instructions of each piece of work.
    instructions: BTreeMap<String, u64>,
}

/// Counts, and compares with the baseline, or with `bless` replaces it.
///
/// # Errors
/// A piece of work takes clearly more instructions than it did, or can't be counted. Without valgrind, or with another
/// compiler than that of the baseline, it is said that nothing was compared.
pub(crate) fn run(workspace: &Workspace, bless: bool) -> Result<()> {
    report::step("instructions of codec and session");
    if !has_valgrind() {
        report::note("NOT CHECKED: valgrind is not installed; `apt-get install valgrind` gets it");
        return Ok(());
    }
    let folder = workspace.target().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let now = count(&release(workspace, "bench-micro", &folder)?)?;
    let file = workspace.root().join("bench/baseline.json");
    if bless {
        let text = serde_json::to_string_pretty(&now)? + "\n";
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        report::note(&format!("{} is the new baseline", file.display()));
        return Ok(());
    }
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let baseline = serde_json::from_str(&text).with_context(|| format!("cannot understand {}", file.display()))?;
    compare(&baseline, &now)
}

/// Whether there is a valgrind. Continuous integration may not have one yet, and is allowed to install it.
fn has_valgrind() -> bool {
    let there = || Run::new("valgrind").args(["--version"]).capture().is_ok();
    if there() {
        return true;
    }
    if std::env::var_os("CI").is_none() {
        return false;
    }
    report::note("installing valgrind");
    let apt = |arguments: &[&str]| Run::new("apt-get").args(arguments).capture();
    match apt(&["update", "--quiet"]).and_then(|_| apt(&["install", "--yes", "--quiet", "valgrind"])) {
        Ok(_) => there(),
        Err(error) => {
            report::note(&format!("{error:#}"));
            false
        }
    }
}

fn count(program: &PathBuf) -> Result<Baseline> {
    let mut instructions = BTreeMap::new();
    for name in Run::new(program).capture()?.lines() {
        let each = instructions_each(program, name, TIMES, &[])?;
        report::note(&format!("{name:24} {each:>10}"));
        instructions.insert(name.to_owned(), each);
    }
    Ok(Baseline {
        compiler: Run::new("rustc").args(["--version"]).capture()?.trim().to_owned(),
        machine: std::env::consts::ARCH.to_owned(),
        instructions,
    })
}

/// The instructions of a piece of work of this program, which takes these arguments besides: by two runs in which it is done as often as said,
/// more often in the second.
///
/// # Errors
/// It can't be counted, such as without valgrind.
pub(super) fn instructions_each(program: &Path, name: &str, times: [u64; 2], more: &[&OsStr]) -> Result<u64> {
    let [few, many] = times;
    let of = |times| instructions_of(program, name, times, more);
    let more_of_them = of(many)?.saturating_sub(of(few)?);
    Ok(more_of_them / many.saturating_sub(few).max(1))
}

fn instructions_of(program: &Path, name: &str, times: u64, more: &[&OsStr]) -> Result<u64> {
    let log = tempfile::NamedTempFile::new()?;
    Run::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args([format!("--log-file={}", log.path().display())])
        .args([program.as_os_str()])
        .args([name, &times.to_string()])
        .args(more)
        .capture()?;
    let said = fs::read_to_string(log.path())?;
    collected(&said).with_context(|| format!("callgrind says no count:\n{said}"))
}

/// The count in what callgrind says at its end, `==1== Collected : 123`.
fn collected(log: &str) -> Option<u64> {
    let line = log.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn compare(baseline: &Baseline, now: &Baseline) -> Result<()> {
    if (&baseline.compiler, &baseline.machine) != (&now.compiler, &now.machine) {
        report::note(&format!(
            "NOT COMPARED: the baseline is of {} on {}, this is {} on {}",
            baseline.compiler, baseline.machine, now.compiler, now.machine
        ));
        return Ok(());
    }
    let found = findings(&baseline.instructions, &now.instructions);
    if found.is_empty() {
        return Ok(());
    }
    bail!(
        "{}\nIf that is meant to be: `cargo xtask bench --micro --bless`, and say why in the commit",
        found.join("\n")
    )
}

/// What is clearly not as it was.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn findings(baseline: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, &count) in now {
        match baseline.get(name) {
            None => found.push(format!("{name} is not in the baseline")),
            Some(&before) => {
                let tolerated = |percent| before.saturating_mul(percent) / 100;
                if count > tolerated(100 + TOLERANCE) {
                    let percent = (count as f64 / before.max(1) as f64 - 1.0) * 100.0;
                    found.push(format!(
                        "{name} takes {count} instructions, {percent:.0} % more than {before}"
                    ));
                } else if count < tolerated(100 - TOLERANCE) {
                    report::note(&format!(
                        "{name} takes {count} instructions instead of {before}: worth a --bless"
                    ));
                }
            }
        }
    }
    let gone = baseline.keys().filter(|name| !now.contains_key(*name));
    found.extend(gone.map(|name| format!("{name} is in the baseline only")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_log() {
        let log = "==7== Callgrind, a call-graph generating cache profiler\n==7== Collected : 1234567\n==7==\n";
        assert_eq!(collected(log), Some(1_234_567));
        assert_eq!(collected("==7== Command: bench-micro"), None);
    }

    #[test]
    fn more_than_a_tenth_more_is_a_finding() {
        let counts = |cast: u64| BTreeMap::from([("cast".to_owned(), cast)]);
        for (before, now, expected) in [
            (100, 100, 0),
            (100, 110, 0),
            (100, 111, 1),
            (100, 50, 0),
            (1000, 2000, 1),
        ] {
            let found = findings(&counts(before), &counts(now));
            assert_eq!(found.len(), expected, "{before} to {now}: {found:?}");
        }
    }

    #[test]
    fn work_without_a_baseline_is_a_finding_and_the_other_way_round() {
        let (one, none) = (BTreeMap::from([("cast".to_owned(), 1)]), BTreeMap::new());
        assert_eq!(findings(&none, &one), ["cast is not in the baseline"]);
        assert_eq!(findings(&one, &none), ["cast is in the baseline only"]);
    }

    #[test]
    fn another_compiler_is_no_regression() -> Result<()> {
        let of = |compiler: &str, count| Baseline {
            compiler: compiler.to_owned(),
            machine: "x86_64".to_owned(),
            instructions: BTreeMap::from([("cast".to_owned(), count)]),
        };
        compare(&of("rustc 1.95.0", 1), &of("rustc 1.96.0", 100))?;
        assert!(compare(&of("rustc 1.95.0", 1), &of("rustc 1.95.0", 100)).is_err());
        Ok(())
    }
}
