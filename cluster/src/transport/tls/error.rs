//! What is wrong with the files that TLS is made of.

use std::path::PathBuf;

use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem;
use tokio_rustls::rustls::server::VerifierBuilderError;

use crate::files::{ReadError, SecretError, Writable};

/// One of the files that TLS is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFile {
    /// The node's certificate, and those that lead from it to the CA.
    Cert,
    /// The certificate's private key.
    Key,
    /// The certificates that peers' certificates must lead to.
    Ca,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file could not be read.
    #[error("the file {} cannot be read: {source}", path.display())]
    Read {
        /// What it is for.
        file: TlsFile,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: ReadError,
    },
    /// Somebody else can change a file that says whom this node trusts, or who it is.
    #[error("the file {} can be changed by others: {by}", path.display())]
    Writable {
        /// What it is for.
        file: TlsFile,
        /// The file.
        path: PathBuf,
        /// Who can.
        by: Writable,
    },
    /// The private key can't be read, or others can read it.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// A file is not PEM, or not of the right kind.
    #[error("the file {} holds no {} in PEM form: {source}", path.display(), expected(*file))]
    Pem {
        /// What it is for.
        file: TlsFile,
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: pem::Error,
    },
    /// A certificate or a key can't be used.
    #[error("the {} in {} cannot be used: {source}", expected(*file), path.display())]
    Unusable {
        /// What it is for.
        file: TlsFile,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// The key is not that of the certificate.
    #[error("the key in {} is not that of the certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// Nothing can be checked against the `ca`.
    #[error("the certificates in {} cannot be used as a CA: {source}", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: VerifierBuilderError,
    },
    /// Connections can't be accepted without a certificate.
    #[error("TLS needs a certificate and its key to accept connections")]
    NoIdentity,
    /// Certificates of others can't be checked without a CA.
    #[error("TLS needs the certificate of a CA to check those of other nodes")]
    NoCa,
    /// The process has a crypto provider without TLS 1.3.
    #[error("the crypto provider of this process has no TLS 1.3: {0}")]
    Provider(rustls::Error),
}

impl TlsError {
    /// True if a file is not there.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Read { source, .. } => source.is_not_found(),
            Self::Key(error) => error.is_not_found(),
            _ => false,
        }
    }

    /// The file that it is about, if it is about one.
    pub fn file(&self) -> Option<TlsFile> {
        match self {
            Self::Read { file, .. }
            | Self::Writable { file, .. }
            | Self::Pem { file, .. }
            | Self::Unusable { file, .. } => Some(*file),
            Self::Key(_) | Self::Mismatch { .. } => Some(TlsFile::Key),
            Self::Ca { .. } => Some(TlsFile::Ca),
            Self::NoIdentity | Self::NoCa | Self::Provider(_) => None,
        }
    }
}

fn expected(file: TlsFile) -> &'static str {
    match file {
        TlsFile::Cert | TlsFile::Ca => "certificate",
        TlsFile::Key => "private key",
    }
}
