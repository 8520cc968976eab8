//! What a failed TLS handshake means for the person who set the nodes up.

use std::io;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// An I/O error in words: with advice, if TLS is what failed.
pub(crate) fn explain_io(error: &io::Error) -> String {
    match rustls_error(error) {
        Some(error) => explain(error),
        None => error.to_string(),
    }
}

/// The TLS error inside an I/O error, if that is what it is.
pub(crate) fn rustls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// A TLS error in words, with advice where there is some to give.
pub(crate) fn explain(error: &Error) -> String {
    match advice(error) {
        Some(advice) => format!("{error}; {advice}"),
        None => error.to_string(),
    }
}

fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some("the peer doesn't speak TLS: both nodes need it, or neither")
        }
        Error::NoCertificatesPresented => {
            Some("the peer needs a certificate of its own, signed by the `ca` of this node")
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            Some("the certificate is not signed by the `ca` of this node")
        }
        Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
        ) => Some("a node's certificate must be good for both server and client authentication"),
        Error::AlertReceived(AlertDescription::UnknownCA | AlertDescription::DecryptError) => {
            Some("the peer does not trust this node's certificate: its `ca` has not signed it")
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            Some("the peer wants this node to show a certificate: give it `cert` and `key`")
        }
        Error::AlertReceived(AlertDescription::CertificateExpired) => Some("renew this node's certificate"),
        Error::AlertReceived(AlertDescription::BadCertificate | AlertDescription::CertificateUnknown) => {
            Some("the peer does not accept this node's certificate, and its log says why")
        }
        _ => None,
    }
}
