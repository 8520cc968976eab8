//! TLS between nodes, from PEM files that may be replaced while the node runs.
//!
//! A [`Tls`] is made of the files once. The acceptors and connectors that it hands out ask it for certificates at each
//! handshake, so that a reload reaches every connection that is opened from then on; those that are open go on with the
//! keys they have. Sessions are never resumed: a resumed one would be let in on the strength of an earlier check, and
//! links between nodes live too long for a saved round trip to count.

mod certificate_reload;
mod error;
mod explain;
mod files;
mod material;
mod peers;
mod shared;

use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::server::NoServerSessionStorage;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig, client};
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub use crate::files::{Exposure, ForeignWriter, ReadError, Secret, SecretError, SecretFault, Writable};
pub use certificate_reload::CertificateReload;
pub use error::{TlsError, TlsFile};
pub use files::{IdentityFiles, TlsFiles};
pub use tokio_rustls::rustls::pki_types::ServerName;

pub(crate) use explain::{explain, explain_io, rustls_error};
use material::Material;
use peers::{OwnCertificate, PeerVerifier};
use shared::{CurrentCertificates, SharedCertificates};

/// The one version that is offered and taken: both ends are nodes of recent make.
const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// Whether nodes that connect have to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// They have to, and it must lead to the `ca` of this node: mutual TLS.
    Required,
    /// They need not; the cookie alone decides which nodes are let in.
    None,
}

/// The certificates of a node as they are now. Clones share them.
#[derive(Debug, Clone)]
pub struct Tls {
    shared: Arc<SharedCertificates>,
}

/// The certificates to which those of others had to lead at some time. See [`Tls::trusted`].
#[derive(Debug, Clone)]
pub struct Trusted(Arc<files::Contents>);

/// The certificates of a file, to check others against where no node is at the other end. Blocks while it reads it.
///
/// # Errors
/// It can't be read, or holds no certificates in PEM form that can be used.
pub fn read_roots(path: &Path) -> Result<RootCertStore, TlsError> {
    material::read_roots(path)
}

impl Tls {
    /// The files.
    pub fn files(&self) -> &TlsFiles {
        &self.shared.files
    }

    /// Reads the files. Blocks while it does.
    ///
    /// # Errors
    /// A file can't be read, is not what it should be, or the key is not that of the certificate.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = CryptoProvider::get_default()
            .cloned()
            .unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
        let contents = files.read()?;
        let current = CurrentCertificates {
            material: Arc::new(Material::parse(&files, &contents, &provider)?),
            contents: Arc::new(contents),
        };
        let shared = SharedCertificates {
            files,
            provider,
            current: RwLock::new(current),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// What the certificates of others have to lead to now. Taken before a handshake, it tells later whether the handshake would still
    /// have the same outcome.
    pub fn trusted(&self) -> Trusted {
        Trusted(self.shared.current.read().contents.clone())
    }

    /// False once the `ca` has another content than at that time.
    pub fn still_trusts(&self, then: &Trusted) -> bool {
        let now = self.shared.current.read().contents.clone();
        Arc::ptr_eq(&now, &then.0) || now.ca == then.0.ca
    }

    /// Reads the files again. True if they had changed; connections opened from now on use what they say. Blocks while
    /// it does.
    ///
    /// # Errors
    /// As [`Tls::load`]; what was there before stays in use.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let contents = self.shared.files.read()?;
        if *self.shared.current.read().contents == contents {
            return Ok(false);
        }
        // Parsed before the lock is taken: handshakes go on with the old ones meanwhile, and for good if this fails.
        let material = Material::parse(&self.shared.files, &contents, &self.shared.provider)?;
        let mut current = self.shared.current.write();
        *current = CurrentCertificates {
            material: Arc::new(material),
            contents: Arc::new(contents),
        };
        Ok(true)
    }

    /// True if another one, read from the same files, holds something else.
    pub fn differs_from(&self, read: &Self) -> bool {
        self.shared.files == read.shared.files
            && self.shared.current.read().contents != read.shared.current.read().contents
    }

    /// Takes over what another one holds that was read from the same files: connections opened from now on use it. Unlike
    /// [`reload`](Self::reload) it can't fail, so that several of them can be replaced together, or none.
    pub fn adopt(&self, read: &Self) {
        if self.differs_from(read) {
            let read = read.shared.current.read().clone();
            *self.shared.current.write() = read;
        }
    }

    /// The reason for which nodes that trust the same `ca` would refuse this node's certificate, if there is one: it has expired,
    /// is signed by another CA, or is not made for this use.
    pub fn self_check(&self) -> Option<String> {
        self.shared.material().self_check()
    }

    /// For accepting connections, now and after every reload.
    ///
    /// # Errors
    /// There is no certificate to show, or no `ca` to check those of others against.
    pub fn acceptor(&self, client_auth: ClientAuth) -> Result<TlsAcceptor, TlsError> {
        let material = self.shared.material();
        if !material.has_identity() {
            return Err(TlsError::NoIdentity);
        }
        let builder = ServerConfig::builder_with_provider(self.shared.provider.clone())
            .with_protocol_versions(VERSIONS)
            .map_err(TlsError::Provider)?;
        let builder = match client_auth {
            ClientAuth::None => builder.with_no_client_auth(),
            ClientAuth::Required if !material.has_ca() => return Err(TlsError::NoCa),
            ClientAuth::Required => builder.with_client_cert_verifier(Arc::new(PeerVerifier(self.shared.clone()))),
        };
        let mut config = builder.with_cert_resolver(Arc::new(OwnCertificate(self.shared.clone())));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// For opening connections, now and after every reload. Shows this node's certificate to peers that ask for one.
    ///
    /// # Errors
    /// There is no `ca` to check the peers' certificates against.
    pub fn connector(&self) -> Result<TlsConnector, TlsError> {
        if !self.shared.material().has_ca() {
            return Err(TlsError::NoCa);
        }
        let mut config = ClientConfig::builder_with_provider(self.shared.provider.clone())
            .with_protocol_versions(VERSIONS)
            .map_err(TlsError::Provider)?
            .dangerous() // means: the verifier is ours. It asks the standard one.
            .with_custom_certificate_verifier(Arc::new(PeerVerifier(self.shared.clone())))
            .with_client_cert_resolver(Arc::new(OwnCertificate(self.shared.clone())));
        config.resumption = client::Resumption::disabled();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}
