//! The exporters of the SDK, made as the variables say, and what hands to them.

use std::sync::Arc;

use opentelemetry_otlp::{
    Compression, LogExporter, MetricExporter, Protocol as OtlpProtocol, SpanExporter, WithExportConfig as _,
    WithHttpConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchLogProcessor, LogExporter as _, SdkLoggerProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider, SpanExporter as _};

use super::bounded::{Bounded, ExportQueue};
use super::exporting::{Exporting, Way};
use super::renewal::{CurrentExporter, Recipe, Renewable};
use super::settings::{Destination, Protocol, SettingsError};
use super::transport::{channel, http_client};

/// The builders of the three exporters have the same methods, and no type in common. Headers the SDK reads from the variables.
macro_rules! build {
    ($exporter:ident, $destination:expr, $way:expr, $config:expr) => {{
        let (destination, way): (&Destination, &Way) = ($destination, $way);
        let built = match destination.protocol {
            Protocol::HttpProtobuf => {
                let builder = $exporter::builder()
                    .with_http()
                    .with_http_client(http_client(destination, way, $config))
                    .with_protocol(OtlpProtocol::HttpBinary)
                    .with_endpoint(destination.endpoint.clone())
                    .with_timeout(destination.timeout);
                if destination.is_compressed {
                    builder.with_compression(Compression::Gzip).build()
                } else {
                    builder.build()
                }
            }
            Protocol::Grpc => {
                // A channel has a task on the runtime in which it is made.
                let _inside = way.runtime.enter();
                let builder = $exporter::builder()
                    .with_tonic()
                    .with_channel(channel(destination, $config)?)
                    .with_timeout(destination.timeout);
                if destination.is_compressed {
                    builder.with_compression(Compression::Gzip).build()
                } else {
                    builder.build()
                }
            }
        };
        built.map_err(SettingsError::other)
    }};
}

/// A provider, and its exporter, which is made anew when its certificates are replaced.
pub(super) struct Provided<P> {
    provider: P,
    exporter: Arc<dyn Renewable>,
}

impl<P> Provided<P> {
    /// The provider; its exporter is put with the others.
    pub(super) fn into_provider(self, exporters: &mut Vec<Arc<dyn Renewable>>) -> P {
        exporters.push(self.exporter);
        self.provider
    }
}

pub(super) fn tracer_provider(
    destination: &Destination,
    resource: &Resource,
) -> Result<Provided<SdkTracerProvider>, SettingsError> {
    let way = Way::to(destination)?;
    let recipe = Recipe {
        make: |destination, way, config| build!(SpanExporter, destination, way, config),
        set_resource: SpanExporter::set_resource,
    };
    let exporter = CurrentExporter::new(destination, &way, recipe)?;
    let queue = ExportQueue::of(destination.signal, "OTEL_BSP_MAX_QUEUE_SIZE");
    let exporting = Exporting::new(exporter.clone(), way, Some(Arc::clone(&queue)));
    let processor = BatchSpanProcessor::builder(exporting).build();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_span_processor(Bounded::new(processor, queue))
        .build();
    Ok(Provided { provider, exporter })
}

pub(super) fn logger_provider(
    destination: &Destination,
    resource: &Resource,
) -> Result<Provided<SdkLoggerProvider>, SettingsError> {
    let way = Way::to(destination)?;
    let recipe = Recipe {
        make: |destination, way, config| build!(LogExporter, destination, way, config),
        set_resource: LogExporter::set_resource,
    };
    let exporter = CurrentExporter::new(destination, &way, recipe)?;
    let queue = ExportQueue::of(destination.signal, "OTEL_BLRP_MAX_QUEUE_SIZE");
    let exporting = Exporting::new(exporter.clone(), way, Some(Arc::clone(&queue)));
    let processor = BatchLogProcessor::builder(exporting).build();
    let provider = SdkLoggerProvider::builder()
        .with_resource(resource.clone())
        .with_log_processor(Bounded::new(processor, queue))
        .build();
    Ok(Provided { provider, exporter })
}

pub(super) fn meter_provider(
    destination: &Destination,
    resource: &Resource,
) -> Result<Provided<SdkMeterProvider>, SettingsError> {
    let way = Way::to(destination)?;
    let recipe = Recipe {
        make: |destination, way, config| build!(MetricExporter, destination, way, config),
        // Metrics come with it.
        set_resource: |_, _| {},
    };
    let exporter = CurrentExporter::new(destination, &way, recipe)?;
    let provider = SdkMeterProvider::builder()
        .with_resource(resource.clone())
        .with_periodic_exporter(Exporting::new(exporter.clone(), way, None))
        .build();
    Ok(Provided { provider, exporter })
}
