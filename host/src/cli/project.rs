//! `new`, `build`, `test` and `bindgen`: projects of guests, in every language that there is an SDK for.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use ractor_host_project::{Built, Created, Language, Outcome, Project, ProjectError};

use super::bindgen::{self, BindgenArguments};
use super::failure::Failure;
use super::output;
use super::schema::{SCHEMA, SCHEMA_FILE};
use crate::host::HostBuilder;
use crate::ops::console;

const NEW_EXAMPLES: &str = "\
Examples:
  ractor-host new --lang python counter
  ractor-host new --lang ts guests/word-count";

const BUILD_EXAMPLES: &str = "\
Examples:
  ractor-host build
  ractor-host build guests/word-count
  ractor-host build --runtime python
  ractor-host build --runtime js --source scoring.ts
  RACTOR_HOST_CACHE=~/.cache/ractor-host-tools ractor-host build";

const TEST_EXAMPLES: &str = "\
Examples:
  ractor-host test
  ractor-host test guests/word-count";

#[derive(Debug, Subcommand)]
pub(super) enum ProjectCommand {
    /// Make a project: an actor that counts, a test of it, and a node to run it in.
    ///
    /// The last part of NAME, which may be a path, is the name of the project and of its actor. Nothing is downloaded: the SDK comes
    /// with this program and goes into the project, under .ractor-host/.
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArguments),
    /// Make the component of a project, build/NAME.wasm.
    ///
    /// The language is found by the manifest: Cargo.toml (Rust), pyproject.toml (Python), package.json (JavaScript; TypeScript if there
    /// is a tsconfig.json), guest.toml (C), go.mod (Go). What compiles it is installed first, in pinned versions, under .ractor-host/ or,
    /// if projects are to share it, in the folder that the variable RACTOR_HOST_CACHE names. After that no network is needed. If nothing
    /// has changed, nothing is done.
    ///
    /// With --runtime, make instead what a module with a `source` in node.toml runs, build/LANG-runtime.wasm. Then a change of the source needs no
    /// build. The folder needs no manifest; sources in Python can import what its requirements.txt asks for. Sources in JavaScript and TypeScript are
    /// bundled in a moment, with --source: what the module has as its `source` is build/NAME.js then.
    #[command(after_help = BUILD_EXAMPLES)]
    Build(BuildArguments),
    /// Run the tests of a project, without WebAssembly: with cargo test, pytest, node --test and their like.
    #[command(after_help = TEST_EXAMPLES)]
    Test(FolderArguments),
    /// Write a typed client of an actor: of a component, or of an actor of a running node.
    ///
    /// What the actor says of its messages becomes a declaration in the language of the client, for the same SDK: a class, a contract, an
    /// enum, a table.
    #[command(after_help = bindgen::EXAMPLES)]
    Bindgen(Box<BindgenArguments>),
}

