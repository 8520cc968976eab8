//! What the log says of a trap in a component that was built as new projects build it.

use std::fs;

use ractor_host_tests::cli::message;
use ractor_host_tests::process::Stream;

use crate::projects::Workshop;
use crate::workshop::only_project_in;

/// How a language says that nothing is left, from a function of its own in the handler of `Get`.
struct Trap {
    file: &'static str,
    edits: &'static [(&'static str, &'static str)],
    /// What the log has to say, each in some line.
    said: &'static [&'static str],
}

#[track_caller]
fn traps(language: &str, trap: &Trap) {
    let _only = only_project_in(language);
    let workshop = Workshop::new(language);
    edit(&workshop, trap.file, trap.edits);
    if !workshop.first_build(language, &["build"], "counter") {
        return;
    }
    workshop.succeed(&["check", "node.toml"]);
    is_said(&workshop, trap.said);
    if language == "c" {
        edit(&workshop, "guest.toml", &[("flags = []", "flags = [\"-g\"]")]);
        workshop.succeed(&["build"]);
        workshop.succeed(&["check", "node.toml"]);
        is_said(&workshop, &["out_of_stock in src/actor.c:13"]);
    }
}

#[track_caller]
fn edit(workshop: &Workshop, file: &str, edits: &[(&str, &str)]) {
    let path = workshop.project().join(file);
    let mut text = fs::read_to_string(&path).expect("a source");
    for (from, to) in edits {
        assert!(text.contains(from), "{from} in {text}");
        text = text.replacen(from, to, 1);
    }
    fs::write(&path, text).expect("a file");
}

/// Has the actor trap, and waits for what the log says of it.
#[track_caller]
fn is_said(workshop: &Workshop, expected: &[&str]) {
    let (mut node, address) = workshop.dev();
    drop(message(
        "call",
        &address,
        &workshop.project().join("cookie"),
        &["counter", "Get"],
    ));
    for part in expected {
        node.wait_line(Stream::Stderr, 0, part, |line| line.contains(part));
    }
}

#[test]
fn a_trap_in_rust_names_the_function() {
    traps(
        "rust",
        &Trap {
            file: "src/lib.rs",
            edits: &[
                ("-> u64 { self.count }", "-> u64 { out_of_stock(self.count) }"),
                (
                    "impl Reload",
                    "#[inline(never)]\nfn out_of_stock(count: u64) -> u64 {\n    if count < 100 { std::process::abort() }\n    count\n}\n\nimpl Reload",
                ),
            ],
            said: &["out_of_stock"],
        },
    );
}

#[test]
fn the_first_function_of_a_panic_in_rust_is_the_programs_own() {
    let _only = only_project_in("rust");
    let workshop = Workshop::new("rust");
    let edits = [(
        "-> u64 { self.count }",
        "-> u64 { self.count.checked_sub(100).unwrap() }",
    )];
    edit(&workshop, "src/lib.rs", &edits);
    if !workshop.first_build("rust", &["build"], "counter") {
        return;
    }
    let (mut node, address) = workshop.dev();
    let cookie = workshop.project().join("cookie");
    drop(message("call", &address, &cookie, &["counter", "Get"]));
    let failed = "failed in handle-call `Get`";
    node.wait_line(Stream::Stderr, 0, failed, |line| {
        line.contains(failed) && line.contains("instruction executed (at <counter::Counter as ")
    });
}

#[test]
fn a_trap_in_c_names_the_function_and_its_line_if_that_is_asked_for() {
    traps(
        "c",
        &Trap {
            file: "src/actor.c",
            edits: &[
                ("#include \"ractor.h\"", "#include \"ractor.h\"\n#include <stdlib.h>"),
                ("*reply = self->count;", "*reply = out_of_stock(self->count);"),
                (
                    "static ractor_status on_get",
                    "__attribute__((noinline)) static uint64_t out_of_stock(uint64_t count) {\n  if (count < 100) abort();\n  return count;\n}\nstatic \
                     ractor_status on_get",
                ),
            ],
            said: &["out_of_stock"],
        },
    );
}

#[test]
fn a_trap_in_go_names_the_function_and_its_line() {
    traps(
        "go",
        &Trap {
            file: "actor.go",
            edits: &[
                ("return c.Count }", "return outOfStock(c.Count) }"),
                (
                    "func init()",
                    "//go:noinline\nfunc outOfStock(count uint64) uint64 {\n\tif count < 100 {\n\t\tpanic(\"nothing is left\")\n\t}\n\treturn count\n}\n\nfunc init()",
                ),
            ],
            said: &["outOfStock", "actor.go:", "nothing is left"],
        },
    );
}
