//! How exports reach a collector: HTTP or gRPC, over TLS where the address says so. Both have one way to connect.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use hyper_rustls::builderstates::WantsProtocols1;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use parking_lot::Mutex;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, TrustAnchor};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::transport::{Channel, Endpoint};

use super::exporting::Way;
use super::settings::{Destination, FileOf, SettingsError};
use crate::files::{self, Secret};
use crate::tls::read_roots;

/// The largest file with a certificate or a key, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// What went wrong on the way to a collector. The SDK tells only that something did.
#[derive(Clone, Debug, Default)]
pub(super) struct LastFault(Arc<Mutex<Option<String>>>);

impl LastFault {
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().take()
    }

    fn note(&self, error: &(dyn Error + 'static)) {
        *self.0.lock() = Some(chain(error));
    }
}

/// What the SDK sends requests with.
pub(super) fn http_client(destination: &Destination, way: &Way, config: ClientConfig) -> impl HttpClient + use<> {
    let connector = connector(config).enable_http1().build();
    ExportClient {
        inner: HyperClient::new(connector, destination.timeout, None),
        fault: way.fault.clone(),
    }
}

/// What the SDK calls a collector through. It connects when there is something to export. Needs a tokio runtime around it.
pub(super) fn channel(destination: &Destination, config: ClientConfig) -> Result<Channel, SettingsError> {
    let connector = connector(config).enable_http2().build();
    let endpoint = Endpoint::from_shared(destination.endpoint.clone()).map_err(SettingsError::other)?;
    let endpoint = endpoint
        .timeout(destination.timeout)
        .connect_timeout(destination.timeout);
    Ok(endpoint.connect_with_connector_lazy(connector))
}

fn connector(config: ClientConfig) -> HttpsConnectorBuilder<WantsProtocols1> {
    HttpsConnectorBuilder::new().with_tls_config(config).https_or_http()
}

/// What the files of a destination hold: whom it trusts, and who it is.
pub(super) struct Certificates {
    trusted: Vec<TrustAnchor<'static>>,
    chain: Vec<CertificateDer<'static>>,
    /// None if the collector is shown no certificate.
    key: Option<PrivateKeyDer<'static>>,
}

impl Certificates {
    /// Reads them. Blocks while it does.
    ///
    /// # Errors
    /// A file can't be read, or is not what it should be.
    pub(super) fn read(destination: &Destination) -> Result<Self, SettingsError> {
        let trusted = match &destination.trusted {
            Some(file) => read_roots(&file.path).map_err(|error| unusable(file, error))?,
            None if destination.endpoint.starts_with("https:") => of_system()?,
            // There is no TLS for which it would be asked.
            None => RootCertStore::empty(),
        };
        Self::with(destination, trusted.roots)
    }

    /// Reads the files again that variables name. Whom the system trusts stays as it was at the start.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) fn read_again(&self, destination: &Destination) -> Result<Self, SettingsError> {
        match &destination.trusted {
            Some(_) => Self::read(destination),
            None => Self::with(destination, self.trusted.clone()),
        }
    }

    fn with(destination: &Destination, trusted: Vec<TrustAnchor<'static>>) -> Result<Self, SettingsError> {
        let (chain, key) = match &destination.identity {
            Some((certificate, key)) => (chain_of(certificate)?, Some(key_of(key)?)),
            None => (Vec::new(), None),
        };
        Ok(Self { trusted, chain, key })
    }

    /// The variables whose files hold something else.
    pub(super) fn changed(&self, other: &Self, destination: &Destination) -> Vec<String> {
        let mut changed = Vec::new();
        let mut note = |is_other: bool, file: Option<&FileOf>| {
            changed.extend(file.filter(|_| is_other).map(|file| file.variable.clone()));
        };
        let (certificate, key) = destination
            .identity
            .as_ref()
            .map(|(certificate, key)| (certificate, key))
            .unzip();
        note(self.trusted != other.trusted, destination.trusted.as_ref());
        note(self.chain != other.chain, certificate);
        note(self.key != other.key, key);
        changed
    }

    /// What is said to the collector with them.
    ///
    /// # Errors
    /// The key is not that of the certificate.
    pub(super) fn config(&self, destination: &Destination) -> Result<ClientConfig, SettingsError> {
        let provider = CryptoProvider::get_default()
            .cloned()
            .unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
        let roots = RootCertStore {
            roots: self.trusted.clone(),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(SettingsError::other)?
            .with_root_certificates(roots);
        let (Some(key), Some((_, file))) = (&self.key, &destination.identity) else {
            return Ok(builder.with_no_client_auth());
        };
        builder
            .with_client_auth_cert(self.chain.clone(), key.clone_key())
            .map_err(|error| unusable(file, error))
    }
}

fn unusable(file: &FileOf, error: impl fmt::Display) -> SettingsError {
    SettingsError(format!("{}: {error}", file.variable))
}

fn of_system() -> Result<RootCertStore, SettingsError> {
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        let message = "the system trusts no certificates, and the collector is at an address with https://; \
             OTEL_EXPORTER_OTLP_CERTIFICATE names a file of those to trust";
        return Err(SettingsError(message.to_owned()));
    }
    Ok(roots)
}

fn chain_of(file: &FileOf) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let path = file.path.display();
    let bytes = files::read(&file.path, LARGEST_FILE)
        .map_err(|error| unusable(file, format!("the file {path} cannot be read: {error}")))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(unusable(
            file,
            format!("the file {path} holds no certificate in PEM form"),
        )),
    }
}

fn key_of(file: &FileOf) -> Result<PrivateKeyDer<'static>, SettingsError> {
    let bytes =
        files::read_secret(Secret::PrivateKey, &file.path, LARGEST_FILE).map_err(|error| unusable(file, error))?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        let path = file.path.display();
        unusable(file, format!("the file {path} holds no private key in PEM form"))
    })
}

/// A client that remembers why it has failed.
#[derive(Debug)]
struct ExportClient {
    inner: HyperClient<HttpsConnector<HttpConnector>>,
    fault: LastFault,
}

impl HttpClient for ExportClient {
    fn send_bytes<'client, 'sending>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sending>>
    where
        'client: 'sending,
        Self: 'sending,
    {
        Box::pin(async move {
            let sent = self.inner.send_bytes(request).await;
            if let Err(error) = &sent {
                self.fault.note(&**error);
            }
            sent
        })
    }
}

/// An error and what is behind it, each once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let further = error.to_string();
        if !text.ends_with(&further) {
            text = format!("{text}: {further}");
        }
        next = error.source();
    }
    text
}

/// What to do about a fault, where that is known.
pub(super) fn advice(fault: &str) -> Option<&'static str> {
    [
        (
            "UnknownIssuer",
            "OTEL_EXPORTER_OTLP_CERTIFICATE names the file of the CA that has signed the collector's certificate",
        ),
        (
            "not valid for name",
            "the collector's certificate bears another name than OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            "CertificateRequired",
            "the collector wants a certificate: OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY name its files",
        ),
        ("InvalidContentType", "the collector does not speak TLS there"),
    ]
    .into_iter()
    .find_map(|(sign, advice)| fault.contains(sign).then_some(advice))
}
