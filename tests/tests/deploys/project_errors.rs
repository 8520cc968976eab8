//! What `ractor-host new` and `build` say when something isn't there, or isn't as it should be: with programs that only play their part.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ractor_host_tests::cli::{Ended, end, ractor_host};
use ractor_host_tests::programs;
use tempfile::TempDir;

/// A Python that can do everything but what `-m` is told to: that fails with these words.
const PYTHON: &str = "case \"$1\" in -c) echo 3.12;; *) echo \"$0: WORDS\" >&2; exit 1;; esac";

/// A machine with these programs and no others, and a project.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new(language: &str, programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let project = folder.path().join("counter");
        let made = ractor_host(&["new", "--lang", language, project.to_str().expect("a path in UTF-8")]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        let this = Self { folder };
        fs::create_dir(this.folder.path().join("bin")).expect("a folder");
        for (name, script) in programs {
            this.add(name, script);
        }
        this
    }

    fn add(&self, name: &str, script: &str) {
        let path = self.folder.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("permissions");
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("counter")
    }

    fn build(&self) -> Ended {
        let mut command = programs::ractor_host();
        command
            .env("PATH", self.folder.path().join("bin"))
            .env_remove("RACTOR_HOST_CACHE");
        command.arg("build").arg(self.project());
        end("ractor-host build", &mut command)
    }

    /// It fails, and says all of this.
    #[track_caller]
    fn check(&self, expected: &[&str]) {
        let ended = self.build();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        for text in expected {
            assert!(ended.stderr.contains(text), "{}\nshould say: {text}", ended.stderr);
        }
    }
}

#[test]
fn a_missing_program_is_named_with_what_to_install() {
    Machine::new("rust", &[]).check(&["`rustc` is needed to compile the project", "https://rustup.rs"]);
    let rustc = ("rustc", "echo /no/such/folder");
    Machine::new("rust", &[rustc]).check(&[
        "==> rustup target add wasm32-wasip2",
        "`rustup` is needed",
        "no target wasm32-wasip2",
    ]);
    if has_sdk("python") {
        Machine::new("python", &[]).check(&[
            "`python3` is needed to install what compiles the project",
            "python3-venv",
        ]);
        Machine::new("python", &[("python3", "echo 3.9")]).check(&["`python3` is 3.9, and 3.11 or later is needed"]);
    }
    if has_sdk("js") {
        Machine::new("ts", &[]).check(&["`node` is needed", "install Node.js"]);
        Machine::new("ts", &[("node", "echo v22.1.0")]).check(&["`npm` is needed", "install Node.js"]);
        Machine::new("js", &[("node", "echo v18.1.0")]).check(&["`node` is 18.1.0, and 20.0 or later is needed"]);
    }
}

#[test]
fn an_installation_that_fails_says_why_and_what_to_do() {
    let python = |words: &str| Machine::new("python", &[("python3", &PYTHON.replace("WORDS", words))]);
    if has_sdk("python") {
        python("ensurepip is not available").check(&[
            "==> install componentize-py",
            "install python3-venv",
            "ensurepip is not available",
        ]);
        python("OSError: [Errno 28] No space left on device").check(&["The disk is full. Free some space"]);
        python("THESE PACKAGES DO NOT MATCH THE HASHES FROM").check(&["isn't what is pinned here"]);
    }
    let npm = |words: &str| {
        let script = format!("echo 'npm error code {words}' >&2; exit 1");
        Machine::new("ts", &[("node", "echo v22.1.0"), ("npm", &script)])
    };
    if has_sdk("js") {
        npm("ECONNREFUSED").check(&["The registry can't be reached", "cannot install componentize-qjs"]);
        npm("EINTEGRITY").check(&["isn't what is pinned here", "npm error code EINTEGRITY"]);
        npm("ENOSPC").check(&["The disk is full"]);
    }
}

#[test]
fn what_was_not_installed_whole_is_installed_again() {
    if !has_sdk("js") {
        return;
    }
    let machine = Machine::new(
        "js",
        &[
            ("node", "echo v22.1.0"),
            ("npm", "/bin/mkdir node_modules; echo died; exit 1"),
        ],
    );
    machine.check(&["==> install componentize-qjs", "died"]);
    machine.check(&["==> install componentize-qjs", "died"]);
    // Now it gets further: to the compiler, which is none.
    machine.add("npm", "/bin/mkdir node_modules");
    machine.add(
        "node",
        "case \"$1\" in --version) echo v22.1.0;; *) echo 'src/actor.js:3: what is this?'; exit 1;; esac",
    );
    machine.check(&[
        "==> install componentize-qjs",
        "==> compile counter",
        "src/actor.js:3: what is this?",
        "counter does not compile",
    ]);
    let again = machine.build();
    assert!(!again.stderr.contains("install"), "{}", again.stderr);
}

#[test]
fn a_folder_or_a_name_that_is_no_good_says_what_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path in UTF-8").to_owned();
    let check = |arguments: &[&str], expected: &str| {
        let ended = ractor_host(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(expected),
            "{}\nshould say: {expected}",
            ended.stderr
        );
    };
    check(
        &["new", "--lang", "rust", &path("My_Counter")],
        "lower-case letters, digits and hyphens",
    );
    check(&["new", "--lang", "rust", &path("match")], "`my-match`");
    check(
        &["new", "--lang", "cobol", "counter"],
        "[possible values: rust, python, js, ts, c, go]",
    );
    fs::create_dir(path("full")).expect("a folder");
    fs::write(Path::new(&path("full")).join("mine"), "").expect("a file");
    check(
        &["new", "--lang", "rust", &path("full")],
        "is there already and isn't empty",
    );
    check(
        &["build", &path("full")],
        "is no project of a guest: it has none of Cargo.toml",
    );
    check(&["build", &path("nowhere")], "there is no folder");
}

/// Whether this checkout has the SDK.
fn has_sdk(folder: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../guest-sdk")
        .join(folder)
        .exists()
}
