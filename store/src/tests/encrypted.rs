//! Connections over TLS to a real server: they are encrypted, and nobody is believed to be the server who can't prove it.

use std::path::Path;

use postgres_server::Server;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::harness::store;
use crate::{Address, StoreError};

/// An authority, whose certificate is in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// Gives a server a certificate for this name or address.
    fn certify(&self, server: &mut Server, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        server.stop();
        server.encrypt(&certificate.pem(), &key.serialize_pem());
        server.run();
    }
}

fn url(server: &Server, settings: &str) -> String {
    format!("{}?{settings}", server.url("postgres", "postgres"))
}

fn roots_of(authority: &Authority) -> String {
    format!("sslmode=require&sslrootcert={}", authority.file())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_over_tls_is_encrypted_and_its_server_is_checked() {
    let Some(mut server) = Server::start() else { return };
    let authority = Authority::new();
    let required = url(&server, &roots_of(&authority));
    let refused = store(&required).prepare().await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Connect(_)),
        "a server without TLS: {refused}"
    );

    authority.certify(&mut server, "127.0.0.1");
    let encrypted = store(&required);
    encrypted.prepare().await.unwrap();
    assert!(encrypted.health().await.unwrap().is_encrypted);
    let plain = store(&url(&server, "sslmode=disable"));
    assert!(!plain.health().await.unwrap().is_encrypted);

    // By the authorities of the system, or by another one, it may be anybody.
    for settings in ["sslmode=require".to_owned(), roots_of(&Authority::new())] {
        let refused = store(&url(&server, &settings)).hash().await.unwrap_err();
        assert!(refused.to_string().contains("certificate"), "{settings}: {refused}");
    }
    authority.certify(&mut server, "db.example");
    let refused = store(&required).hash().await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "another name: {refused}");
}

#[test]
fn a_file_of_authorities_that_is_none_is_found_before_anybody_connects() {
    let check = |file: &Path| {
        let url = format!("postgres://db/app?sslmode=require&sslrootcert={}", file.display());
        Address::parse(&url).unwrap().check_roots()
    };
    let authority = Authority::new();
    check(Path::new(&authority.file())).unwrap();
    let missing = check(&authority.folder.path().join("missing.pem")).unwrap_err();
    assert!(missing.to_string().contains("missing.pem"), "{missing}");
}
