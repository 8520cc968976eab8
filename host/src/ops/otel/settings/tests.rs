//! What is read out of the variables.

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Option<Exported>, String> {
    let find = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Exported::read(find).map_err(|error| error.to_string())
}

/// Which of traces, logs and metrics.
fn signals(variables: &[(&str, &str)]) -> Option<(bool, bool, bool)> {
    let exported = read(variables).unwrap()?;
    Some((
        exported.traces.is_some(),
        exported.logs.is_some(),
        exported.metrics.is_some(),
    ))
}

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
const GRPC: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");

#[test]
fn nothing_is_exported_unless_the_variables_say_so() {
    let without = |signal: &'static str| (signal, "none");
    let logs = ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://localhost:4318/v1/logs");
    let others = [("OTEL_SERVICE_NAME", "shop"), ("OTEL_TRACES_SAMPLER", "always_on")];
    for (variables, expected) in [
        (&[][..], None),
        (&others, None),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], None),
        (&[ENDPOINT, ("OTEL_SDK_DISABLED", "True")], None),
        (&[ENDPOINT], Some((true, true, true))),
        (&[("OTEL_TRACES_EXPORTER", "otlp")], Some((true, false, false))),
        (
            &[
                ENDPOINT,
                without("OTEL_METRICS_EXPORTER"),
                without("OTEL_LOGS_EXPORTER"),
            ],
            Some((true, false, false)),
        ),
        (&[logs], Some((false, true, false))),
    ] {
        assert_eq!(signals(variables), expected, "{variables:?}");
    }
}

#[test]
fn what_can_not_be_followed_is_explained() {
    for (variable, value, says) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "use `http/protobuf`"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "udp", "or `grpc`, on port 4317"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "it may be `otlp` or `none`"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "ftp://example.com",
            "must begin with http://",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "collector:4318",
            "must begin with http://",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://a b", "it is no address"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "a number of milliseconds"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "0", "a number of milliseconds"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "`gzip` or `none`"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret", "is no list of headers"),
        (
            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
            "key.pem",
            "needs OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        ),
        (
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            "c.pem",
            "needs OTEL_EXPORTER_OTLP_CLIENT_KEY",
        ),
    ] {
        let error = read(&[ENDPOINT, (variable, value)]).unwrap_err();
        assert!(error.contains(says) && error.starts_with(variable), "{error}");
    }
    for secret in [
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://me:hunter2@collector"),
    ] {
        let error = read(&[secret, ENDPOINT]).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn what_is_said_of_one_signal_goes_before_what_is_said_of_all() {
    let both = |key: &str, own: &'static str, all: &'static str| {
        let of_all = format!("OTEL_EXPORTER_OTLP_{key}");
        let of_each = Signal::ALL.map(|signal| (format!("OTEL_EXPORTER_OTLP_{}_{key}", signal.word()), own));
        [(of_all, all)].into_iter().chain(of_each)
    };
    let said: Vec<_> = both("PROTOCOL", "http/protobuf", "http/json")
        .chain(both("TIMEOUT", "500", "600"))
        .chain(both("COMPRESSION", "none", "gzip"))
        .chain(both("CERTIFICATE", "own.pem", "all.pem"))
        .collect();
    let variables: Vec<_> = said.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let Exported { traces, logs, metrics } = read(&[&[ENDPOINT], &variables[..]].concat()).unwrap().unwrap();
    for found in [traces, logs, metrics].map(Option::unwrap) {
        assert_eq!(found.protocol, Protocol::HttpProtobuf);
        assert_eq!(found.timeout, Duration::from_millis(500));
        assert!(!found.is_compressed);
        assert_eq!(found.trusted.unwrap().path, PathBuf::from("own.pem"));
    }
}

#[test]
fn an_address_is_completed_as_its_protocol_has_it() {
    let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "TRUE");
    let endpoint = |value| ("OTEL_EXPORTER_OTLP_ENDPOINT", value);
    let own = |value| ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value);
    for (variables, expected) in [
        (&[endpoint("https://c/otlp/")][..], "https://c/otlp/v1/traces"),
        (&[own("https://c/x")], "https://c/x"),
        (&[endpoint("https://c:4317"), GRPC], "https://c:4317"),
        (&[endpoint("c:4317"), GRPC], "https://c:4317"),
        (&[endpoint("c:4317"), GRPC, insecure], "http://c:4317"),
        (&[("OTEL_TRACES_EXPORTER", "otlp")], "http://localhost:4318/v1/traces"),
        (&[("OTEL_TRACES_EXPORTER", "otlp"), GRPC], "http://localhost:4317"),
    ] {
        let found = read(variables).unwrap().unwrap().traces.unwrap();
        assert_eq!(found.endpoint, expected, "{variables:?}");
        let is_grpc = found.protocol == Protocol::Grpc;
        assert_eq!(is_grpc, variables.contains(&GRPC), "{variables:?}");
    }
    for (address, shown) in [
        ("https://c:1/d", "https://c:1/d"),
        ("https://a:b@c:1/d", "https://c:1/d"),
        ("https://a:b/b@c:1/d", "https://c:1/d"),
        ("https://a:b@b@c:1", "https://c:1"),
        ("a:b@c:1", "c:1"),
        ("https://c:1/d?key=b", "https://c:1/d"),
        ("c:1", "c:1"),
    ] {
        assert_eq!(without_password(address), shown, "{address}");
    }
}
