//! Logs: `tracing` events to stderr, as text for people or as JSON lines for programs.

use std::env::VarError;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::filter::Origin;
pub use super::format::LogFormat;
use super::{console, filter, otel, panics};

/// The variable that chooses what is logged, such as `info,ractor_host::node=debug`.
const VARIABLE: &str = "RUST_LOG";

/// A variable of the environment can't be followed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TelemetryError(Fault);

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{VARIABLE}: {0}; expected for example `info` or `warn,ractor_host::node=debug`")]
    Filter(String),
    #[error(transparent)]
    Otel(#[from] otel::SettingsError),
}

/// Sends log events to stderr from now on: those that `RUST_LOG` chooses, or else those of `level` and above. Panics are events
/// too. If the program has set up `tracing` already, that is left as it is, and so is what happens at a panic.
///
/// Nobody ever waits for stderr: it is written by a thread of its own, and what can't be written is dropped and counted. Call
/// [`flush`] at the end of the program.
///
/// Traces, logs and metrics are exported besides if the standard `OTEL_*` variables say so.
///
/// # Errors
/// `RUST_LOG` is not a list of filters, or an `OTEL_*` variable can't be followed.
pub fn init(format: LogFormat, level: LevelFilter) -> Result<(), TelemetryError> {
    // Without a thread to spare the log is written directly, which is better than none.
    let is_waiting = console::to_background(format).is_err();
    if install(format, level)? == Installed::Ours {
        panics::log(format);
    }
    if is_waiting {
        tracing::warn!("there is no thread for the log, and whoever writes to it waits for its reader");
    }
    Ok(())
}

/// Lets the last lines of the log leave the process, for two seconds at most: their reader may hang. What is to be exported as the `OTEL_*`
/// variables say has three seconds before.
pub fn flush() {
    otel::shut_down();
    console::flush();
}

/// As [`init`], for a command that does one thing and then ends: it waits for its reader, as every tool does.
pub(crate) fn init_command(level: LevelFilter) -> Result<(), TelemetryError> {
    install(LogFormat::Text, level).map(drop)
}

/// Whose subscriber there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Installed {
    Ours,
    TheProgram,
}

fn install(format: LogFormat, level: LevelFilter) -> Result<Installed, TelemetryError> {
    let (filter, directive, origin) = match std::env::var(VARIABLE) {
        Ok(filters) if !filters.trim().is_empty() => (parse(&filters)?, filters, Origin::Variable),
        Ok(_) | Err(VarError::NotPresent) => {
            let filter = EnvFilter::default().add_directive(level.into());
            (filter, level.to_string(), Origin::Default)
        }
        Err(error @ VarError::NotUnicode(_)) => {
            return Err(TelemetryError(Fault::Filter(error.to_string())));
        }
    };
    let (filter, choices) = filter::new(filter, &directive, origin);
    let otel = otel::from_environment().map_err(|error| TelemetryError(error.into()))?;
    let exported = otel.as_ref().and_then(|otel| otel.layers());
    let events = tracing_subscriber::fmt::layer()
        // It would print them to stderr, and panic where that fails.
        .log_internal_errors(false)
        .with_writer(console::LogWriter);
    // The filter last, which makes it the first to be asked.
    let installed = match format {
        LogFormat::Text => tracing_subscriber::registry()
            .with(exported)
            .with(events.with_ansi(console::colours(&std::io::stderr())))
            .with(filter)
            .try_init(),
        LogFormat::Json => tracing_subscriber::registry()
            .with(exported)
            .with(events.json().flatten_event(true))
            .with(filter)
            .try_init(),
    };
    if installed.is_ok() {
        choices.adopt();
        if let Some(otel) = otel {
            otel.adopt();
        }
    }
    // The only failure is that there is a subscriber already.
    Ok(match installed {
        Ok(()) => Installed::Ours,
        Err(_) => Installed::TheProgram,
    })
}

fn parse(filters: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(filters).map_err(|error| TelemetryError(Fault::Filter(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_none_is_explained() {
        assert!(parse("info,ractor_host::node=debug").is_ok());
        let error = parse("ractor_host=loud")
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            error.starts_with("RUST_LOG: ") && error.contains("expected for example `info`"),
            "{error}"
        );
    }
}
