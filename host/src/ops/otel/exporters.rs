//! The exporters of the SDK, made as the variables say, and what hands to them.

use std::sync::Arc;

use opentelemetry_otlp::{
    Compression, LogExporter, MetricExporter, Protocol as OtlpProtocol, SpanExporter, WithExportConfig as _,
    WithHttpConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchLogProcessor, SdkLoggerProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};

use super::bounded::{Bounded, ExportQueue};
use super::exporting::{Exporting, Way};
use super::settings::{Destination, Protocol, SettingsError};
use super::transport::{channel, http_client};

/// The builders of the three exporters have the same methods, and no type in common. Headers the SDK reads from the variables.
macro_rules! build {
    ($exporter:ident, $destination:expr, $way:expr) => {{
        let (destination, way): (&Destination, &Way) = ($destination, $way);
        let built = match destination.protocol {
            Protocol::HttpProtobuf => {
                let builder = $exporter::builder()
                    .with_http()
                    .with_http_client(http_client(destination, way.fault.clone())?)
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
                    .with_channel(channel(destination)?)
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

pub(super) fn tracer_provider(
    destination: &Destination,
    resource: &Resource,
) -> Result<SdkTracerProvider, SettingsError> {
    let way = Way::to(destination)?;
    let exporter = build!(SpanExporter, destination, &way)?;
    let queue = ExportQueue::of(destination.signal, "OTEL_BSP_MAX_QUEUE_SIZE");
    let exporting = Exporting::new(exporter, way, Some(Arc::clone(&queue)));
    let processor = BatchSpanProcessor::builder(exporting).build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_span_processor(Bounded::new(processor, queue))
        .build())
}

pub(super) fn logger_provider(
    destination: &Destination,
    resource: &Resource,
) -> Result<SdkLoggerProvider, SettingsError> {
    let way = Way::to(destination)?;
    let exporter = build!(LogExporter, destination, &way)?;
    let queue = ExportQueue::of(destination.signal, "OTEL_BLRP_MAX_QUEUE_SIZE");
    let exporting = Exporting::new(exporter, way, Some(Arc::clone(&queue)));
    let processor = BatchLogProcessor::builder(exporting).build();
    Ok(SdkLoggerProvider::builder()
        .with_resource(resource.clone())
        .with_log_processor(Bounded::new(processor, queue))
        .build())
}

pub(super) fn meter_provider(
    destination: &Destination,
    resource: &Resource,
) -> Result<SdkMeterProvider, SettingsError> {
    let way = Way::to(destination)?;
    let exporter = build!(MetricExporter, destination, &way)?;
    Ok(SdkMeterProvider::builder()
        .with_resource(resource.clone())
        .with_periodic_exporter(Exporting::new(exporter, way, None))
        .build())
}
