//! `ractor-host dev`: a source changes, is built, and the actors that run change with it.

use ractor_host_tests::cli::message;
use ractor_host_tests::host::node_toml;
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::{programs, wait};

use crate::lab::Lab;
use crate::versions::version;

/// The "compiler" takes a file that says which version it is to be.
const BUILD: &str = "test \"$(cat src/main.txt)\" != broken && cp \"$(cat src/main.txt).wasm\" alpha.wasm || { echo 'line 1: it is \
                     broken'; exit 1; }";

#[test]
fn an_edit_is_built_and_reloaded_and_an_error_leaves_what_runs() {
    let lab = Lab::new();
    for number in 1..=3 {
        lab.write(&format!("v{number}.wasm"), &version(number));
    }
    std::fs::create_dir(lab.path("src")).expect("a folder");
    lab.write("src/main.txt", b"v1");
    let module = format!("build = {BUILD:?}\nsources = [\"src\"]");
    lab.write(
        "node.toml",
        node_toml("alpha", &lab.toml("alpha", &[], &module, "")).as_bytes(),
    );
    let mut command = programs::ractor_host();
    let mut node = Process::start("ractor-host dev", command.arg("dev").arg(lab.path("node.toml")));
    let (_, ready) = node.wait_line(Stream::Stdout, 0, "the ready line", |line| line.starts_with("ready "));
    let address = ready.rsplit('=').next().unwrap_or_default().to_owned();
    let cookie = lab.path("cookie");
    let ask = |what: &str| message("call", &address, &cookie, &["counter", what, "--reply", "u64"]).stdout;
    let wait_for = |what: &str, expected: &str| {
        wait::until(what, || ask(what), |seen| seen == expected);
    };
    assert_eq!(ask("version"), "1");
    message("cast", &address, &cookie, &["counter", "add", "u8:5"]).answer();
    wait_for("get", "5");

    lab.write("src/main.txt", b"v2");
    node.wait_line(Stream::Stdout, 0, "the reload", |line| {
        line.starts_with("reloaded counter: 1 actors, 4 bytes")
    });
    assert_eq!((ask("version"), ask("get")), ("2".to_owned(), "5".to_owned()));

    lab.write("src/main.txt", b"broken");
    node.wait_line(Stream::Stderr, 0, "the error", |line| {
        line.contains("line 1: it is broken")
    });
    node.wait_line(Stream::Stdout, 0, "the error", |line| {
        line.starts_with("counter does not build")
    });
    assert_eq!((ask("version"), ask("get")), ("2".to_owned(), "5".to_owned()));

    lab.write("src/main.txt", b"v3");
    wait_for("version", "3");
    assert_eq!(ask("get"), "5");
}
