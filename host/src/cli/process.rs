//! What every command does before and after its work: the log, and a runtime whose last threads it doesn't wait for.

use tokio::runtime::Runtime;
use tracing_subscriber::filter::LevelFilter;

use super::failure::Failure;
use crate::host::survive_file_size_limit;
use crate::ops::telemetry::{self, LogFormat};

/// The process of a command.
pub(super) struct Process {
    runtime: Runtime,
}

impl Process {
    /// Of a command that does one thing, and logs what is of this level or above, unless `RUST_LOG` says otherwise.
    pub(super) fn of_command(level: LevelFilter) -> Result<Self, Failure> {
        telemetry::init_command(level).map_err(Failure::usage)?;
        let runtime = Runtime::new().map_err(Failure::runtime)?;
        Ok(Self { runtime })
    }

    /// Of a node.
    pub(super) fn of_node(format: LogFormat) -> Result<Self, Failure> {
        let runtime = Runtime::new().map_err(Failure::runtime)?;
        // Before the log: its first line may be the one that is too much for its file.
        runtime
            .block_on(async { survive_file_size_limit() })
            .map_err(Failure::runtime)?;
        telemetry::init(format, LevelFilter::INFO).map_err(Failure::usage)?;
        Ok(Self { runtime })
    }

    /// Does the work. What still runs then is left behind: a compilation that nobody needs any more, connections that need no answer.
    pub(super) fn complete<F: Future>(self, work: F) -> F::Output {
        let output = self.runtime.block_on(work);
        self.runtime.shutdown_background();
        output
    }
}
