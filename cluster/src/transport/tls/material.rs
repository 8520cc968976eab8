//! The parsed files: a certified key to show, and a CA to check others against.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, InconsistentKeys, RootCertStore};

use super::error::{TlsError, TlsFile};
use super::explain::explain;
use super::files::{Contents, IdentityFiles, TlsFiles, read};

/// One state of the files, checked.
#[derive(Debug)]
pub(super) struct Material {
    identity: Option<Arc<CertifiedKey>>,
    trust: Option<Trust>,
}

/// A CA, as the two roles of a node ask it.
#[derive(Debug)]
struct Trust {
    servers: Arc<dyn ServerCertVerifier>,
    clients: Arc<dyn ClientCertVerifier>,
}

impl Material {
    pub(super) fn parse(
        files: &TlsFiles,
        contents: &Contents,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let identity = match (&files.identity, &contents.cert, &contents.key) {
            (Some(files), Some(cert), Some(key)) => Some(Arc::new(certified_key(files, cert, key, provider)?)),
            _ => None,
        };
        let trust = match (&files.ca, &contents.ca) {
            (Some(path), Some(ca)) => Some(trust(path, ca, provider)?),
            _ => None,
        };
        Ok(Self { identity, trust })
    }

    pub(super) fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    pub(super) fn has_ca(&self) -> bool {
        self.trust.is_some()
    }

    pub(super) fn identity(&self) -> Option<Arc<CertifiedKey>> {
        self.identity.clone()
    }

    pub(super) fn servers(&self) -> Result<&dyn ServerCertVerifier, rustls::Error> {
        self.trust
            .as_ref()
            .map(|trust| trust.servers.as_ref())
            .ok_or_else(no_ca)
    }

    pub(super) fn clients(&self) -> Result<&dyn ClientCertVerifier, rustls::Error> {
        self.trust
            .as_ref()
            .map(|trust| trust.clients.as_ref())
            .ok_or_else(no_ca)
    }

    /// Checks the own certificate as a peer with the same CA would.
    pub(super) fn self_check(&self) -> Option<String> {
        let clients = self.clients().ok()?;
        let (leaf, chain) = self.identity.as_ref()?.cert.split_first()?;
        let verdict = clients.verify_client_cert(leaf, chain, UnixTime::now());
        verdict.err().map(|error| explain(&error))
    }
}

/// The error of a check without a CA. It never comes up: acceptors and connectors that check others are made only with a CA, and a
/// reload keeps it.
fn no_ca() -> rustls::Error {
    rustls::Error::General("there is no CA to check the certificate against".to_owned())
}

fn certified_key(
    files: &IdentityFiles,
    cert: &[u8],
    key: &[u8],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(TlsFile::Cert, &files.cert, cert)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|source| TlsError::Pem {
        file: TlsFile::Key,
        path: files.key.clone(),
        source,
    })?;
    // In two steps rather than by `from_der`, to tell a bad key from a bad certificate.
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|source| TlsError::Unusable {
            file: TlsFile::Key,
            path: files.key.clone(),
            source,
        })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // A provider need not be able to derive the public key. Whether the two fit then shows in the first handshake.
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::Mismatch {
            cert: files.cert.clone(),
            key: files.key.clone(),
        }),
        Err(source) => Err(TlsError::Unusable {
            file: TlsFile::Cert,
            path: files.cert.clone(),
            source,
        }),
    }
}

/// The certificates of a file that is read now.
pub(super) fn read_roots(path: &Path) -> Result<RootCertStore, TlsError> {
    roots(path, &read(TlsFile::Ca, path)?)
}

fn roots(path: &Path, ca: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(TlsFile::Ca, path, ca)? {
        roots.add(certificate).map_err(|source| TlsError::Unusable {
            file: TlsFile::Ca,
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(roots)
}

fn trust(path: &Path, ca: &[u8], provider: &Arc<CryptoProvider>) -> Result<Trust, TlsError> {
    let roots = Arc::new(roots(path, ca)?);
    let unusable = |source| TlsError::Ca {
        path: path.to_owned(),
        source,
    };
    Ok(Trust {
        servers: WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(unusable)?,
        clients: WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(unusable)?,
    })
}

/// All certificates of a file: at least one.
fn certificates(file: TlsFile, path: &Path, content: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Pem {
        file,
        path: path.to_owned(),
        source,
    };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(content)
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if certificates.is_empty() {
        return Err(failed(pem::Error::NoItemsFound));
    }
    Ok(certificates)
}
