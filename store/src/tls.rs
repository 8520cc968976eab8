//! TLS to the server: its certificate is always checked, against the authorities of the system or of a file.

use std::path::Path;
use std::sync::Arc;

use rustls_native_certs::load_native_certs;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::StoreError;

/// What makes TLS connections that trust these authorities.
pub(crate) fn connector(roots: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| StoreError::Roots(error.to_string()))?;
    let config = builder.with_root_certificates(trusted(roots)?).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn trusted(roots: Option<&Path>) -> Result<RootCertStore, StoreError> {
    let mut store = RootCertStore::empty();
    let Some(path) = roots else {
        store.add_parsable_certificates(load_native_certs().certs);
        return Ok(store);
    };
    let fails = |error: &dyn std::fmt::Display| StoreError::Roots(format!("{}: {error}", path.display()));
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fails(&error))? {
        let certificate = certificate.map_err(|error| fails(&error))?;
        store.add(certificate).map_err(|error| fails(&error))?;
    }
    if store.is_empty() {
        return Err(fails(&"no certificate is in it"));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let error = connector(Some(&path)).err().unwrap().to_string();
        assert!(error.contains("ca.pem"), "{error}");
        std::fs::write(&path, "nothing").unwrap();
        let error = connector(Some(&path)).err().unwrap().to_string();
        assert!(error.contains("no certificate"), "{error}");
    }
}
