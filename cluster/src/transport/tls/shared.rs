//! The certificates as they are at this moment, for all acceptors and connectors of a node.

use std::sync::Arc;

use parking_lot::RwLock;
use tokio_rustls::rustls::crypto::CryptoProvider;

use super::files::{Contents, TlsFiles};
use super::material::Material;

/// What all acceptors and connectors of a [`Tls`](super::Tls) look into.
#[derive(Debug)]
pub(super) struct SharedCertificates {
    pub(super) files: TlsFiles,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) current: RwLock<CurrentCertificates>,
}

#[derive(Clone, Debug)]
pub(super) struct CurrentCertificates {
    pub(super) material: Arc<Material>,
    /// The contents that it was made of, to notice a change.
    pub(super) contents: Arc<Contents>,
}

impl SharedCertificates {
    pub(super) fn material(&self) -> Arc<Material> {
        self.current.read().material.clone()
    }
}
