//! Hosts with `[node.tls]`, in this process.

use std::path::Path;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::*;
use crate::node::NodeServerMessage;

/// One that signs certificates for 127.0.0.1.
fn ca() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes what a node needs, but for its node.toml.
fn write_files(folder: &Path, ca: &CertifiedIssuer<'_, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let cert = params.signed_by(&key, ca).unwrap();
    for (name, text) in [
        ("cookie", "a cookie of decent length".to_owned()),
        ("ca.pem", ca.pem()),
        ("cert.pem", cert.pem()),
        ("key.pem", key.serialize_pem()),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
}

/// A host of this name whose certificate is signed by `ca`.
async fn start(name: &str, ca: &CertifiedIssuer<'_, KeyPair>, lines: &str) -> RunningHost {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), ca);
    let file = folder.path().join("node.toml");
    let text = format!(
        "[node]\nname = \"{name}\"\ncookie_file = \"cookie\"\n{lines}\n\
         [node.tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\nca = \"ca.pem\""
    );
    std::fs::write(&file, text).unwrap();
    let builder = Host::builder();
    let config = builder.config(&file).unwrap();
    builder.start(config).await.unwrap()
}

/// The names of the nodes that it has sessions with.
async fn peers(host: &RunningHost) -> Vec<String> {
    let sessions = host.node_server().call(NodeServerMessage::GetSessions, None).await;
    let sessions = sessions.unwrap().unwrap().into_values();
    sessions.map(|session| session.peer_name.unwrap().name).collect()
}

#[tokio::test]
async fn hosts_of_one_ca_meet_and_one_of_another_stays_out() {
    let (ours, theirs) = (ca(), ca());
    let alpha = start("tls-alpha", &ours, "").await;
    let dials = format!("peers = [\"{}\"]", alpha.listen_addr());
    let stranger = start("tls-stranger", &theirs, &dials).await;
    let beta = start("tls-beta", &ours, &dials).await;
    while peers(&alpha).await.is_empty() || peers(&beta).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while crate::node::handshake_stats(alpha.node_server())
        .await
        .unwrap()
        .failed
        .is_empty()
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(peers(&alpha).await, ["tls-beta@localhost"]);
    assert_eq!(peers(&beta).await, ["tls-alpha@localhost"]);
    assert!(peers(&stranger).await.is_empty());
    for host in [stranger, beta, alpha] {
        host.shutdown().await;
    }
}
