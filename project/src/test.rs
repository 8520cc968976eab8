//! The tests of a project, which run without WebAssembly.

use crate::Progress;
use crate::error::ProjectError;
use crate::language::Language;
use crate::project::Project;
use crate::run::Run;
use crate::sdk;

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
        other => Err(ProjectError::NoSdk(other)),
    }
}
