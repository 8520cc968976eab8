//! What the standard variables ask for: which signals are exported, and where each of them goes. How much waits for that, and what is
//! sampled, the SDK reads from them itself.

use std::path::PathBuf;
use std::time::Duration;

use super::signal::Signal;

/// The variable that has everything off.
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// The longest that an export takes, unless a variable says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A variable has a value that can't be followed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SettingsError(pub(super) String);

impl SettingsError {
    /// What the SDK has found.
    pub(super) fn other(error: impl std::fmt::Display) -> Self {
        Self(format!("the OTEL_* variables can't be followed: {error}"))
    }
}

/// The signals that are exported: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exported {
    pub(super) traces: Option<Destination>,
    pub(super) logs: Option<Destination>,
    pub(super) metrics: Option<Destination>,
}

/// Where a signal goes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) signal: Signal,
    pub(super) protocol: Protocol,
    /// Begins with `http://` or `https://`.
    pub(super) endpoint: String,
    pub(super) timeout: Duration,
    pub(super) is_compressed: bool,
    /// The certificates that the collector's must lead to. None for those that the system trusts.
    pub(super) trusted: Option<FileOf>,
    /// The certificate that the collector is shown, and its key.
    pub(super) identity: Option<(FileOf, FileOf)>,
}

/// A file, with the variable that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileOf {
    pub(super) variable: String,
    pub(super) path: PathBuf,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    HttpProtobuf,
    Grpc,
}

impl Exported {
    /// Reads the variables. None if they ask for nothing.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SettingsError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if variable(DISABLED).is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let [traces, logs, metrics] = Signal::ALL.map(|signal| {
            let of = Of {
                signal,
                variable: &variable,
            };
            of.destination()
        });
        let exported = Self {
            traces: traces?,
            logs: logs?,
            metrics: metrics?,
        };
        let is_any = exported.traces.is_some() || exported.logs.is_some() || exported.metrics.is_some();
        Ok(is_any.then_some(exported))
    }
}

/// The variables of one signal.
struct Of<'v, V> {
    signal: Signal,
    variable: &'v V,
}

/// A variable that is set.
struct Said {
    name: String,
    value: String,
    /// It is of this signal alone.
    is_own: bool,
}

impl Said {
    fn refuse(&self, why: &str) -> SettingsError {
        SettingsError(format!("{} is {:?}; {why}", self.name, without_password(&self.value)))
    }
}

