//! What the standard variables ask for. How it is done (endpoints, headers, samplers, intervals) the SDK reads from them itself.

/// The variable that has everything off.
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// The signals, as variables name them.
const SIGNALS: [&str; 3] = ["TRACES", "LOGS", "METRICS"];

/// A variable has a value that can't be followed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SettingsError(String);

impl SettingsError {
    /// What the SDK has found.
    pub(super) fn other(error: impl std::fmt::Display) -> Self {
        Self(format!("the OTEL_* variables can't be followed: {error}"))
    }
}

/// Which signals are exported: at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exported {
    pub(super) traces: bool,
    pub(super) logs: bool,
    pub(super) metrics: bool,
}

impl Exported {
    /// Reads the variables. None if they ask for nothing.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SettingsError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if variable(DISABLED).is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let [traces, logs, metrics] = SIGNALS.map(|signal| is_exported(signal, &variable));
        let exported = Self {
            traces: traces?,
            logs: logs?,
            metrics: metrics?,
        };
        Ok((exported.traces || exported.logs || exported.metrics).then_some(exported))
    }
}

/// Whether a signal is exported: if it has an endpoint, or an exporter is named, and that isn't `none`.
fn is_exported(signal: &str, variable: &impl Fn(&str) -> Option<String>) -> Result<bool, SettingsError> {
    let exporter = format!("OTEL_{signal}_EXPORTER");
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
    let endpoint = [own.as_str(), "OTEL_EXPORTER_OTLP_ENDPOINT"]
        .into_iter()
        .find_map(|name| Some((name, variable(name)?)));
    let is_exported = match variable(&exporter).as_deref().map(str::trim) {
        None => endpoint.is_some(),
        Some("otlp") => true,
        Some("none") => false,
        Some(other) => {
            return Err(SettingsError(format!(
                "{exporter} is {other:?}, which this program doesn't have; it may be `otlp` or `none`"
            )));
        }
    };
    if !is_exported {
        return Ok(false);
    }
    if let Some((name, endpoint)) = endpoint
        && !endpoint.trim().starts_with("http://")
    {
        return Err(SettingsError(format!(
            "{name} is {endpoint:?}; it must begin with http://: what is exported elsewhere, or over TLS, goes by way of a collector on \
             this machine"
        )));
    }
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL");
    for name in [own.as_str(), "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match variable(name).as_deref().map(str::trim) {
            None => {}
            Some("http/protobuf") => break,
            Some(other) => {
                return Err(SettingsError(format!(
                    "{name} is {other:?}, which this program doesn't speak; use `http/protobuf`, for which collectors listen on port 4318"
                )));
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<(bool, bool, bool)>, String> {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let read = Exported::read(find).map_err(|error| error.to_string())?;
        Ok(read.map(|exported| (exported.traces, exported.logs, exported.metrics)))
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");

    #[test]
    fn nothing_is_exported_unless_the_variables_say_so() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(
            read(&[("OTEL_SERVICE_NAME", "shop"), ("OTEL_TRACES_SAMPLER", "always_on")]),
            Ok(None)
        );
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(None));
        assert_eq!(read(&[ENDPOINT, ("OTEL_SDK_DISABLED", "True")]), Ok(None));
        assert_eq!(read(&[ENDPOINT]), Ok(Some((true, true, true))));
        assert_eq!(
            read(&[("OTEL_TRACES_EXPORTER", "otlp")]),
            Ok(Some((true, false, false)))
        );
        assert_eq!(
            read(&[
                ENDPOINT,
                ("OTEL_METRICS_EXPORTER", "none"),
                ("OTEL_LOGS_EXPORTER", "none")
            ]),
            Ok(Some((true, false, false)))
        );
        let logs = ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://localhost:4318/v1/logs");
        assert_eq!(read(&[logs]), Ok(Some((false, true, false))));
    }

    #[test]
    fn what_can_not_be_followed_is_explained() {
        for (variable, value, says) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "use `http/protobuf`"),
            (
                "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
                "http/json",
                "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL is",
            ),
            ("OTEL_TRACES_EXPORTER", "zipkin", "it may be `otlp` or `none`"),
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "https://example.com",
                "must begin with http://",
            ),
        ] {
            let error = read(&[ENDPOINT, (variable, value)]).unwrap_err();
            assert!(error.contains(says) && error.starts_with(variable), "{error}");
        }
        // What is said of one signal goes before what is said of all.
        let own = SIGNALS.map(|signal| format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL"));
        let mut all: Vec<_> = own.iter().map(|name| (name.as_str(), "http/protobuf")).collect();
        all.extend([ENDPOINT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        assert_eq!(read(&all), Ok(Some((true, true, true))));
    }
}
