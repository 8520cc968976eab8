//! `[log]`: what the node logs, unless `RUST_LOG` or an operator says something else.

use tracing_subscriber::EnvFilter;

use super::problem::Problems;
use super::section::{Keys, Section};

pub(super) const KEYS: Keys = Keys {
    known: &["level"],
    explained: &[
        ("levels", "write `level = \"info,ractor_host::node=debug\"`"),
        ("format", "the option `--log-format json` says how lines are written"),
    ],
};

/// The checked `[log]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSection {
    /// As in `RUST_LOG`. None for what the program logs by itself.
    pub level: Option<String>,
}

impl LogSection {
    /// Reads the table `log` of a file.
    pub(super) fn read(file: &Section<'_>, problems: &mut Problems) -> Self {
        let section = file
            .value("log")
            .and_then(|value| Section::open("[log]", value, KEYS, problems));
        let Some(level) = section.and_then(|section| section.text("level", problems)) else {
            return Self::default();
        };
        let text = level.get_ref().trim();
        let fault = match EnvFilter::try_new(text) {
            Ok(_) if !text.is_empty() => {
                return Self {
                    level: Some(text.to_owned()),
                };
            }
            Ok(_) => "it is empty".to_owned(),
            Err(error) => error.to_string(),
        };
        let help = "expected for example `debug` or `info,ractor_host::node=debug`";
        problems.error(level.span(), format!("`level` does not say what to log: {fault}"), help);
        Self::default()
    }
}
