//! What the figures were measured on. Without it they mean nothing.

use serde::Serialize;

use crate::process::Run;
use crate::workspace::Workspace;

/// The machine, the compiler and the source.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    processor: String,
    cores: usize,
    system: String,
    compiler: String,
    commit: String,
}

/// Asks the system what it is. What it doesn't say is `unknown`.
pub(super) fn describe(workspace: &Workspace) -> Machine {
    let unknown = || "unknown".to_owned();
    let said = |run: Run| run.capture().map_or_else(|_| unknown(), |text| text.trim().to_owned());
    let git = |arguments: &[&str]| Run::new("git").args(arguments).within(workspace.root());
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).capture();
    let changed = changed.is_ok_and(|files| !files.trim().is_empty());
    let mut commit = said(git(&["rev-parse", "--short=12", "HEAD"]));
    if changed {
        commit += " and changes";
    }
    Machine {
        processor: processor().unwrap_or_else(unknown),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        system: said(Run::new("uname").args(["-srm"])),
        compiler: said(Run::new("rustc").args(["--version"])),
        commit,
    }
}

/// The name of the processor as Linux has it.
fn processor() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

impl Machine {
    /// All in one line.
    pub(super) fn line(&self) -> String {
        format!(
            "{} × {}, {}, {}, at commit {}",
            self.cores, self.processor, self.system, self.compiler, self.commit
        )
    }
}
