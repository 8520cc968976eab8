//! The table of languages: a row for each figure, with its target beside it. In the terminal, and between two marks in the documentation.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::super::figures::{Figures, Metric};
use super::super::machine::Machine;
use super::super::table::micros;
use super::super::targets::{Of, Outcome};
use super::{CALLS, CASTS, FIRST_CALL, LANGUAGES, LIST, Language, NATIVE, NODE, SAVE, START};

const BEGIN: &str = "<!-- benchmark: begin -->\n";
const END: &str = "<!-- benchmark: end -->\n";

/// A row of the table.
struct Row {
    says: &'static str,
    of: RowOf,
}

/// What is in a row.
#[derive(Clone, Copy)]
enum RowOf {
    /// What a cast takes more than one to a native actor.
    Cast,
    Figure(&'static str, Metric),
}

const fn row(says: &'static str, workload: &'static str, metric: Metric) -> Row {
    Row {
        says,
        of: RowOf::Figure(workload, metric),
    }
}

const ROWS: [Row; 11] = [
    row("the component, KiB", NODE, Metric::Component),
    Row {
        says: "a cast, over one to a native actor, µs",
        of: RowOf::Cast,
    },
    row("a call, median, µs", CALLS, Metric::P50),
    row("an idle actor, KiB", START, Metric::MemoryEach),
    row("the start of an actor, µs", START, Metric::StartEach),
    row(
        "the first start of its node, which compiles, s",
        NODE,
        Metric::ColdStart,
    ),
    row("every later start of its node, s", NODE, Metric::WarmStart),
    row("an edit until the actor has it, with `dev`, s", SAVE, Metric::Save),
    row(
        "from `new` to the first call, tools installed, s",
        FIRST_CALL,
        Metric::FirstCall,
    ),
    row("the same with their installation, s", FIRST_CALL, Metric::FirstCallAnew),
    row("a list of a million `u64`, there and back, s", LIST, Metric::List),
];

/// The table; nothing if there is nothing to say.
pub(in crate::bench) fn text(figures: &Figures, outcomes: &[Outcome]) -> String {
    let rows: Vec<(&Row, Vec<String>)> = ROWS
        .iter()
        .map(|row| {
            let cells = LANGUAGES
                .iter()
                .map(|language| cell(row.of, language, figures, outcomes));
            (row, cells.collect::<Vec<_>>())
        })
        .filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let titles: Vec<&str> = LANGUAGES.iter().map(|language| language.title).collect();
    let mut lines = vec![
        format!("| | {} |", titles.join(" | ")),
        format!("|---|{}", "---:|".repeat(titles.len())),
    ];
    lines.extend(
        rows.iter()
            .map(|(row, cells)| format!("| {} | {} |", row.says, cells.join(" | "))),
    );
    lines.join("\n")
}

/// `0.28 (≤ 0.3)`, with the figure in bold if it misses the target.
fn cell(of: RowOf, language: &Language, figures: &Figures, outcomes: &[Outcome]) -> String {
    let system = language.system;
    let spread = match of {
        RowOf::Cast => figures.more_micros(CASTS, system, NATIVE),
        RowOf::Figure(workload, metric) => figures.spread(workload, system, metric),
    };
    let Some(spread) = spread else {
        return String::new();
    };
    let figure = micros(spread.median);
    let target = outcomes.iter().find(|outcome| match (outcome.target.of, of) {
        (Of::More(super::CASTS, its, _), RowOf::Cast) => its == system,
        (Of::Figure(workload, metric, its), RowOf::Figure(of, figure)) => {
            its == system && workload == of && metric == figure
        }
        _ => false,
    });
    match target {
        None => figure,
        Some(target) if target.missed() => format!("**{figure}** ({})", target.must()),
        Some(target) => format!("{figure} ({})", target.must()),
    }
}

/// Puts the table into the documentation, unless no language was measured.
///
/// # Errors
/// The document has no place for it, or can't be written.
pub(in crate::bench) fn publish(
    figures: &Figures,
    outcomes: &[Outcome],
    machine: &Machine,
    document: &Path,
) -> Result<()> {
    let table = text(figures, outcomes);
    if table.is_empty() {
        return Ok(());
    }
    let before = fs::read_to_string(document).with_context(|| format!("cannot read {}", document.display()))?;
    let Some(after) = with(&before, &format!("{table}\n\n{}.\n", machine.line())) else {
        bail!(
            "{} has no place for the table: `{}` … `{}`",
            document.display(),
            BEGIN.trim(),
            END.trim()
        );
    };
    fs::write(document, after).with_context(|| format!("cannot write {}", document.display()))
}

/// A document with this between the marks; none if there are no marks.
fn with(document: &str, table: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::targets::check;

    #[test]
    fn a_row_has_the_figure_of_each_language_and_its_target() {
        let mut figures = Figures::default();
        figures.record(0, CASTS, NATIVE, [(Metric::Rate, 1e6)]);
        figures.record(0, CASTS, "c", [(Metric::Rate, 0.8e6)]);
        figures.record(0, CASTS, "go", [(Metric::Rate, 0.2e6)]);
        figures.record(0, NODE, "c", [(Metric::Component, 70.0)]);
        let table = text(&figures, &check(&figures));
        let expected = "\
| | Rust | C | TypeScript | Python | Go |
|---|---:|---:|---:|---:|---:|
| the component, KiB |  | 70.0 |  |  |  |
| a cast, over one to a native actor, µs |  | 0.25 (≤ 0.3) |  |  | **4.00** (≤ 2.5) |";
        assert_eq!(table, expected);
        let nothing = Figures::default();
        assert_eq!(text(&nothing, &check(&nothing)), "");
    }

    #[test]
    fn a_document_keeps_what_is_around_the_table() {
        let document = format!("before\n{BEGIN}old\n{END}after\n");
        assert_eq!(
            with(&document, "new\n"),
            Some(format!("before\n{BEGIN}new\n{END}after\n"))
        );
        assert_eq!(with("no marks", "new\n"), None);
    }
}