impl<V: Fn(&str) -> Option<String>> Of<'_, V> {
    /// What is said of this signal, which goes before what is said of all.
    fn said(&self, key: &str) -> Option<Said> {
        let own = format!("OTEL_EXPORTER_OTLP_{}_{key}", self.signal.word());
        let all = format!("OTEL_EXPORTER_OTLP_{key}");
        [(own, true), (all, false)].into_iter().find_map(|(name, is_own)| {
            let value = (self.variable)(&name)?.trim().to_owned();
            Some(Said { name, value, is_own })
        })
    }

    /// None if it is not exported: it is if it has an endpoint, or an exporter is named, and that isn't `none`.
    fn destination(&self) -> Result<Option<Destination>, SettingsError> {
        let exporter = format!("OTEL_{}_EXPORTER", self.signal.word());
        let is_exported = match (self.variable)(&exporter).as_deref().map(str::trim) {
            None => self.said("ENDPOINT").is_some(),
            Some("otlp") => true,
            Some("none") => false,
            Some(other) => {
                return Err(SettingsError(format!(
                    "{exporter} is {other:?}, which this program doesn't have; it may be `otlp` or `none`"
                )));
            }
        };
        if !is_exported {
            return Ok(None);
        }
        let protocol = self.protocol()?;
        self.check_headers()?;
        Ok(Some(Destination {
            signal: self.signal,
            protocol,
            endpoint: self.endpoint(protocol)?,
            timeout: self.timeout()?,
            is_compressed: self.is_compressed()?,
            trusted: self.file("CERTIFICATE"),
            identity: self.identity()?,
        }))
    }

    fn protocol(&self) -> Result<Protocol, SettingsError> {
        let Some(said) = self.said("PROTOCOL") else {
            return Ok(Protocol::HttpProtobuf);
        };
        match said.value.as_str() {
            "http/protobuf" => Ok(Protocol::HttpProtobuf),
            "grpc" => Ok(Protocol::Grpc),
            _ => {
                Err(said
                    .refuse("use `http/protobuf`, for which collectors listen on port 4318, or `grpc`, on port 4317"))
            }
        }
    }

    fn endpoint(&self, protocol: Protocol) -> Result<String, SettingsError> {
        let Some(said) = self.said("ENDPOINT") else {
            return Ok(match protocol {
                Protocol::HttpProtobuf => format!("http://localhost:4318/v1/{}", self.signal.name()),
                Protocol::Grpc => "http://localhost:4317".to_owned(),
            });
        };
        let is_insecure = || {
            self.said("INSECURE")
                .is_some_and(|said| said.value.eq_ignore_ascii_case("true"))
        };
        let address = match (said.value.contains("://"), protocol) {
            // As gRPC has it, where an address needs no scheme.
            (false, Protocol::Grpc) if is_insecure() => format!("http://{}", said.value),
            (false, Protocol::Grpc) => format!("https://{}", said.value),
            _ => said.value.clone(),
        };
        let whole = match protocol {
            Protocol::HttpProtobuf if !said.is_own => {
                format!("{}/v1/{}", address.trim_end_matches('/'), self.signal.name())
            }
            _ => address,
        };
        let uri: hyper::Uri = whole
            .parse()
            .map_err(|_| said.refuse("it is no address; expected for example `https://collector.example:4318`"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
            return Err(said.refuse("it must begin with http:// or https://"));
        }
        Ok(whole)
    }

    fn timeout(&self) -> Result<Duration, SettingsError> {
        let Some(said) = self.said("TIMEOUT") else {
            return Ok(TIMEOUT);
        };
        match said.value.parse() {
            Ok(millis @ 1..) => Ok(Duration::from_millis(millis)),
            _ => Err(said.refuse("expected a number of milliseconds, for example `10000`")),
        }
    }

    fn is_compressed(&self) -> Result<bool, SettingsError> {
        let Some(said) = self.said("COMPRESSION") else {
            return Ok(false);
        };
        match said.value.to_ascii_lowercase().as_str() {
            "gzip" => Ok(true),
            "none" => Ok(false),
            _ => Err(said.refuse("it may be `gzip` or `none`")),
        }
    }

    /// The SDK leaves out what it can't read. A header that is missing is seen only by the collector, which then takes nothing.
    fn check_headers(&self) -> Result<(), SettingsError> {
        let Some(said) = self.said("HEADERS") else {
            return Ok(());
        };
        let is_header = |header: &str| header.split_once('=').is_some_and(|(name, _)| is_name(name.trim()));
        if said.value.split_terminator(',').all(is_header) {
            return Ok(());
        }
        // Not what it is: headers are how a collector knows who exports.
        let name = said.name;
        Err(SettingsError(format!(
            "{name} is no list of headers; expected `NAME=VALUE,NAME=VALUE`"
        )))
    }

    fn file(&self, key: &str) -> Option<FileOf> {
        let said = self.said(key)?;
        Some(FileOf {
            variable: said.name,
            path: said.value.into(),
        })
    }

    fn identity(&self) -> Result<Option<(FileOf, FileOf)>, SettingsError> {
        let lacks = |named: FileOf, missing: &str| {
            let named = named.variable;
            Err(SettingsError(format!(
                "{named} needs OTEL_EXPORTER_OTLP_{missing} as well"
            )))
        };
        match (self.file("CLIENT_CERTIFICATE"), self.file("CLIENT_KEY")) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            (Some(certificate), None) => lacks(certificate, "CLIENT_KEY"),
            (None, Some(key)) => lacks(key, "CLIENT_CERTIFICATE"),
        }
    }
}

fn is_name(name: &str) -> bool {
    hyper::header::HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// An address as others may read it: without what stands before its last `@`, and without what stands behind a `?`, both of which may be
/// secrets. A password with a `/` in it is none that an address can have, and is one all the same.
pub(super) fn without_password(address: &str) -> String {
    let address = address.split_once('?').map_or(address, |(address, _)| address);
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let shown = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}{shown}")
}

#[cfg(test)]
mod tests;
