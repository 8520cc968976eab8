//! The manners of commands: exit codes, suggestions, manual pages, completion, and what is shown to terminals only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use ractor_host_tests::cli::{Ended, end, message, ractor_host};
use ractor_host_tests::host::{HostNode, another_counter, guest_counter};
use ractor_host_tests::programs;

use crate::operator::{at, in_folder, node};

/// The codes in the table of the page.
fn codes_of_the_page() -> BTreeSet<i32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/running.md");
    let page = fs::read_to_string(path).expect("the page");
    let (_, section) = page.split_once("\n## Exit codes\n").expect("a section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    cells
        .flat_map(|cell| cell.split(", "))
        .filter_map(|code| code.parse().ok())
        .collect()
}

#[test]
fn every_exit_code_of_the_page_is_what_a_command_ends_with_and_there_is_no_other() {
    let alpha = node("alpha", "");
    let parity = programs::guest("parity");
    let actor = "[[actors]]\nname = \"picky\"\nmodule = \"parity\"\narguments = \"str:hello\"\n";
    let picky = HostNode::start("gamma", &format!("[modules.parity]\npath = {parity:?}\n\n{actor}"));
    let given_up = || {
        let guest = guest_counter("fails", "g", 0).replace("\"temporary\"", "\"transient\"\nessential = true");
        let mut node = HostNode::start("beta", &format!("[supervisors.root]\nmax_restarts = 0\n{guest}"));
        // The node may be gone before it confirms that the cast has arrived.
        drop(message(
            "cast",
            node.address(),
            &node.cookie_file(),
            &["fails", "Crash", "str:on purpose"],
        ));
        node.process().wait_exit().code()
    };
    let waits_for_a_start = || {
        let beta = node("delta", "");
        let file = beta.file("node.toml");
        let text = fs::read_to_string(&file).expect("its file");
        fs::write(&file, format!("{text}\n[admin]\nlisten = \"127.0.0.1:0\"\n")).expect("its file");
        at(&beta, &["apply"]).code
    };
    let cases: Vec<(i32, Option<i32>)> = vec![
        (5, waits_for_a_start()),
        (0, at(&alpha, &["ps"]).code),
        (1, at(&alpha, &["show", "nobody"]).code),
        (2, in_folder(Path::new("/"), &["ps"]).code),
        (2, ractor_host(&["no-such-command"]).code),
        (3, given_up()),
        (
            4,
            message(
                "call",
                picky.address(),
                &picky.cookie_file(),
                &["picky", "Refuse", "no"],
            )
            .code,
        ),
    ];
    let mut seen = BTreeSet::new();
    for (expected, code) in cases {
        assert_eq!(code, Some(expected));
        seen.insert(expected);
    }
    // Those of signals are in `leaving`.
    let signals: BTreeSet<i32> = [129, 130, 131, 143, 152].into();
    let page = codes_of_the_page();
    assert_eq!(
        page,
        seen.union(&signals).copied().collect(),
        "the table in docs/running.md"
    );
}

#[test]
fn a_wrong_target_gets_the_nearest_right_ones_from_every_command_that_takes_one() {
    let more = another_counter("count-down", "counters", 0);
    let counter = guest_counter("counter", "counters", 0);
    let alpha = HostNode::start("alpha", &format!("\n[runtime]\nstate_dir = \"state\"\n{counter}{more}"));
    for verb in ["stop", "start", "kill", "restart", "show", "logs"] {
        let ended = at(&alpha, &[verb, "conuter"]);
        assert_eq!(ended.code, Some(1), "{verb}: {}", ended.stderr);
        assert!(
            ended.stderr.contains("did you mean `counter`"),
            "{verb}: {}",
            ended.stderr
        );
    }
    let reloaded = at(&alpha, &["reload", "conuter"]);
    assert!(
        said(&reloaded).contains("did you mean `counter`?"),
        "{}",
        said(&reloaded)
    );
    let (address, cookie) = (alpha.address().to_owned(), alpha.cookie_file());
    for (target, meant) in [("conuter", "`counter`"), ("group:conuters", "`counters`")] {
        let ended = message("call", &address, &cookie, &[target, "Get", "--timeout", "2s"]);
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.stderr.contains(&format!("did you mean {meant}")),
            "{target}: {}",
            ended.stderr
        );
    }
    // Whoever names the node as well means the same actor.
    let named = message("call", &address, &cookie, &["counter@alpha", "Get"]);
    assert_eq!(named.answer(), "0");
    let page = ractor_host(&["man", "relaod"]);
    assert!(page.stderr.contains("did you mean `reload`?"), "{}", page.stderr);
}

