//! Phrases that crept into the prose and that no native reader would have written. This is no checker of language: each row of the
//! table was in this repository more than once.

use regex::Regex;

use crate::Finding;
use crate::files::SourceFile;

/// A phrase that is not to come back.
struct Habit {
    /// A regular expression over one paragraph, which is one line of text here.
    phrase: &'static str,
    /// A regular expression over the text from the phrase on. Where it matches, the phrase is good English.
    unless: Option<&'static str>,
    /// What to write in its place.
    instead: &'static str,
}

/// All habits. Each has an example in the tests below.
const HABITS: &[Habit] = &[
    Habit {
        phrase: r"(?i)\bof whom\b",
        unless: None,
        instead: "name the actor or the person, and say what they do",
    },
    Habit {
        phrase: r"(?i)\bof which nothing\b",
        unless: None,
        instead: "say who does nothing with it",
    },
    Habit {
        phrase: r"(?i)\b(is|are|was|were|be|been|being) waited\b|\bit is looked\b",
        unless: None,
        instead: "say who waits or looks; for a constant, `The longest wait for …` or `The interval between …`",
    },
    Habit {
        phrase: r"(?i)^how (often|long) (it|is)\b",
        unless: None,
        instead: "a description starts with a noun: `The time until …`, `The number of …`",
    },
    Habit {
        phrase: r"(?i)\bso many\b",
        unless: Some(r"(?i)^so many (\S+ ){0,6}that\b"),
        instead: "`this many`, or the number by its name",
    },
    Habit {
        phrase: r"(?i)\b\w+,? else([.,;:)]|$)",
        unless: Some(
            r"(?i)^((any|every|no|some)(body|one|thing|where)|what|where|who|(what|who)ever|one|little|much|or) ",
        ),
        instead: "`otherwise`, or a sentence with `if`",
    },
    Habit {
        phrase: r"(^|[.;:] )[Ee]lse\b",
        unless: None,
        instead: "`Otherwise`, or a sentence with `if`",
    },
    Habit {
        phrase: r"(?i)\b(he|him|his|himself)\b",
        unless: None,
        instead: "a person is `they`; a task, a peer or a node is `it`",
    },
    Habit {
        phrase: r"(?i)^#+ what .*, and what (isn't|is not)\b",
        unless: None,
        instead: "a heading is what a reader searches for",
    },
];

/// A paragraph of prose on one line, and where its lines begin: offsets with line numbers.
#[derive(Default)]
struct Paragraph {
    text: String,
    lines: Vec<(usize, usize)>,
}

impl Paragraph {
    fn push(&mut self, line: usize, text: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.lines.push((self.text.len(), line));
        self.text.push_str(text.trim());
    }

    fn line_at(&self, offset: usize) -> usize {
        let begun = self.lines.iter().take_while(|(start, _)| *start <= offset);
        begun.last().map_or(1, |(_, line)| *line)
    }
}

/// Habits in Markdown, in the doc comments of the world of a guest, and in comments and command-line help of Rust files.
pub(crate) fn habits(files: &[SourceFile]) -> Vec<Finding> {
    let compiled = |pattern: &str| Regex::new(pattern).expect("a habit is a regular expression");
    let habits: Vec<(Regex, Option<Regex>, &str)> = HABITS
        .iter()
        .map(|habit| (compiled(habit.phrase), habit.unless.map(compiled), habit.instead))
        .collect();
    let mut findings = Vec::new();
    for file in files {
        for paragraph in paragraphs(file) {
            for (phrase, unless, instead) in &habits {
                let hits = phrase.find_iter(&paragraph.text).filter(|hit| {
                    let from_here = &paragraph.text[hit.start()..];
                    !unless.as_ref().is_some_and(|unless| unless.is_match(from_here))
                });
                findings.extend(hits.map(|hit| {
                    let line = paragraph.line_at(hit.start());
                    Finding::new(file, line, format!("`{}`: {instead}", hit.as_str()))
                }));
            }
        }
    }
    findings
}

/// Constants whose description begins with a question in place of a noun: a reader of the name and the number asks what it is.
pub(crate) fn constants(files: &[SourceFile]) -> Vec<Finding> {
    let compiled = |pattern: &str| Regex::new(pattern).expect("this is a regular expression");
    let constant = compiled(r"^(pub(\([a-z ]+\))? )?(const|static) [A-Z_0-9]+:");
    let question = compiled(r"^///? *((For|After|At) )?([Hh]ow|So) (long|often|many|much|large|the)\b");
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let mut description = None;
        for (number, line) in (1..).zip(file.text.lines().map(str::trim)) {
            if line.starts_with("///") {
                description = description.or(Some((number, line)));
                continue;
            }
            if line.starts_with("#[") {
                continue;
            }
            let described = description.take().filter(|_| constant.is_match(line));
            findings.extend(
                described
                    .filter(|(_, text)| question.is_match(text))
                    .map(|(number, _)| {
                        let rule = "a constant is described by a noun: `The longest wait for …`, `The number of …`";
                        Finding::new(file, number, rule)
                    }),
            );
        }
    }
    findings
}

