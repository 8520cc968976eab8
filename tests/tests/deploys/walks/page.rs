//! What a page of the documentation has its reader do, in order.
//!
//! A walk is what stands between `<!-- walk: begin -->` and `<!-- walk: end -->`, which no reader sees. Within it, what follows `$ ` in a
//! block of the language `console` is typed, and the lines behind it are what the reader is to see: among others, and in this order.
//! Lines in front of the first command of a block come from the program in the background. `…` stands for anything, and sizes and times
//! may be others. Any other block says in a comment before it what it is:
//!
//! - `<!-- write: FILE -->`: the reader writes this file.
//! - `<!-- shows: FILE -->`: the file has exactly this text already.
//! - `<!-- edit: FILE -->`: a block of the language `diff`, whose lines with a `-` are replaced by those with a `+`.
//! - `<!-- aside -->`: the reader does nothing with it.

/// Where a walk begins and ends.
const BEGIN: &str = "<!-- walk: begin -->";
const END: &str = "<!-- walk: end -->";

/// Something to do, and the line of the page that says so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) action: Action,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A file is written.
    Write { file: String, text: String },
    /// A file has this text.
    Compare { file: String, text: String },
    /// Lines of a file are replaced.
    Replace { file: String, old: String, new: String },
    /// A command is typed, and shows this.
    Type { command: String, shown: Vec<String> },
    /// The program in the background shows this.
    Await { shown: Vec<String> },
}

/// A block between two lines of three backticks.
struct Block<'a> {
    line: usize,
    language: &'a str,
    /// What the last comment before it says of it.
    mark: Option<&'a str>,
    lines: Vec<&'a str>,
}

/// The walks of a page.
pub(super) fn walks(page: &str) -> Result<Vec<Vec<Step>>, String> {
    let mut walks = Vec::new();
    let mut lines = page.lines().enumerate().map(|(at, line)| (at + 1, line));
    while let Some((begin, _)) = lines.find(|(_, line)| line.trim() == BEGIN) {
        let mut steps = Vec::new();
        let mut mark = None;
        loop {
            let Some((line, text)) = lines.next() else {
                return Err(format!("the walk of line {begin} doesn't end"));
            };
            if text.trim() == END {
                break;
            }
            if let Some(comment) = comment(text) {
                mark = Some(comment);
            }
            if let Some(language) = text.strip_prefix("```") {
                let inner = lines.by_ref().take_while(|(_, text)| *text != "```");
                let block = Block {
                    line,
                    language,
                    mark: mark.take(),
                    lines: inner.map(|(_, text)| text).collect(),
                };
                steps.extend(block.steps()?);
            }
        }
        walks.push(steps);
    }
    Ok(walks)
}

/// What a page has its reader do that is typed from its first line to its last: each block of the language `console`, and each block that
/// says in a comment that a file is written, shown or edited. All others are for reading.
pub(super) fn commands(page: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut mark = None;
    let mut lines = page.lines().enumerate().map(|(at, line)| (at + 1, line));
    while let Some((line, text)) = lines.next() {
        if let Some(comment) = comment(text) {
            mark = Some(comment);
        } else if let Some(language) = text.strip_prefix("```") {
            let inner = lines.by_ref().take_while(|(_, text)| *text != "```");
            let lines = inner.map(|(_, text)| text).collect();
            let mark = mark.take();
            if mark.is_some() || language == "console" {
                steps.extend(
                    Block {
                        line,
                        language,
                        mark,
                        lines,
                    }
                    .steps()?,
                );
            }
        } else if !text.trim().is_empty() {
            // A comment belongs to the block right behind it.
            mark = None;
        }
    }
    Ok(steps)
}

fn comment(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim())
}

impl Block<'_> {
    fn steps(&self) -> Result<Vec<Step>, String> {
        let step = |action| {
            Ok(vec![Step {
                line: self.line,
                action,
            }])
        };
        let text = || self.lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        match self.mark.and_then(|mark| mark.split_once(": ")) {
            Some(("write", file)) => step(Action::Write {
                file: file.to_owned(),
                text: text(),
            }),
            Some(("shows", file)) => step(Action::Compare {
                file: file.to_owned(),
                text: text(),
            }),
            Some(("edit", file)) if self.language == "diff" => {
                let side = |other: char| {
                    let lines = self.lines.iter().filter(|line| !line.starts_with(other));
                    lines
                        .map(|line| format!("{}\n", line.get(1..).unwrap_or_default()))
                        .collect()
                };
                step(Action::Replace {
                    file: file.to_owned(),
                    old: side('+'),
                    new: side('-'),
                })
            }
            _ if self.mark == Some("aside") => Ok(Vec::new()),
            None if self.mark.is_none() && self.language == "console" => Ok(self.commands()),
            _ => Err(format!(
                "line {}: nothing says what the reader does with this block ({:?}, {:?})",
                self.line, self.language, self.mark
            )),
        }
    }

    fn commands(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (line, text) in (self.line + 1..).zip(&self.lines) {
            let is_continued = matches!(steps.last(), Some(Step { action: Action::Type { command, shown }, .. })
                if command.ends_with('\\') && shown.is_empty());
            let action = match (text.strip_prefix("$ "), steps.last_mut().map(|step| &mut step.action)) {
                (Some(command), _) => Action::Type {
                    command: command.to_owned(),
                    shown: Vec::new(),
                },
                (None, Some(Action::Type { command, .. })) if is_continued => {
                    command.push('\n');
                    command.push_str(text);
                    continue;
                }
                (None, Some(Action::Type { shown, .. } | Action::Await { shown })) => {
                    shown.push((*text).to_owned());
                    continue;
                }
                (None, _) => Action::Await {
                    shown: vec![(*text).to_owned()],
                },
            };
            steps.push(Step { line, action });
        }
        steps
    }
}