fn said(ended: &Ended) -> String {
    format!("{}{}", ended.stdout, ended.stderr)
}

#[test]
fn shells_can_read_their_completions() {
    for (shell, check) in [("bash", "bash"), ("zsh", "zsh"), ("fish", "fish")] {
        let script = ractor_host(&["completions", shell]);
        assert!(script.answer().contains("rollback"), "{shell}");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("script");
        fs::write(&file, &script.stdout).expect("a file");
        let Ok(read) = Command::new(check).arg("-n").arg(&file).output() else {
            eprintln!("NOT TESTED with {shell}: it isn't here");
            continue;
        };
        assert!(
            read.status.success(),
            "{shell}: {}",
            String::from_utf8_lossy(&read.stderr)
        );
    }
    let candidates = "source \"$1\"; COMP_WORDS=(ractor-host rel); COMP_CWORD=1; _ractor__host ractor-host rel ractor-host; echo \"${COMPREPLY[@]}\"";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("script");
    fs::write(&file, ractor_host(&["completions", "bash"]).stdout).expect("a file");
    let completed = end("bash", Command::new("bash").args(["-c", candidates, "bash"]).arg(&file));
    assert_eq!(completed.answer(), "reload", "{}", completed.stderr);
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("man1");
    let written = in_folder(folder.path(), &["man", "--dir", "man1"]);
    assert!(written.answer().ends_with("pages are in man1"), "{}", written.stdout);
    for (page, words) in [
        ("ractor-host.1", "ractor\\-host\\-ps"),
        ("ractor-host-ps.1", "\\-\\-watch"),
        ("ractor-host-doctor.1", "Examples:"),
    ] {
        let text = fs::read_to_string(pages.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.starts_with(".ie") && text.contains(words), "{page}: {text}");
    }
    let one = ractor_host(&["man", "ps"]);
    assert!(one.answer().contains(".TH ractor-host-ps 1"), "{}", one.stdout);
}

/// What a command writes to a terminal, and to a pipe.
#[test]
fn progress_and_colours_are_for_terminals_alone() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("NOT TESTED: that takes script");
        return;
    }
    let alpha = node("alpha", "");
    let counter = programs::guest("counter").display().to_string();
    let words = ["reload", "counter", "--dry-run", "--file", &counter];
    let on_terminal = |words: &[&str], variables: &[(&str, &str)]| {
        let program = programs::ractor_host().get_program().to_string_lossy().into_owned();
        let mut script = Command::new("script");
        let line = format!("{program} {}", words.join(" "));
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        script.current_dir(alpha.file("")).envs(variables.iter().copied());
        end("script", &mut script).stdout
    };
    let shown = on_terminal(&words, &[("TERM", "xterm")]);
    assert!(shown.contains("alpha@localhost: uploading"), "{shown}");
    let piped = at(&alpha, &words);
    assert!(!said(&piped).contains("uploading"), "{}", said(&piped));
    let coloured = on_terminal(&["doctor"], &[("TERM", "xterm")]);
    assert!(coloured.contains("\u{1b}[32mok"), "{coloured}");
    let plain = on_terminal(&["doctor"], &[("TERM", "xterm"), ("NO_COLOR", "1")]);
    assert!(plain.contains("ok  ") && !plain.contains("\u{1b}[32m"), "{plain}");
}
