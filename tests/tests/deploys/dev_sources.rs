//! `ractor-host dev` runs the source of a project in an interpreted language: a change of any of its files is in the running actor at once,
//! and what is wrong with it is said with its place.

use std::fs;
use std::path::Path;

use ractor_host_tests::cli::message;
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::wait;

use crate::projects::{Workshop, wait_long_from};
use crate::workshop::lacks_tools;

const PRICES: &str = "\"\"\"What things cost.\"\"\"\n\nfrom . import BASE\n\n\ndef price(number: int) -> int:\n    return number * BASE\n";

/// A project in Python with a package beside the module of the actor.
fn shop() -> Workshop {
    let workshop = Workshop::new("python");
    let source = workshop.project().join("src");
    let app = fs::read_to_string(source.join("app.py")).expect("a source");
    let app = app
        .replace("\nfrom ractor", "\nfrom rules.prices import price\nfrom ractor")
        .replace("+= number", "+= price(number)");
    write(&source, "app.py", &app);
    fs::create_dir(source.join("rules")).expect("a folder");
    write(&source, "rules/__init__.py", "BASE = 2\n");
    write(&source, "rules/prices.py", PRICES);
    workshop
}

fn write(folder: &Path, file: &str, text: &str) {
    fs::write(folder.join(file), text).expect("a file");
}

/// The node, if what Python needs can be had here.
fn dev(workshop: &Workshop) -> Option<(Process, String)> {
    // So that it is said when it can't.
    let output = workshop.run(&workshop.project(), &["build", "--runtime", "python"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        assert!(lacks_tools("dev of projects in Python", &said), "{said}");
        return None;
    }
    Some(workshop.dev())
}

#[test]
fn all_modules_of_a_project_are_edited_while_they_run() {
    let workshop = shop();
    let Some((mut node, address)) = dev(&workshop) else {
        return;
    };
    let source = workshop.project().join("src");
    let cookie = workshop.project().join("cookie");
    let add = || {
        drop(
            message("cast", &address, &cookie, &["counter", "Add", "5"])
                .answer()
                .to_owned(),
        )
    };
    let get = || message("call", &address, &cookie, &["counter", "Get"]).stdout;
    let count = |expected: &str| wait::until("the count", get, |seen| seen == expected);
    add();
    count("10");

    let is_reloaded = |line: &str| line.starts_with("reloaded counter: 1 actors");
    let before = node.lines(Stream::Stderr).len();
    write(&source, "rules/__init__.py", "BASE = 3\n");
    let (mut at, _) = node.wait_line(Stream::Stdout, 0, "the reload", is_reloaded);
    add();
    count("25");
    let work: Vec<_> = node
        .lines(Stream::Stderr)
        .into_iter()
        .skip(before)
        // Optimized code of the runtime may be made behind the baseline code, whenever there is time.
        .filter(|line| {
            line.contains("==> make") || line.contains("large component") && !line.contains("code=Optimized")
        })
        .collect();
    assert!(work.is_empty(), "{work:?}");

    // A mistake is said with its place, whether it shows when the source is read or when it runs.
    write(&source, "rules/prices.py", &PRICES.replace("* BASE", "* (BASE"));
    (at, _) = node.wait_line(Stream::Stdout, at, "the mistake", |line| {
        line.starts_with("counter does not build")
    });
    node.wait_line(Stream::Stderr, 0, "its place", |line| {
        line.contains("src/rules/prices.py\", line 7")
    });
    write(&source, "rules/prices.py", &format!("{PRICES}\nprice(nothing)\n"));
    let (after, line) = node.wait_line(Stream::Stdout, at, "the mistake", |line| {
        line.starts_with("counter is not reloaded")
    });
    assert!(
        line.contains("rules/prices.py, line 9: NameError: name 'nothing' is not defined"),
        "{line}"
    );
    count("25");

    // The runtime gets what it doesn't have yet.
    let imports = "import plistlib\n\nassert plistlib.dumps({})\n";
    let more = PRICES
        .replace("* BASE", "* 10")
        .replace("\n\n\ndef", &format!("\n{imports}\n\ndef"));
    write(&source, "rules/prices.py", &more);
    wait_long_from(&mut node, after, "the reload", "reloaded counter: 1 actors");
    add();
    count("75");
    // What only `run` needs is made by `build` alone.
    assert!(!workshop.project().join("build/counter.wasm").exists());
    let run = workshop.run(&workshop.project(), &["run", "node.toml"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(
        said.contains("`ractor-host build`, run beside the file, makes it"),
        "{said}"
    );
}
