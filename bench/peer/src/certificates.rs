//! One certificate for both nodes, signed by a CA of its own.

use std::fs;
use std::path::Path;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};

/// The name in the certificate, by which nodes are dialled.
pub(crate) const HOST: &str = "localhost";
/// The files in the folder.
pub(crate) const FILES: [&str; 3] = ["cert.pem", "key.pem", "ca.pem"];

/// Writes the certificate, its key and the CA.
pub(crate) fn make(folder: &Path) -> anyhow::Result<()> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![HOST.to_owned()])?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, &ca)?;
    let texts = [certificate.pem(), key.serialize_pem(), ca.pem()];
    for (name, text) in FILES.iter().zip(texts) {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
