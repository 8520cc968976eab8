//! GUARANTEES.md names the test that shows each statement: the tests must be there.

use crate::Finding;
use crate::files::SourceFile;

const GUARANTEES: &str = "GUARANTEES.md";

/// Tests that it names, each `file.rs::test` between backticks, and that no file of that name has.
pub(crate) fn tests_are_there(files: &[SourceFile]) -> Vec<Finding> {
    let Some(guarantees) = files.iter().find(|file| file.path == GUARANTEES) else {
        return vec![Finding {
            path: GUARANTEES.to_owned(),
            line: 1,
            rule: "this file is missing".to_owned(),
        }];
    };
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(guarantees.text.lines()) {
        let tests = text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter_map(|code| code.split_once(".rs::"));
        for (file, test) in tests.filter(|(file, test)| *file != "file" && !is_there(files, file, test)) {
            let rule = format!("no file {file}.rs has a test {test}");
            findings.push(Finding::new(guarantees, line, rule));
        }
    }
    findings
}

/// True if a file of this name, or a folder that it has become, has a test of that name.
pub(crate) fn is_there(files: &[SourceFile], file: &str, test: &str) -> bool {
    // `a.rs` may have become the folder `a`.
    let endings = [format!("/{file}.rs"), format!("/{file}/main.rs")];
    let function = format!("fn {test}(");
    files
        .iter()
        .filter(|source| endings.iter().any(|ending| source.path.ends_with(ending)))
        .any(|source| source.text.contains(&function))
}

#[test]
fn finds_tests_that_are_not_there() {
    let file = |path: &str, text: &str| SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let files = [
        file(
            GUARANTEES,
            "good: `a.rs::one`, `file.rs::test`\nbad: `a.rs::on`, `b.rs::one`",
        ),
        file("tests/a/main.rs", "fn one() {}"),
    ];
    let lines: Vec<_> = tests_are_there(&files).iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [2, 2]);
}
