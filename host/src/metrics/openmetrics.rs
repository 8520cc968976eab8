//! The text format of Prometheus, as OpenMetrics 1.0 has it.
//!
//! The two differ in little that the exporter writes: a counter is named without `_total` where it is declared, and with it where it has
//! a value; a declaration stands directly before its values; and the text has an end that is said.

use std::fmt::Write as _;

/// What the name of a counter's value ends with.
const TOTAL: &str = "_total";

/// The same metrics.
pub(super) fn from_prometheus(text: &str) -> String {
    let mut page = String::with_capacity(text.len() + 16);
    // The counter whose values follow, as its values are named by now.
    let mut counter: Option<&str> = None;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(declared) = line.strip_prefix("# HELP ") {
            let (name, help) = declared.split_once(' ').unwrap_or((declared, ""));
            // The kind is on the line below, and decides how the family is called.
            let is_counter = lines
                .peek()
                .is_some_and(|next| kind_of(next) == Some((name, "counter")));
            let family = if is_counter {
                name.strip_suffix(TOTAL).unwrap_or(name)
            } else {
                name
            };
            writeln!(page, "# HELP {family} {help}").ok();
        } else if let Some((name, kind)) = kind_of(line) {
            let is_counter = kind == "counter";
            counter = is_counter.then_some(name);
            let family = if is_counter {
                name.strip_suffix(TOTAL).unwrap_or(name)
            } else {
                name
            };
            let kind = if kind == "untyped" { "unknown" } else { kind };
            writeln!(page, "# TYPE {family} {kind}").ok();
        } else if let Some(rest) = counter.and_then(|name| line.strip_prefix(name))
            && counter.is_some_and(|name| !name.ends_with(TOTAL))
            && rest.starts_with([' ', '{'])
        {
            writeln!(page, "{}{TOTAL}{rest}", counter.unwrap_or_default()).ok();
        } else if !line.is_empty() {
            page.push_str(line);
            page.push('\n');
        }
    }
    page.push_str("# EOF\n");
    page
}

/// The name and the kind that a line declares.
fn kind_of(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("# TYPE ")?.split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::from_prometheus;

    #[test]
    fn counters_are_declared_without_their_ending_and_the_end_is_said() {
        let prometheus = "# HELP a_total Things.\n# TYPE a_total counter\na_total{x=\"1\"} 5\n\n# TYPE b counter\nb 1\nb{y=\"2\"} 2\n\n\
                          # HELP c Level.\n# TYPE c gauge\nc -1.5\n\n# TYPE d summary\nd{quantile=\"0.5\"} 1\nd_sum 2\nd_count 3\n";
        let expected = "# HELP a Things.\n# TYPE a counter\na_total{x=\"1\"} 5\n# TYPE b counter\nb_total 1\nb_total{y=\"2\"} 2\n\
                        # HELP c Level.\n# TYPE c gauge\nc -1.5\n# TYPE d summary\nd{quantile=\"0.5\"} 1\nd_sum 2\nd_count 3\n# EOF\n";
        assert_eq!(from_prometheus(prometheus), expected);
        assert_eq!(from_prometheus(""), "# EOF\n");
    }
}
