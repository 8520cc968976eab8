//! Certificates for the peers of a test, as PEM files in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;
pub use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{WantsServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::{ConfigBuilder, Error, RootCertStore, WantsVerifier};

use crate::host::keep_private;

/// The names in every certificate: those by which nodes dial each other.
const HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

/// Somebody who signs certificates.
pub struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    /// One with a key of its own.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(made(CertifiedIssuer::self_signed(params, made(KeyPair::generate()))))
    }

    /// A new certificate that this one has signed, for a node that trusts those which `trusted` has signed.
    #[track_caller]
    pub fn issue(&self, trusted: &Self) -> Certificates {
        let key = made(KeyPair::generate());
        let mut params = made(CertificateParams::new(HOSTS.map(str::to_owned)));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = made(params.signed_by(&key, &self.0));
        let folder = made(tempfile::tempdir());
        let files = [
            ("cert", certificate.pem()),
            ("key", key.serialize_pem()),
            ("ca", trusted.0.pem()),
        ]
        .map(|(what, text)| {
            let path = folder.path().join(what).with_extension("pem");
            made(fs::write(&path, text));
            keep_private(&path);
            (what, path)
        });
        Certificates { files, _folder: folder }
    }
}

/// What one node has; the files go with it.
#[derive(Debug)]
pub struct Certificates {
    files: [(&'static str, PathBuf); 3],
    _folder: TempDir,
}

impl Certificates {
    /// The command-line options by which a peer, or the command line of the product, uses them.
    pub fn options(&self) -> Vec<String> {
        self.files
            .iter()
            .flat_map(|(what, path)| [format!("--tls-{what}"), path.display().to_string()])
            .collect()
    }

    /// The file of those that it trusts.
    pub fn ca(&self) -> &Path {
        let [_, _, (_, ca)] = &self.files;
        ca
    }

    /// The file of the certificate.
    pub fn cert(&self) -> &Path {
        let [(_, cert), ..] = &self.files;
        cert
    }

    /// The file of its key.
    pub fn key(&self) -> &Path {
        let [_, (_, key), _] = &self.files;
        key
    }

    /// For a server that shows the certificate to whoever comes.
    #[track_caller]
    pub fn server(&self) -> Arc<ServerConfig> {
        self.serving(made(builder()).with_no_client_auth())
    }

    /// The same for those who show a certificate that this one trusts, and nobody else, with these protocols on top of TLS.
    #[track_caller]
    pub fn mutual_server(&self, protocols: &[&str]) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        for certificate in made(CertificateDer::pem_file_iter(self.ca())) {
            made(roots.add(made(certificate)));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = made(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build());
        let mut config = Arc::unwrap_or_clone(self.serving(made(builder()).with_client_cert_verifier(verifier)));
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    #[track_caller]
    fn serving(&self, config: ConfigBuilder<ServerConfig, WantsServerCert>) -> Arc<ServerConfig> {
        let chain = made(CertificateDer::pem_file_iter(self.cert())).map(made).collect();
        let key = made(PrivateKeyDer::from_pem_file(self.key()));
        Arc::new(made(config.with_single_cert(chain, key)))
    }

    /// The `[node.tls]` of a node that uses them.
    pub fn node_toml(&self) -> String {
        let mut table = String::from("[node.tls]\n");
        for (what, path) in &self.files {
            table += &format!("{what} = {path:?}\n");
        }
        table + "\n"
    }
}

fn builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, Error> {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions()
}

#[track_caller]
fn made<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("making certificates: {error}"),
    }
}
