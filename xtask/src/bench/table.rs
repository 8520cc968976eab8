//! The figures as tables that read well in a terminal and in Markdown.

use super::entities;
use super::figures::{Figures, Metric, Spread};
use super::languages;
use super::operate;
use super::targets::Outcome;

/// All tables.
pub(super) fn all(figures: &Figures, outcomes: &[Outcome]) -> String {
    let mut tables = vec![
        traffic(figures),
        standing(figures),
        starts(figures),
        costs(figures),
        stored(figures),
        languages::text(figures, outcomes),
        targets(outcomes),
    ];
    if !figures.failures().is_empty() {
        let lines: Vec<String> = figures
            .failures()
            .iter()
            .map(|failure| format!("- {failure}"))
            .collect();
        tables.push(format!("Not measured:\n{}", lines.join("\n")));
    }
    tables.retain(|table| !table.is_empty());
    tables.join("\n\n")
}

fn traffic(figures: &Figures) -> String {
    let header = [
        "workload",
        "system",
        "rate /s",
        "range",
        "× base",
        "p50 µs",
        "p99 µs",
        "CPU µs sender",
        "receiver",
    ];
    let measured = |row: &(&'static str, &'static str)| figures.spread(row.0, row.1, Metric::SenderCpu).is_some();
    let rows = figures.rows().into_iter().filter(measured).map(|(workload, system)| {
        let of = |metric| figures.spread(workload, system, metric);
        let median = |metric| of(metric).map_or_else(String::new, |spread| micros(spread.median));
        vec![
            workload.to_owned(),
            system.to_owned(),
            of(Metric::Rate).map_or_else(String::new, |rate| short(rate.median)),
            of(Metric::Rate).map_or_else(String::new, |rate| range(rate, short)),
            times(figures, workload, system, Metric::Rate),
            median(Metric::P50),
            median(Metric::P99),
            median(Metric::SenderCpu),
            median(Metric::ReceiverCpu),
        ]
    });
    render(&header, rows.collect())
}

fn standing(figures: &Figures) -> String {
    let header = [
        "workload",
        "system",
        "until ready ms",
        "range",
        "× base",
        "sender MiB",
        "receiver MiB",
        "× base",
    ];
    let held = |row: &(&'static str, &'static str)| {
        [Metric::Time, Metric::ReceiverMemory]
            .iter()
            .any(|metric| figures.spread(row.0, row.1, *metric).is_some())
    };
    let rows = figures.rows().into_iter().filter(held).map(|(workload, system)| {
        let of = |metric| figures.spread(workload, system, metric);
        let mebibytes = |metric| of(metric).map_or_else(String::new, |kib| format!("{:.1}", kib.median / 1024.0));
        vec![
            workload.to_owned(),
            system.to_owned(),
            of(Metric::Time).map_or_else(String::new, |time| micros(time.median)),
            of(Metric::Time).map_or_else(String::new, |time| range(time, micros)),
            times(figures, workload, system, Metric::Time),
            mebibytes(Metric::SenderMemory),
            mebibytes(Metric::ReceiverMemory),
            times(figures, workload, system, Metric::ReceiverMemory),
        ]
    });
    render(&header, rows.collect())
}

fn starts(figures: &Figures) -> String {
    let header = ["workload", "system", "start µs", "range", "KiB each", "range"];
    let started = |row: &(&'static str, &'static str)| figures.spread(row.0, row.1, Metric::StartEach).is_some();
    let rows = figures.rows().into_iter().filter(started).map(|(workload, system)| {
        let of = |metric| figures.spread(workload, system, metric);
        let median = |metric| of(metric).map_or_else(String::new, |spread| micros(spread.median));
        let range = |metric| of(metric).map_or_else(String::new, |spread| range(spread, micros));
        vec![
            workload.to_owned(),
            system.to_owned(),
            median(Metric::StartEach),
            range(Metric::StartEach),
            median(Metric::MemoryEach),
            range(Metric::MemoryEach),
        ]
    });
    render(&header, rows.collect())
}

fn costs(figures: &Figures) -> String {
    let header = ["workload", "system", "instructions", "ns"];
    let metrics = [Metric::Instructions, Metric::Nanoseconds];
    let of = |row: &(&'static str, &'static str), metric| figures.spread(row.0, row.1, metric);
    let rows = figures
        .rows()
        .into_iter()
        .filter(|row| metrics.iter().any(|metric| of(row, *metric).is_some()));
    let rows = rows.map(|row| {
        let median = |metric| of(&row, metric).map_or_else(String::new, |spread| micros(spread.median));
        let [instructions, ns] = metrics.map(median);
        vec![row.0.to_owned(), row.1.to_owned(), instructions, ns]
    });
    render(&header, rows.collect())
}

