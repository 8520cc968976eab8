//! TLS of both ends: mutual, with one CA.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::certificates::FILES;

/// What both ends of a connection need, from the files in the folder.
pub(crate) fn load(folder: &Path) -> anyhow::Result<(TlsAcceptor, TlsConnector)> {
    let [cert, key, ca] = FILES.map(|name| folder.join(name));
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(ca)? {
        roots.add(root?)?;
    }
    let roots = Arc::new(roots);
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let clients = WebPkiClientVerifier::builder(Arc::clone(&roots)).build()?;
    let server = ServerConfig::builder()
        .with_client_cert_verifier(clients)
        .with_single_cert(chain.clone(), key.clone_key())?;
    let client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?;
    Ok((Arc::new(server).into(), Arc::new(client).into()))
}
