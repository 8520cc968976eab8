//! The certificates of a node, as its peers will see them: until when they are good, and for which names.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::{CertificateError, Error};

use super::finding::Finding;
use crate::cli::units::duration;
use crate::config::{NodeConfig, TlsSection};
use crate::files;
use crate::tls::{self, ServerName};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The time before its end at which a certificate is to be replaced.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The furthest end that is looked for.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

pub(super) fn examine(config: &NodeConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(section) = &config.node.tls {
        findings.extend(examine_section(section, &names(config)));
    }
    if let Some(tls) = config.admin.as_ref().and_then(|admin| admin.tls.as_ref()) {
        findings.extend(examine_section(&tls.section, &[]));
    }
    findings
}

/// The names by which peers may dial the node: its certificate has to bear one of them.
fn names(config: &NodeConfig) -> Vec<ServerName<'static>> {
    let node = &config.node;
    if let Some(name) = node.tls.as_ref().and_then(|section| section.server_name.clone()) {
        // All nodes bear this one.
        return vec![name];
    }
    let address = node.listen.ip();
    let listen = (!address.is_unspecified()).then(|| ServerName::IpAddress(address.into()));
    let host = ServerName::try_from(node.hostname.clone()).ok();
    host.into_iter().chain(listen).collect()
}

fn examine_section(section: &TlsSection, names: &[ServerName<'static>]) -> Vec<Finding> {
    let files = section.tls.files();
    let (Some(identity), Some(ca)) = (&files.identity, &files.ca) else {
        return Vec::new();
    };
    let subject = identity.cert.display().to_string();
    let read = files::read(&identity.cert, LARGEST).map_err(|error| error.to_string());
    let checked = read.and_then(|bytes| {
        let roots = tls::read_roots(ca).map_err(|error| error.to_string())?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let verifier = verifier.map_err(|error| error.to_string())?;
        Ok((chain.map_err(|error| error.to_string())?, verifier))
    });
    let (chain, verifier) = match checked {
        Ok(checked) => checked,
        Err(error) => return vec![Finding::fail("certificate", subject, error)],
    };
    let Some((own, others)) = chain.split_first() else {
        return vec![Finding::fail(
            "certificate",
            subject,
            "there is no certificate in the file",
        )];
    };
    let verify = |name: &ServerName<'_>, at: SystemTime| {
        let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let verdict = verifier.verify_server_cert(own, others, name, &[], UnixTime::since_unix_epoch(at));
        verdict.map(drop)
    };
    // Whatever name it bears: a verdict on time and issuer comes before one on names.
    let any = names
        .first()
        .cloned()
        .or_else(|| ServerName::try_from("localhost").ok());
    let Some(any) = any else { return Vec::new() };
    let now = SystemTime::now();
    vec![
        judge_time(&subject, now, |at| verify(&any, at)),
        judge_names(&subject, names, |name| verify(name, now)),
    ]
}

fn judge_time(subject: &str, now: SystemTime, verify: impl Fn(SystemTime) -> Result<(), Error>) -> Finding {
    match verify(now) {
        Err(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            return Finding::fail("certificate", subject, "it has ended, or its CA has")
                .because("no peer accepts it")
                .mend("replace it; the node reads the new one within 10 s");
        }
        Err(Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ))
        | Ok(()) => {}
        Err(error) => {
            return Finding::fail("certificate", subject, error)
                .because("peers with the same `ca` won't accept it")
                .mend("sign it with the `ca` of the nodes");
        }
    }
    // The error at a time when it will have ended says when that is.
    let end = match verify(now + FAR) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            SystemTime::UNIX_EPOCH + Duration::from_secs(not_after.as_secs())
        }
        _ => now + FAR,
    };
    let left = end.duration_since(now).unwrap_or_default();
    let what = format!(
        "it is good for {} more",
        duration(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    );
    if left >= SOON {
        return Finding::ok("certificate", subject, what);
    }
    Finding::warn("certificate", subject, what)
        .because(format!(
            "that is less than {} days, and afterwards no peer accepts it",
            SOON.as_secs() / DAY.as_secs()
        ))
        .mend("replace it; the node reads the new one within 10 s, and no session ends")
}

fn judge_names(
    subject: &str,
    names: &[ServerName<'static>],
    verify: impl Fn(&ServerName<'static>) -> Result<(), Error>,
) -> Finding {
    let mismatch = |result: Result<(), Error>| {
        matches!(
            result,
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            ))
        )
    };
    let borne = names.iter().find(|name| !mismatch(verify(name)));
    let listed = |names: &mut dyn Iterator<Item = &ServerName<'static>>| {
        names
            .map(|name| name.to_str().into_owned())
            .collect::<Vec<_>>()
            .join(" or ")
    };
    match borne {
        Some(name) => Finding::ok("certificate", subject, format!("it bears the name {}", name.to_str())),
        None if names.is_empty() => Finding::ok("certificate", subject, "its names are for clients to check"),
        None => Finding::warn(
            "certificate",
            subject,
            format!("it doesn't bear the name {}", listed(&mut names.iter())),
        )
        .because("peers that dial the node by that name refuse it")
        .mend("have it issued for the name that is in the `peers` of the others, or set `server_name` in [node.tls]"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    /// A verifier of a certificate that ends at this time.
    fn ends(end: SystemTime) -> impl Fn(SystemTime) -> Result<(), Error> {
        move |at| {
            let unix =
                |time: SystemTime| UnixTime::since_unix_epoch(time.duration_since(SystemTime::UNIX_EPOCH).unwrap());
            if at <= end {
                return Ok(());
            }
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext {
                time: unix(at),
                not_after: unix(end),
            }))
        }
    }

    #[test]
    fn a_certificate_is_to_be_replaced_in_its_last_month() {
        let now = SystemTime::now();
        let level = |end| judge_time("node.pem", now, ends(end)).level;
        assert_eq!(level(now + DAY * 31), Level::Ok);
        assert_eq!(level(now + DAY * 29), Level::Warn);
        assert_eq!(level(now - DAY), Level::Fail);
    }
}