#[derive(Debug, Args)]
pub(super) struct NewArguments {
    /// The language of the project.
    #[arg(long, value_name = "LANG", value_parser = language())]
    lang: Language,
    /// The folder of the project, which must not exist or be empty.
    #[arg(value_name = "NAME")]
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct BuildArguments {
    #[command(flatten)]
    folder: FolderArguments,
    /// Make the runtime of this language.
    #[arg(long, value_name = "LANG", value_parser = runtime(), conflicts_with = "lang")]
    runtime: Option<Language>,
    /// Make also what the runtime of JavaScript runs of this file: build/NAME.js of NAME.ts or NAME.js.
    #[arg(long, value_name = "FILE", requires = "runtime")]
    source: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct FolderArguments {
    /// The folder of the project.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The language, if the folder has manifests of several.
    #[arg(long, value_name = "LANG", value_parser = language())]
    lang: Option<Language>,
}

pub(super) fn language() -> impl TypedValueParser<Value = Language> {
    let values = Language::ALL.map(|language| match language.alias() {
        Some(alias) => PossibleValue::new(language.name()).alias(alias),
        None => PossibleValue::new(language.name()),
    });
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Language>())
}

fn runtime() -> impl TypedValueParser<Value = Language> {
    PossibleValuesParser::new(Language::RUNTIMES.map(Language::name)).try_map(|name| name.parse::<Language>())
}

pub(super) fn project(command: ProjectCommand, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    match command {
        ProjectCommand::New(NewArguments { lang, folder }) => {
            let mut created = ractor_host_project::create(&folder, lang)?;
            // The first line of its node.toml leads here.
            let schema = folder.join(SCHEMA_FILE);
            fs::write(&schema, SCHEMA)
                .map_err(|error| Failure::runtime(format_args!("{}: {error}", schema.display())))?;
            created.files.push(SCHEMA_FILE.into());
            output::write(|out| write_created(out, &created, lang))?;
        }
        ProjectCommand::Build(arguments) => {
            let project = arguments.open()?;
            // Before minutes are spent on the runtime.
            let source = arguments.source.as_deref();
            let source = source.map(|source| ractor_host_project::build_source(&project, source, &progress));
            let source = source.transpose()?;
            for built in [ractor_host_project::build(&project, &progress)?].iter().chain(&source) {
                output::write(|out| write_built(out, built))?;
            }
        }
        ProjectCommand::Bindgen(arguments) => return bindgen::bindgen(*arguments, builder),
        ProjectCommand::Test(arguments) => ractor_host_project::test(&arguments.open()?, &progress)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl BuildArguments {
    fn open(&self) -> Result<Project, ProjectError> {
        match self.runtime {
            Some(language) => Project::runtime(&self.folder.folder, language),
            None => self.folder.open(),
        }
    }
}

impl FolderArguments {
    fn open(&self) -> Result<Project, ProjectError> {
        Project::open(&self.folder, self.lang)
    }
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Self {
        // The compiler's own words, as they are.
        if let ProjectError::Source { output, .. } = &error
            && !output.is_empty()
        {
            console::eprint(format_args!("{output}"));
        }
        if error.is_usage() {
            Self::usage(error)
        } else {
            Self::runtime(error)
        }
    }
}

/// What begins a line that says what is being done.
pub(super) const STEP: &str = "==> ";

pub(super) fn progress(step: &str) {
    console::eprint(format_args!("{STEP}{step}"));
}

fn write_created(out: &mut impl Write, created: &Created, language: Language) -> io::Result<()> {
    let folder = created.folder.display();
    let name = created.folder.file_name().unwrap_or_default().to_string_lossy();
    writeln!(out, "{folder} is a project in {language}:")?;
    for file in &created.files {
        writeln!(out, "  {}", file.display())?;
    }
    writeln!(out, "what to do next:")?;
    writeln!(out, "  cd {folder}")?;
    writeln!(out, "  ractor-host dev node.toml       # installs, builds and runs it")?;
    writeln!(
        out,
        "  ractor-host call {name} Get     # in another terminal, in the same folder"
    )
}

fn write_built(out: &mut impl Write, built: &Built) -> io::Result<()> {
    let here = std::env::current_dir().and_then(std::fs::canonicalize);
    let component = here.ok().and_then(|here| built.component.strip_prefix(here).ok());
    let component = component.unwrap_or(&built.component).display();
    let size = size(built.bytes);
    match built.outcome {
        Outcome::Made(time) => writeln!(out, "{component}: {size}, built in {:.1} s", time.as_secs_f64()),
        Outcome::UpToDate => writeln!(out, "{component}: {size}, up to date"),
    }
}

/// A number of bytes, for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// Whether a command of node.toml is one of this program's, and its arguments: wherever the program is, and whatever it is called, it is
/// the one that runs the node.
pub(super) fn own_command(command: &str) -> Option<&str> {
    let rest = command.trim_start().strip_prefix("ractor-host")?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
}

/// The program that runs, also after its file was replaced.
pub(super) fn own_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let replaced = program
        .to_str()
        .and_then(|path| path.strip_suffix(" (deleted)"))
        .map(Path::new);
    Some(replaced.map_or(program.clone(), Path::to_owned)).filter(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_this_program_is_known_in_a_node_toml() {
        assert_eq!(own_command("ractor-host build"), Some(" build"));
        assert_eq!(own_command("  ractor-host\tbuild a && true"), Some("\tbuild a && true"));
        for other in ["ractor-hosts build", "./ractor-host build", "make", ""] {
            assert_eq!(own_command(other), None, "{other}");
        }
    }

    #[test]
    fn a_size_is_told_in_a_unit_that_fits() {
        for (bytes, expected) in [
            (17, "17 bytes"),
            (58_001, "59 KB"),
            (999_000, "999 KB"),
            (19_400_000, "19.4 MB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
