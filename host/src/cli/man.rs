//! `man`: this program's manual pages, made of the same words as `--help`.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;

use super::arguments::Arguments;
use super::failure::Failure;
use super::output;
use crate::config::did_you_mean;
use crate::files;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host man reload | man -l -
  ractor-host man --dir ~/.local/share/man/man1";

/// The section of the manual with commands.
const SECTION: &str = "1";

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// The command whose page is wanted. Without it, the page of the program, which names them all.
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    command: Option<String>,
    /// Write all pages into this folder, which is made if it isn't there: ractor-host.1, ractor-host-ps.1 and so on.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn man(arguments: &ManArguments) -> Result<ExitCode, Failure> {
    let mut program = Arguments::command();
    // Commands learn their full names by it.
    program.build();
    if let Some(dir) = &arguments.dir {
        let unwritten = |error: io::Error| Failure::runtime(format_args!("{}: {error}", dir.display()));
        files::create_folder(dir).map_err(unwritten)?;
        let commands = visible(&program).cloned();
        let pages: Vec<Command> = commands.chain([program.clone()]).collect();
        for page in &pages {
            let man = Man::new(page.clone()).section(SECTION);
            let text = rendered(&man).map_err(unwritten)?;
            files::replace(&dir.join(man.get_filename()), &[&text]).map_err(unwritten)?;
        }
        output::write(|out| writeln!(out, "{} pages are in {}", pages.len(), dir.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let command = match &arguments.command {
        Some(name) => command_named(&program, name)?,
        None => program,
    };
    let text = rendered(&Man::new(command).section(SECTION)).map_err(Failure::runtime)?;
    output::write(|out| out.write_all(&text))?;
    Ok(ExitCode::SUCCESS)
}

fn visible(program: &Command) -> impl Iterator<Item = &Command> {
    program.get_subcommands().filter(|command| !command.is_hide_set())
}

fn command_named(program: &Command, name: &str) -> Result<Command, Failure> {
    program.find_subcommand(name).cloned().ok_or_else(|| {
        let suggestion = did_you_mean(name, visible(program).map(Command::get_name));
        let suggestion = suggestion.map(|question| format!("; {question}"));
        Failure::usage(format_args!(
            "there is no command `{name}`{}",
            suggestion.unwrap_or_default()
        ))
    })
}

fn rendered(man: &Man) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    man.render(&mut text)?;
    Ok(text)
}