fn paragraphs(file: &SourceFile) -> Vec<Paragraph> {
    let has_help = file.is_rust() && file.text.lines().any(|line| line.starts_with("use clap::"));
    let mut done = Vec::new();
    let mut open = Paragraph::default();
    let mut in_code = false;
    for (number, line) in (1..).zip(file.text.lines()) {
        let prose = if file.path.ends_with(".md") {
            Some(line.trim())
        } else if file.is_rust() || file.path.ends_with(".wit") {
            comment(line.trim())
        } else {
            None
        };
        let Some(prose) = prose else {
            done.push(std::mem::take(&mut open));
            in_code = false;
            if has_help {
                done.extend(between_quotes(number, line));
            }
            continue;
        };
        in_code ^= prose.starts_with("```");
        let is_item = ["- ", "* ", "#"].iter().any(|mark| prose.starts_with(mark));
        if prose.is_empty() || is_item || prose.starts_with('|') {
            done.push(std::mem::take(&mut open));
        }
        if in_code || prose.starts_with("```") {
            continue;
        }
        if prose.starts_with('|') {
            done.extend(prose.split('|').map(|cell| alone(number, cell)));
        } else {
            open.push(number, &without_code(prose));
        }
    }
    done.push(open);
    done
}

/// The text of a line that is a comment, without the marks before it.
fn comment(line: &str) -> Option<&str> {
    let text = line.strip_prefix("//")?;
    Some(text.strip_prefix(['/', '!']).unwrap_or(text).trim())
}

/// Each string of a line of code.
fn between_quotes(number: usize, line: &str) -> impl Iterator<Item = Paragraph> {
    line.split('"').skip(1).step_by(2).map(move |text| alone(number, text))
}

fn alone(number: usize, text: &str) -> Paragraph {
    let mut paragraph = Paragraph::default();
    paragraph.push(number, &without_code(text));
    paragraph
}

/// The text without what stands between backticks.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

#[cfg(test)]
fn found(path: &str, text: &str) -> Vec<usize> {
    let file = SourceFile {
        path: path.into(),
        text: text.into(),
    };
    habits(&[file]).iter().map(|finding| finding.line).collect()
}

#[test]
fn finds_each_habit_on_its_line() {
    let check = |path, text: &str, line| assert_eq!(found(path, text), [line], "{path}: {text}");
    // In pieces, because this list is prose as well.
    check("a.md", concat!("An actor of", " whom nothing is known."), 1);
    check("a.md", concat!("Files of which", "\nnothing is heard."), 1);
    check("a.md", concat!("One line.\nIt is", " waited for the file."), 2);
    check("a.rs", concat!("/// How often it", " is tried.\nconst A: u32 = 1;"), 1);
    check(
        "a.rs",
        concat!("fn a() {\n    // After so", "\n    // many bytes.\n}"),
        2,
    );
    check("a.wit", concat!("/// It could fill the log", " else.\nresource a;"), 1);
    check("a.md", concat!("It works. El", "se it fails."), 1);
    check("a.md", concat!("| key | Whoever sees it, if h", "e looks |"), 1);
    check("a.md", concat!("## What is kept, and what", " isn't"), 1);
    check(
        "a.rs",
        concat!("use clap::Args;\n#[arg(help = \"so", " many times\")]"),
        2,
    );
}

#[test]
fn leaves_good_sentences_and_code_alone() {
    let check = |path, text: &str| assert_eq!(found(path, text), [0; 0], "{path}: {text}");
    check("a.md", "So many families wait that the bound is reached.");
    check("a.md", "It waits for the file and nothing else, or for somebody else.");
    check("a.md", "```sh\nif a; then b; else\n```\nUse `so many` or `else`.");
    check("a.rs", "let text = \"so many\";");
    check("a.rs", "/// How often and how long is up to the caller.\nfn a() {}");
    check("a.toml", "# of whom");
}

#[test]
fn finds_constants_that_are_described_by_a_question() {
    let check = |text: &str, expected: &[usize]| {
        let file = SourceFile {
            path: "a.rs".into(),
            text: text.into(),
        };
        let lines: Vec<usize> = constants(&[file]).iter().map(|finding| finding.line).collect();
        assert_eq!(lines, expected, "{text}");
    };
    check("/// How long it lasts.\n/// More.\nconst A: u32 = 1;", &[1]);
    check(
        "    /// How often.\n    #[cfg(test)]\n    pub(crate) const A: u32 = 1;",
        &[1],
    );
    check("/// The longest wait.\nconst A: u32 = 1;", &[]);
    check("/// How long it lasted.\nfn a() {}\n\nconst A: u32 = 1;", &[]);
    check("/// How long it lasted.\nconst fn a() {}", &[]);
}
