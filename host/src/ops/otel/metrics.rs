//! The metrics of docs/metrics.md for a collector, under the same names.
//!
//! The node looks at them now and then, as an exporter of Prometheus would, and the SDK takes what it saw last. A histogram comes as what
//! Prometheus makes of it: counters of its buckets, its sum and its count.

use std::sync::{Arc, LazyLock};

use opentelemetry::metrics::{AsyncInstrument, MeterProvider as _};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use parking_lot::Mutex;

use crate::metrics::{Kind, METRICS, Metric, Unit};

/// What was seen last.
static SEEN: LazyLock<Mutex<Arc<Vec<Sample>>>> = LazyLock::new(Mutex::default);

/// A number with its labels.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    labels: Vec<KeyValue>,
    value: f64,
}

/// From now on this is exported: metrics in the text format of Prometheus.
pub(crate) fn show(text: &str) {
    let seen = text.lines().filter_map(sample).collect();
    *SEEN.lock() = Arc::new(seen);
}

/// Has the provider ask for all of them.
pub(super) fn register(provider: &SdkMeterProvider, scope: InstrumentationScope) {
    let meter = provider.meter_with_scope(scope);
    for metric in METRICS {
        let (unit, meaning) = (unit(metric.unit), metric.meaning);
        match metric.kind {
            Kind::Gauge => {
                let gauge = meter.f64_observable_gauge(metric.name);
                gauge
                    .with_unit(unit)
                    .with_description(meaning)
                    .with_callback(observe(metric.name.to_owned()))
                    .build();
            }
            Kind::Counter | Kind::Histogram => {
                for name in names(metric) {
                    let counter = meter.f64_observable_counter(name.clone());
                    let unit = if name.ends_with("_bucket") || name.ends_with("_count") {
                        "1"
                    } else {
                        unit
                    };
                    counter
                        .with_unit(unit)
                        .with_description(meaning)
                        .with_callback(observe(name))
                        .build();
                }
            }
        }
    }
}

/// The names of the samples of a metric that only grow.
fn names(metric: &Metric) -> Vec<String> {
    let name = metric.name;
    match metric.kind {
        Kind::Histogram => ["bucket", "sum", "count"]
            .iter()
            .map(|part| format!("{name}_{part}"))
            .collect(),
        Kind::Counter | Kind::Gauge => vec![name.to_owned()],
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "By",
        Unit::Seconds => "s",
        Unit::Number => "1",
    }
}

fn observe(name: String) -> impl Fn(&dyn AsyncInstrument<f64>) + Send + Sync + 'static {
    move |instrument| {
        let seen = SEEN.lock().clone();
        // What isn't known now is not a number, and nothing to export.
        for sample in seen
            .iter()
            .filter(|sample| sample.name == name && sample.value.is_finite())
        {
            instrument.observe(sample.value, &sample.labels);
        }
    }
}

/// A line of the text format; none of a comment.
fn sample(line: &str) -> Option<Sample> {
    if line.starts_with('#') {
        return None;
    }
    let (series, value) = line.trim_end().rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, self::labels(labels.strip_suffix('}')?)?),
        None => (series, Vec::new()),
    };
    Some(Sample {
        name: name.to_owned(),
        labels,
        value: value.parse().ok()?,
    })
}

/// `key="value",…`, with the escapes of the format.
fn labels(mut text: &str) -> Option<Vec<KeyValue>> {
    let mut labels = Vec::new();
    while !text.is_empty() {
        let (key, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match characters.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        labels.push(KeyValue::new(key.to_owned(), value));
        let rest = rest.get(end + 1..)?;
        text = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_text_format_is_read() {
        assert_eq!(sample("# HELP a b"), None);
        assert_eq!(sample(""), None);
        let of = |name: &str, labels: &[(&str, &str)], value| {
            let labels = labels
                .iter()
                .map(|(key, value)| KeyValue::new((*key).to_owned(), (*value).to_owned()));
            Some(Sample {
                name: name.to_owned(),
                labels: labels.collect(),
                value,
            })
        };
        assert_eq!(sample("up 1"), of("up", &[], 1.0));
        let line = r#"a_total{peer="b@c",text="a \"b\" \\ {d}\n, e=\"f\""} 1.5e3"#;
        let text = "a \"b\" \\ {d}\n, e=\"f\"";
        assert_eq!(sample(line), of("a_total", &[("peer", "b@c"), ("text", text)], 1500.0));
        let bucket = r#"a_bucket{module="m",le="+Inf"} 7"#;
        assert_eq!(sample(bucket), of("a_bucket", &[("module", "m"), ("le", "+Inf")], 7.0));
        assert!(sample("nan NaN").is_some_and(|sample| sample.value.is_nan()));
        for broken in ["a{b=\"c 1", "a{b} 1", "a", "a x"] {
            assert_eq!(sample(broken), None, "{broken}");
        }
    }
}
