//! Whom guests' HTTPS requests trust: certificates of a file, or those that the system trusts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The largest file of certificates that is read, in bytes. What systems trust has a fourth of it.
const LARGEST_FILE: u64 = 1 << 20;

/// Whom HTTPS requests trust. The default is those whom the system trusts, asked at the first request. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct HttpTrust {
    config: Arc<OnceCell<Arc<ClientConfig>>>,
}

/// Why certificates can't be trusted.
#[derive(Debug, thiserror::Error)]
pub enum InvalidHttpRoots {
    /// The file could not be read.
    #[error("the file {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than any list of certificates.
    #[error("the file {} is larger than {LARGEST_FILE} bytes", .0.display())]
    TooLarge(PathBuf),
    /// The file is not PEM, or holds something else.
    #[error("the file {} holds no certificates in PEM form: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: pem::Error,
    },
    /// A certificate can't be used.
    #[error("a certificate in {} cannot be used: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
}

impl HttpTrust {
    /// Trusts the certificates of this file alone. Blocks while it reads it.
    ///
    /// # Errors
    /// The file can't be read, or holds anything but certificates in PEM form.
    pub fn of_file(path: &Path) -> Result<Self, InvalidHttpRoots> {
        let unusable = |source| InvalidHttpRoots::Unusable {
            path: path.to_owned(),
            source,
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(unusable)?;
        }
        let config = config(roots).map_err(unusable)?;
        Ok(Self {
            config: Arc::new(OnceCell::new_with(Some(config))),
        })
    }

    /// What connections are made with.
    pub(super) async fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        self.config.get_or_try_init(of_system).await.cloned()
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, InvalidHttpRoots> {
    use std::io::Read as _;
    let mut content = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut content))
        .map_err(|source| InvalidHttpRoots::Read {
            path: path.to_owned(),
            source,
        })?;
    if content.len() as u64 > LARGEST_FILE {
        return Err(InvalidHttpRoots::TooLarge(path.to_owned()));
    }
    let failed = |source| InvalidHttpRoots::Pem {
        path: path.to_owned(),
        source,
    };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&content)
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if certificates.is_empty() {
        return Err(failed(pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

async fn of_system() -> Result<Arc<ClientConfig>, rustls::Error> {
    let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
    let read = read.map_err(|error| rustls::Error::General(error.to_string()))?;
    for error in &read.errors {
        tracing::warn!(%error, "certificates that the system trusts can't be read");
    }
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(read.certs);
    if usable == 0 {
        tracing::warn!(
            "the system trusts no certificates, so every HTTPS request of a guest will fail; `http_roots` in [runtime] \
             names a file of those to trust"
        );
    }
    config(roots)
}

fn config(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