/// What entities are measured by beside their calls, which are among the traffic.
fn stored(figures: &Figures) -> String {
    let header = [
        "workload",
        "system",
        "rate /s",
        "p50 µs",
        "p99 µs",
        "over its parts µs",
        "KiB each",
    ];
    let is_stored = |row: &(&'static str, &'static str)| {
        entities::names().any(|name| name == row.0) && figures.spread(row.0, row.1, Metric::SenderCpu).is_none()
    };
    let rows = figures.rows().into_iter().filter(is_stored).map(|(workload, system)| {
        let metrics = [Metric::Rate, Metric::P50, Metric::P99, Metric::Over, Metric::MemoryEach];
        let texts = [rate, micros, micros, micros, thousandths];
        let median = |(metric, text): (Metric, fn(f64) -> String)| {
            let spread = figures.spread(workload, system, metric);
            spread.map_or_else(String::new, |spread| text(spread.median))
        };
        let names = [workload, system].map(str::to_owned);
        names
            .into_iter()
            .chain(metrics.into_iter().zip(texts).map(median))
            .collect()
    });
    render(&header, rows.collect())
}

fn targets(outcomes: &[Outcome]) -> String {
    let header = ["target", "must", "aim", "measured", "range", ""];
    let rows = outcomes.iter().map(|outcome| {
        let figure = |text: fn(Spread) -> String| outcome.figure.map_or_else(String::new, text);
        vec![
            outcome.what().to_owned(),
            outcome.must(),
            outcome.aim(),
            figure(|spread| format!("{:.2}", spread.median)),
            figure(|spread| range(spread, |value| format!("{value:.2}"))),
            outcome.mark().to_owned(),
        ]
    });
    render(&header, rows.collect())
}

/// How many times the figure this is of what the system is compared with.
fn times(figures: &Figures, workload: &'static str, system: &'static str, metric: Metric) -> String {
    let other = match system {
        "guest" => "native",
        "remote-guest" => "remote-native",
        "ours-tls" => "stock-tls",
        "native" | "remote-native" | "stock" | "stock-tls" => return String::new(),
        _ if operate::names().any(|name| name == workload) => return String::new(),
        _ if entities::names().any(|name| name == workload) => return String::new(),
        _ if languages::names().any(|name| name == workload) => "native",
        _ => "stock",
    };
    let ratio = figures.ratio(workload, metric, system, other);
    ratio.map_or_else(String::new, |ratio| format!("{:.2}", ratio.median))
}

fn range(spread: Spread, text: fn(f64) -> String) -> String {
    format!("{} – {}", text(spread.least), text(spread.most))
}

/// `950`, `12.3 k`, `1.23 M`.
fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.2} M", value / 1e6),
        value if value >= 1e5 => format!("{:.0} k", value / 1e3),
        value if value >= 1e3 => format!("{:.1} k", value / 1e3),
        value => format!("{value:.0}"),
    }
}

/// Also where there is hardly one.
fn rate(value: f64) -> String {
    if value < 10.0 { micros(value) } else { short(value) }
}

fn thousandths(value: f64) -> String {
    format!("{value:.3}")
}

/// With as many digits as say something.
pub(super) fn micros(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// A Markdown table with its columns aligned; nothing if it has no rows.
fn render(header: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let header: Vec<String> = header.iter().map(|&title| title.to_owned()).collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = std::iter::once(&header).chain(&rows).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            // Names to the left, figures to the right.
            if column < 2 {
                format!("{cell:width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.iter().enumerate().map(|(column, &width)| {
        let dashes = "-".repeat(width + 1);
        if column < 2 {
            format!("{dashes}-")
        } else {
            format!("{dashes}:")
        }
    });
    let rule = format!("|{}|", rule.collect::<Vec<_>>().join("|"));
    let mut lines = vec![line(&header), rule];
    lines.extend(rows.iter().map(line));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let table = render(
            &["what", "µs", "rate"],
            vec![row(["a", "b", "1.5"]), row(["long name", "b", "12"])],
        );
        let expected = "\
| what      | µs | rate |
|-----------|----|-----:|
| a         | b  |  1.5 |
| long name | b  |   12 |";
        assert_eq!(table, expected);
        assert_eq!(render(&["what"], Vec::new()), "");
    }

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [
            (0.4, "0"),
            (999.0, "999"),
            (2_512.0, "2.5 k"),
            (212_000.0, "212 k"),
            (5.3e6, "5.30 M"),
        ] {
            assert_eq!(short(value), expected);
        }
    }
}
