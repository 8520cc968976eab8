//! TLS of the peer: mutual, with one CA for both ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The PEM files. Without them the node speaks plain TCP.
#[derive(clap::Args, Debug)]
pub(crate) struct TlsOptions {
    /// The node's certificate, for connections either way.
    #[arg(long = "tls-cert", requires_all = ["key", "ca"])]
    cert: Option<PathBuf>,
    /// The key of that certificate.
    #[arg(long = "tls-key", requires = "cert")]
    key: Option<PathBuf>,
    /// Who has to have signed the certificates of the others.
    #[arg(long = "tls-ca", requires = "cert")]
    ca: Option<PathBuf>,
}

/// What both ends of a connection need.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) connector: TlsConnector,
}

impl Tls {
    /// Reads the files, if there are any.
    pub(crate) fn load(options: &TlsOptions) -> anyhow::Result<Option<Self>> {
        let (Some(cert), Some(key), Some(ca)) = (&options.cert, &options.key, &options.ca) else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        for root in certificates(ca)? {
            roots.add(root)?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(cert)?;
        let key = PrivateKeyDer::from_pem_file(key).with_context(|| key.display().to_string())?;
        let clients = WebPkiClientVerifier::builder(Arc::clone(&roots)).build()?;
        let server = ServerConfig::builder()
            .with_client_cert_verifier(clients)
            .with_single_cert(chain.clone(), key.clone_key())?;
        let client = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        Ok(Some(Self {
            acceptor: Arc::new(server).into(),
            connector: Arc::new(client).into(),
        }))
    }
}

fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .with_context(|| path.display().to_string())
}
