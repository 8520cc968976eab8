//! A project in each language, as its user goes about it: made, built, tested, run, called, and edited while it runs.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use ractor_host_tests::cli::message;
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::{programs, wait};
use tempfile::TempDir;

use crate::workshop::{COMPILATION, assert_no_checkout, is_complete, lacks_tools, only_project_in, share_caches};

/// What a test does to the source of the actor that counts.
struct Edit {
    file: &'static str,
    from: &'static str,
    /// Counts in tens; nothing of a language whose page has its reader do that: see `walks`.
    to: Option<&'static str>,
    /// Doesn't compile.
    broken: &'static str,
}

/// A folder with a project called `counter`.
pub(crate) struct Workshop {
    folder: TempDir,
}

impl Workshop {
    /// The folder is there and empty.
    pub(crate) fn empty() -> Self {
        let this = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        fs::create_dir(this.project()).expect("a folder");
        this
    }

    pub(crate) fn new(language: &str) -> Self {
        let this = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let made = this.run(this.folder.path(), &["new", "--lang", language, "counter"]);
        assert!(made.status.success(), "{}", both(&made));
        this
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("counter")
    }

    fn command(&self, within: &Path) -> Command {
        let mut command = programs::ractor_host();
        command.current_dir(within);
        share_caches(&mut command);
        command
    }

    /// Runs `ractor-host ARGUMENTS` to its end. It may take a while: it installs and compiles.
    pub(crate) fn run(&self, within: &Path, arguments: &[&str]) -> Output {
        let mut command = self.command(within);
        command.args(arguments).output().expect("ractor-host starts")
    }

    /// The same in the project, where it succeeds. Gives what it answered.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(&self.project(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", both(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The node of the project, and its address.
    #[track_caller]
    pub(crate) fn dev(&self) -> (Process, String) {
        let mut command = self.command(&self.project());
        let state = format!("runtime.state_dir={:?}", self.folder.path().join("state"));
        command.args(["dev", "node.toml", "--set", "node.listen=127.0.0.1:0", "--set", &state]);
        let mut node = Process::start("ractor-host dev", &mut command);
        // What runs sources is made first.
        wait_long(&mut node, "the ready line", "ready ");
        let (_, ready) = node.wait_line(Stream::Stdout, 0, "the ready line", |line| line.starts_with("ready "));
        let address = ready.rsplit('=').next().unwrap_or_default().to_owned();
        (node, address)
    }

    /// The first build, of `build/NAME.wasm`. False if what the language needs can't be had here, which is said loudly.
    #[track_caller]
    pub(crate) fn first_build(&self, language: &str, arguments: &[&str], name: &str) -> bool {
        let output = self.run(&self.project(), arguments);
        let said = both(&output);
        if output.status.success() {
            let component = format!("build/{name}.wasm: ");
            assert!(said.contains(&component) && said.contains(", built in "), "{said}");
            return true;
        }
        let is_missing = lacks_tools(&format!("projects in {language}"), &said);
        assert!(is_missing, "the project in {language} does not build: {said}");
        false
    }
}

/// Whether this checkout has the SDK of the language.
fn has_sdk(language: &str) -> bool {
    let folder = match language {
        "ts" => "js",
        "rust" => "src",
        other => other,
    };
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../guest-sdk")
        .join(folder)
        .exists()
}