/// A pattern for a line that a page shows: `…` is anything, and sizes, times and ports may be others. An address is a group of it.
pub(super) fn pattern(shown: &str) -> Result<regex::Regex, String> {
    let measures =
        regex::Regex::new(r"[0-9]+(\\\.[0-9]+)? ?(KB|MB|KiB|MiB|ms|µs|s)\b").map_err(|error| error.to_string())?;
    let escaped = regex::escape(shown.trim_end());
    let pattern = measures.replace_all(&escaped, r"[0-9.]+ ?(?:KB|MB|KiB|MiB|ms|µs|s)");
    let pattern = pattern
        .replace(&regex::escape(super::ADDRESS), r"(127\.0\.0\.1:[0-9]+)")
        .replace('…', ".*");
    regex::Regex::new(&format!("^{pattern}$")).map_err(|error| error.to_string())
}

#[test]
fn a_page_is_read_as_its_reader_reads_it() {
    let page = "# A page\n```console\n$ not typed\n```\n<!-- walk: begin -->\n```console\n$ one \\\n  more\nshown\n$ two &\nready\n```\nText.\n\
                <!-- write: a.txt -->\n\n```text\n  text\n```\n<!-- edit: a.txt -->\n```diff\n a\n-b\n+c\n```\n<!-- aside -->\n```go\nx\n```\n\
                ```console\nreloaded\n$ three\n```\n<!-- walk: end -->\n";
    let typed = |command: &str, shown: &[&str]| Action::Type {
        command: command.to_owned(),
        shown: shown.iter().map(|line| (*line).to_owned()).collect(),
    };
    let expected = [
        (7, typed("one \\\n  more", &["shown"])),
        (10, typed("two &", &["ready"])),
        (
            16,
            Action::Write {
                file: "a.txt".to_owned(),
                text: "  text\n".to_owned(),
            },
        ),
        (
            20,
            Action::Replace {
                file: "a.txt".to_owned(),
                old: "a\nb\n".to_owned(),
                new: "a\nc\n".to_owned(),
            },
        ),
        (
            30,
            Action::Await {
                shown: vec!["reloaded".to_owned()],
            },
        ),
        (31, typed("three", &[])),
    ];
    let expected: Vec<Step> = expected
        .into_iter()
        .map(|(line, action)| Step { line, action })
        .collect();
    assert_eq!(walks(page), Ok(vec![expected]));
    let unmarked =
        walks("<!-- walk: begin -->\n```go\nx\n```\n<!-- walk: end -->\n").expect_err("a page without a mark");
    assert!(unmarked.starts_with("line 2: nothing says"), "{unmarked}");
    assert!(walks("<!-- walk: begin -->\n").is_err());
}

#[test]
fn a_page_of_commands_needs_no_marks() {
    let page = "```console\n$ one\n```\n```text\n$ not typed\n```\n<!-- aside -->\n```console\n$ not typed\n```\n\
                <!-- write: a.txt -->\n```toml\na\n```\n";
    let steps = commands(page).expect("steps");
    let lines: Vec<usize> = steps.iter().map(|step| step.line).collect();
    assert_eq!(lines, [2, 12], "{steps:?}");
}

#[test]
fn what_differs_from_machine_to_machine_may_differ() {
    let check = |shown: &str, seen: &str, expected: bool| {
        assert_eq!(
            pattern(shown).expect("a pattern").is_match(seen),
            expected,
            "{shown} and {seen}"
        );
    };
    check("a.wasm: 71 KB, built in 2.1 s", "a.wasm: 1.2 MB, built in 912 ms", true);
    check("a.wasm: 71 KB, built in 2.1 s", "b.wasm: 71 KB, built in 2.1 s", false);
    check("ready listen=127.0.0.1:4697", "ready listen=127.0.0.1:31234", true);
    check("8", "8", true);
    check("8", "18", false);
    check("… passed in …", "1 passed in 0.1s", true);
}
