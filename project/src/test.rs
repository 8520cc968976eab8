//! The tests of a project, which run without WebAssembly.

use std::path::{Path, PathBuf};

use crate::Progress;
use crate::build::{c, go, javascript, python};
use crate::error::ProjectError;
use crate::files;
use crate::language::Language;
use crate::project::Project;
use crate::run::Run;
use crate::sdk;
use crate::tools;

/// Runs the tests of a project; their output goes where this process's goes. What they need is installed first.
///
/// # Errors
/// What they need can't be installed, or one of them fails.
pub fn test(project: &Project, progress: Progress<'_>) -> Result<(), ProjectError> {
    sdk::unpack(project.folder(), project.language())?;
    let fails = format!("{} fails a test", project.name());
    match project.language() {
        Language::Rust => {
            progress("cargo test");
            Run::new("cargo", "to test the project")
                .args(["test", "--quiet"])
                .within(project.folder())
                .show(&fails)
        }
        Language::Python => python(project, progress, &fails),
        Language::JavaScript | Language::TypeScript => javascript(project, progress, &fails),
        Language::C => c(project, progress, &fails),
        Language::Go => {
            let place = tools::GO.install(project, progress)?;
            progress("go test");
            go::go(project, &place).args(["test", "./..."]).show(&fails)
        }
    }
}

/// The folder with the tests of a project.
const TESTS: &str = "tests";

/// The types first: they tell what is wrong sooner than a test.
fn python(project: &Project, progress: Progress<'_>, fails: &str) -> Result<(), ProjectError> {
    let place = tools::PYTHON_TEST.install(project, progress)?;
    for (step, arguments) in [
        ("mypy", &["-m", "mypy"][..]),
        ("pytest", &["-m", "pytest", "-q", "-p", "no:cacheprovider"]),
    ] {
        progress(step);
        Run::new(tools::python(&place), "to test the project")
            .args(arguments)
            .env("PYTHONPATH", python::library(project))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .within(project.folder())
            .show(fails)?;
    }
    Ok(())
}

/// The types of tests in TypeScript first, for the same reason: Node leaves types out and runs what remains.
fn javascript(project: &Project, progress: Progress<'_>, fails: &str) -> Result<(), ProjectError> {
    javascript::prepare(project, progress)?;
    let tests = sources(project, &["js", "mjs", "ts", "mts"])?;
    let program = javascript::program(project);
    let typed = tests.iter().filter(|test| {
        let extension = test.extension().unwrap_or_default();
        extension == "ts" || extension == "mts"
    });
    let typed: Vec<&PathBuf> = typed.collect();
    if !typed.is_empty() {
        progress("tsc");
        Run::new("node", "to test the project")
            .args([program.as_os_str(), "check-tests".as_ref()])
            .args(typed)
            .within(project.folder())
            .show(fails)?;
    }
    progress("node --test");
    Run::new("node", "to test the project")
        .args([program.as_os_str(), "test".as_ref()])
        .args(tests)
        .within(project.folder())
        .show(fails)
}

/// Each test is a program of its own, which includes the source that it tests.
fn c(project: &Project, progress: Progress<'_>, fails: &str) -> Result<(), ProjectError> {
    let manifest: c::Manifest = project.read_toml()?;
    let place = tools::C.install(project, progress)?;
    let library = c::library(project);
    for test in sources(project, &["c", "cc", "cpp"])? {
        progress(&format!("compile and run {}", test.display()));
        let program = project.cache().join("test-program");
        c::zig(project, &place, &manifest)
            .args(["-g", "-I", "src", "-I"])
            .args([&library])
            .args(&manifest.flags)
            .args([&test, &library.join("ractor_testing.c"), Path::new("-o"), &program])
            .judge(&format!("{} does not compile", test.display()))?;
        Run::new(&program, "to test the project")
            .within(project.folder())
            .show(fails)?;
    }
    Ok(())
}

/// The files in the folder with the tests that end like this, by their path in the project.
fn sources(project: &Project, extensions: &[&str]) -> Result<Vec<PathBuf>, ProjectError> {
    let folder = project.folder().join(TESTS);
    let files = if folder.is_dir() {
        files::files(&folder, &|_| false)?
    } else {
        Vec::new()
    };
    let is_test = |file: &PathBuf| {
        file.extension()
            .is_some_and(|extension| extensions.iter().any(|known| extension == *known))
    };
    let tests: Vec<PathBuf> = files
        .into_iter()
        .filter(is_test)
        .map(|file| Path::new(TESTS).join(file))
        .collect();
    if tests.is_empty() {
        return Err(ProjectError::NoTests {
            folder,
            extensions: extensions.join(", ."),
        });
    }
    Ok(tests)
}