fn both(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[track_caller]
fn live(language: &str, edit: &Edit) {
    if !has_sdk(language) {
        assert!(!is_complete(), "this checkout has no SDK for {language}");
        drop(writeln!(
            std::io::stderr(),
            "NOT TESTED: projects in {language}: this checkout has no SDK for it"
        ));
        return;
    }
    let _only = only_project_in(language);
    let workshop = Workshop::new(language);
    let project = workshop.project();
    let mode = fs::metadata(project.join("cookie"))
        .expect("a cookie")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    if !workshop.first_build(language, &["build"], "counter") {
        return;
    }
    assert_eq!(workshop.succeed(&["build"]).rsplit(", ").next(), Some("up to date\n"));
    workshop.succeed(&["test"]);
    if language == "ts" {
        check_types_of_tests(&workshop);
    }
    assert_no_checkout(&project);
    check_clients(&workshop, language);
    // The code is compiled before, because the node of a test has to start soon.
    workshop.succeed(&["check", "node.toml"]);

    let (mut node, address) = workshop.dev();
    let cookie = project.join("cookie");
    let add = |number: &str| {
        drop(
            message("cast", &address, &cookie, &["counter", "Add", number])
                .answer()
                .to_owned(),
        )
    };
    let count = |expected: &str| {
        let get = || message("call", &address, &cookie, &["counter", "Get"]).stdout;
        wait::until("the count", get, |seen| seen == expected);
    };
    count("0");
    check_bindgen_of_a_running_actor(&workshop, language, &address);
    add("5");
    count("5");

    let file = project.join(edit.file);
    let source = fs::read_to_string(&file).expect("a source");
    assert!(source.contains(edit.from), "{source}");
    let mut expected = 5;
    let mut step = 1;
    if let Some(to) = edit.to {
        fs::write(&file, source.replace(edit.from, to)).expect("a file");
        wait_long(&mut node, "the reload", "reloaded counter: 1 actors");
        step = 10;
        expected += step;
        add("1");
        count(&expected.to_string());
    }
    fs::write(&file, source.replace(edit.from, edit.broken)).expect("a file");
    wait_long(&mut node, "the failure", "counter does not build");
    // The compiler's own words, with the place.
    let place = Path::new(edit.file)
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    node.wait_line(Stream::Stderr, 0, "the place of the mistake", |line| {
        line.contains(&place)
    });
    add("1");
    count(&(expected + step).to_string());
}

/// Waits for a line on stdout that begins like this: what is compiled is large in some languages, such as the interpreter of Python.
#[track_caller]
pub(crate) fn wait_long(node: &mut Process, what: &str, begin: &str) {
    wait_long_from(node, 0, what, begin);
}

/// The same behind this many lines.
#[track_caller]
pub(crate) fn wait_long_from(node: &mut Process, from: usize, what: &str, begin: &str) {
    let deadline = Instant::now() + COMPILATION;
    let is_there = |node: &Process| {
        let lines = node.lines(Stream::Stdout);
        lines.iter().skip(from).any(|line| line.starts_with(begin))
    };
    while !is_there(node) {
        assert!(Instant::now() < deadline && node.ended().is_none(), "no sign of {what}");
        std::thread::sleep(wait::POLL);
    }
}

/// Node would run a test whose types are wrong, and leave them out.
#[track_caller]
fn check_types_of_tests(workshop: &Workshop) {
    let file = workshop.project().join("tests/counts.test.ts");
    let right = fs::read_to_string(&file).expect("a test");
    fs::write(&file, format!("{right}\nexport const wrong: string = 5;\n")).expect("a file");
    let tested = workshop.run(&workshop.project(), &["test"]);
    let said = both(&tested);
    assert!(
        !tested.status.success() && said.contains("tests/counts.test.ts(") && said.contains("TS2322"),
        "{said}"
    );
    fs::write(&file, right).expect("a file");
}

/// Clients of an actor that uses every type, and of one that defines its types of JSON, pass the compiler of their language, in the project.
#[track_caller]
fn check_clients(workshop: &Workshop, language: &str) {
    let project = workshop.project();
    let write = |file: &str, edit: &dyn Fn(String) -> String| {
        let text = fs::read_to_string(project.join(file)).unwrap_or_default();
        fs::write(project.join(file), edit(text)).expect("a file");
    };
    let bindgen = |of: &str, file: &str| {
        let subject = programs::guest(of);
        let subject = subject.to_str().expect("a path in UTF-8");
        workshop.succeed(&["bindgen", "--lang", language, subject, "--output", file]);
        fs::read_to_string(project.join(file)).expect("a client")
    };
    let (file, of_json, declared) = match language {
        "rust" => (
            "src/client.rs",
            "src/kitchen.rs",
            "    #[wire(name = \"Self\")]\n    #[rpc]\n    Self_(",
        ),
        "python" => ("src/client.py", "src/kitchen.py", "quantity: \"float\""),
        "ts" => ("src/client.ts", "src/kitchen.ts", "quantity: number;"),
        "js" => ("src/client.js", "src/kitchen.js", "json(\"Order\")"),
        "go" => ("client.go", "kitchen.go", "Quantity float64 `json:\"quantity\"`"),
        _ => ("src/client.h", "src/kitchen.h", "RACTOR_JSON(Kitchen_Order, \"Order\")"),
    };
    bindgen("parity", file);
    // A message of the kitchen is called `Self`, which nothing in Rust can be.
    let client = bindgen("kitchen_ts", of_json);
    assert!(client.contains(declared), "{client}");
    match language {
        "rust" => {
            write("src/lib.rs", &|text| {
                text.replacen("\nuse ", "\npub mod client;\npub mod kitchen;\nuse ", 1)
            });
            // What a client with types of JSON needs.
            write("Cargo.toml", &|text| {
                text.replace("features = [\"reload\"] }", "features = [\"json\", \"reload\"] }")
                    .replacen(
                        "\n[dev-dependencies]",
                        "serde = { version = \"1\", features = [\"derive\"] }\n\n[dev-dependencies]",
                        1,
                    )
            });
        }
        "js" => write("src/actor.js", &|text| {
            text.replacen(
                "import ",
                "import \"./client.js\";\nimport \"./kitchen.js\";\nimport ",
                1,
            )
        }),
        "c" => {
            write("src/client.c", &|_| {
                "#include \"client.h\"\n#include \"kitchen.h\"\n".to_owned()
            });
            write("guest.toml", &|text| {
                text.replace("[\"src/actor.c\"]", "[\"src/actor.c\", \"src/client.c\"]")
            });
        }
        _ => {}
    }
    // Types of Python are checked by its tests, all others by the compiler.
    if language == "python" {
        workshop.succeed(&["test"]);
    }
    workshop.succeed(&["build"]);
}

/// What an actor says over the wire is what its component says.
#[track_caller]
fn check_bindgen_of_a_running_actor(workshop: &Workshop, language: &str, address: &str) {
    let of_file = workshop.succeed(&["bindgen", "--lang", language, "build/counter.wasm"]);
    let to_node = ["--node", address, "--cookie-file", "cookie", "counter"];
    let of_actor = workshop.succeed(&[&["bindgen", "--lang", language][..], &to_node[..]].concat());
    assert_eq!(of_actor, of_file);
}

#[test]
fn a_new_project_in_rust_builds_passes_its_test_and_says_where_an_edit_is_wrong() {
    live(
        "rust",
        &Edit {
            file: "src/lib.rs",
            from: "self.count += number",
            to: None,
            broken: "self.count += nothing_like_this",
        },
    );
}

#[test]
fn a_new_project_in_python_builds_passes_its_test_and_says_where_an_edit_is_wrong() {
    live(
        "python",
        &Edit {
            file: "src/app.py",
            from: "+= number",
            to: None,
            broken: "+= number *",
        },
    );
}

#[test]
fn a_new_project_in_typescript_builds_passes_its_test_and_says_where_an_edit_is_wrong() {
    live(
        "ts",
        &Edit {
            file: "src/actor.ts",
            from: "+= number",
            to: None,
            broken: "+= number * 10",
        },
    );
}

#[test]
fn a_new_project_in_javascript_builds_passes_its_test_and_changes_while_it_runs() {
    live(
        "js",
        &Edit {
            file: "src/actor.js",
            from: "+= number",
            to: Some("+= number * 10n"),
            broken: "+= number *",
        },
    );
}

#[test]
fn a_new_project_in_c_builds_passes_its_test_and_says_where_an_edit_is_wrong() {
    live(
        "c",
        &Edit {
            file: "src/actor.c",
            from: "+= number",
            to: None,
            broken: "+= nothing_like_this",
        },
    );
}

#[test]
fn a_new_project_in_go_builds_passes_its_test_and_says_where_an_edit_is_wrong() {
    live(
        "go",
        &Edit {
            file: "actor.go",
            from: "+= number",
            to: None,
            broken: "+= nothingLikeThis",
        },
    );
}
