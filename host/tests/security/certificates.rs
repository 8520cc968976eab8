//! Certificates in files of a temporary folder.

use std::path::{Path, PathBuf};

use ractor_host::tls::{IdentityFiles, Tls, TlsFiles};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// The name in every certificate.
pub(crate) const HOST: &str = "node.example";

/// One that signs certificates.
pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// The PEM texts of a certificate and its key.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// A folder with `cert.pem`, `key.pem` and `ca.pem`.
pub(crate) struct Certificates(tempfile::TempDir);

impl Certificates {
    /// A certificate signed by one CA, for a node that trusts another, or the same.
    pub(crate) fn new(signed_by: &Ca, trusted: &Ca) -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        this.replace(signed_by, trusted);
        this
    }

    /// Puts others in their place.
    pub(crate) fn replace(&self, signed_by: &Ca, trusted: &Ca) {
        let (cert, key) = signed_by.issue();
        self.write("cert.pem", &cert);
        self.write("key.pem", &key);
        self.write("ca.pem", &trusted.0.pem());
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        // A key that others can read is refused.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let folder: &Path = self.0.path();
        folder.join(name)
    }

    pub(crate) fn files(&self) -> TlsFiles {
        TlsFiles {
            identity: Some(IdentityFiles {
                cert: self.path("cert.pem"),
                key: self.path("key.pem"),
            }),
            ca: Some(self.path("ca.pem")),
        }
    }

    pub(crate) fn load(&self) -> Tls {
        Tls::load(self.files()).unwrap()
    }

    /// For one who trusts the same CA and has no certificate.
    pub(crate) fn load_without_identity(&self) -> Tls {
        Tls::load(TlsFiles {
            identity: None,
            ..self.files()
        })
        .unwrap()
    }
}
