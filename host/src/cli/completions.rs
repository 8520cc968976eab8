//! `completions`: what a shell needs to complete this program's command line.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::{Shell, generate};

use super::arguments::Arguments;
use super::failure::Failure;
use super::output;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host completions bash > ~/.local/share/bash-completion/completions/ractor-host
  ractor-host completions zsh > ~/.zfunc/_ractor-host
  ractor-host completions fish > ~/.config/fish/completions/ractor-host.fish";

#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    shell: ShellName,
}

/// A shell that there is a script for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShellName {
    Bash,
    Elvish,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Zsh,
}

impl From<ShellName> for Shell {
    fn from(name: ShellName) -> Self {
        match name {
            ShellName::Bash => Self::Bash,
            ShellName::Elvish => Self::Elvish,
            ShellName::Fish => Self::Fish,
            ShellName::PowerShell => Self::PowerShell,
            ShellName::Zsh => Self::Zsh,
        }
    }
}

pub(super) fn completions(arguments: &CompletionsArguments) -> Result<ExitCode, Failure> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    // Into memory first: the generator panics where it can't write.
    let mut script = Vec::new();
    generate(Shell::from(arguments.shell), &mut command, name, &mut script);
    output::write(|out| out.write_all(&script))?;
    Ok(ExitCode::SUCCESS)
}
