//! A CA for a small cluster, and the certificates of its nodes.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The validity of a CA, in days.
const CA_DAYS: u32 = 3650;

/// The validity of a node's certificate, in days.
const NODE_DAYS: u32 = 365;

/// The time by which certificates are valid earlier, for machines whose clocks are late.
const LATE_CLOCKS: Duration = Duration::from_secs(60 * 60);

/// Somebody who signs certificates.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a node shows to others, in PEM.
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    /// One with a key of its own.
    pub(super) fn new() -> Result<Self, Error> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "ractor-host cluster");
        // It signs nodes, and no further CAs.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        valid_for(&mut params, CA_DAYS);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    pub(super) fn certificate(&self) -> String {
        self.0.pem()
    }

    pub(super) fn key(&self) -> String {
        self.0.key().serialize_pem()
    }

    /// A certificate for a node at this host. It is good for that host, for this machine, and for both ends of a connection.
    pub(super) fn issue(&self, name: &str, host: &str) -> Result<Issued, Error> {
        let mut hosts = vec![host.to_owned()];
        let here = ["localhost", "127.0.0.1"];
        hosts.extend(here.into_iter().filter(|own| *own != host).map(str::to_owned));
        let mut params = CertificateParams::new(hosts)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        valid_for(&mut params, NODE_DAYS);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

fn valid_for(params: &mut CertificateParams, days: u32) {
    let now = SystemTime::now();
    params.not_before = (now - LATE_CLOCKS).into();
    params.not_after = (now + DAY * days).into();
}
