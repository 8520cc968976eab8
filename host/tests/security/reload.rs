//! Certificates that are replaced while the node runs.

use std::time::Duration;

use ractor_host::tls::{ClientAuth, Tls, TlsError, TlsFile, TlsFiles};

use crate::certificates::{Ca, Certificates};
use crate::node::{Node, Options, until};

#[tokio::test]
async fn new_connections_use_new_certificates_and_open_ones_go_on() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let certificates = Certificates::new(&old, &old);
    let tls = certificates.load();
    let _reload = tls.reload_on_change(Duration::from_millis(20));
    let options = Options {
        tls: Some((&tls, ClientAuth::Required)),
        ..Options::default()
    };
    let listener = Node::start("listener", options).await;
    let first = Node::start("first", Options::default()).await;
    first
        .dial_tls(&listener, &Certificates::new(&old, &old).load())
        .await
        .unwrap();
    listener.until_peers_are(&["first@localhost"]).await;

    certificates.replace(&new, &new);
    let second = Node::start("second", Options::default()).await;
    let of_new = Certificates::new(&new, &new).load();
    until("new certificates are accepted", async || {
        second.dial_tls(&listener, &of_new).await.is_ok()
    })
    .await;
    listener.until_peers_are(&["first@localhost", "second@localhost"]).await;
    let late = Node::start("late", Options::default()).await;
    late.dial_tls(&listener, &Certificates::new(&old, &old).load())
        .await
        .unwrap_err();
    assert_eq!(listener.peers().await, ["first@localhost", "second@localhost"]);
    assert!(first.closed().is_empty(), "the old link was touched");
}

#[tokio::test]
async fn an_acceptor_and_a_connector_follow_the_same_files() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let certificates = Certificates::new(&old, &old);
    let tls = certificates.load();
    assert!(!tls.reload().unwrap(), "nothing has changed");
    let connector = tls.connector().unwrap();
    certificates.replace(&new, &new);
    assert!(tls.reload().unwrap());
    let of_new = Certificates::new(&new, &new).load();
    let options = Options {
        tls: Some((&of_new, ClientAuth::Required)),
        ..Options::default()
    };
    let listener = Node::start("listener", options).await;
    let dialler = Node::start("dialler", Options::default()).await;
    // Made before the files were replaced.
    let name = crate::certificates::HOST.try_into().unwrap();
    ractor_host::client_connect_enc(&dialler.server, listener.addr, connector, name)
        .await
        .unwrap();
    listener.until_peers_are(&["dialler@localhost"]).await;
}

#[tokio::test]
async fn broken_new_files_leave_the_old_ones_in_use() {
    let ca = Ca::new("ca");
    let certificates = Certificates::new(&ca, &ca);
    let tls = certificates.load();
    let options = Options {
        tls: Some((&tls, ClientAuth::Required)),
        ..Options::default()
    };
    let listener = Node::start("listener", options).await;

    certificates.write("cert.pem", "half a certifi");
    let error = tls.reload().unwrap_err();
    assert_eq!(error.file(), Some(TlsFile::Cert));
    let of_another = Certificates::new(&ca, &ca);
    std::fs::copy(of_another.path("cert.pem"), certificates.path("cert.pem")).unwrap();
    let error = tls.reload().unwrap_err();
    assert!(
        matches!(error, TlsError::Mismatch { .. }),
        "the key has yet to follow: {error}"
    );
    std::fs::remove_file(certificates.path("ca.pem")).unwrap();
    assert_eq!(tls.reload().unwrap_err().file(), Some(TlsFile::Ca));

    let dialler = Node::start("dialler", Options::default()).await;
    dialler.dial_tls(&listener, &of_another.load()).await.unwrap();
    listener.until_peers_are(&["dialler@localhost"]).await;
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let ca = Ca::new("ca");
    let certificates = Certificates::new(&ca, &ca);
    let without_ca = Tls::load(TlsFiles {
        ca: None,
        ..certificates.files()
    })
    .unwrap();
    assert!(matches!(without_ca.connector(), Err(TlsError::NoCa)));
    assert!(matches!(without_ca.acceptor(ClientAuth::Required), Err(TlsError::NoCa)));
    without_ca.acceptor(ClientAuth::None).unwrap();
    let without_identity = certificates.load_without_identity();
    assert!(matches!(
        without_identity.acceptor(ClientAuth::None),
        Err(TlsError::NoIdentity)
    ));

    let key = std::fs::read_to_string(certificates.path("key.pem")).unwrap();
    certificates.write("ca.pem", &key);
    let error = Tls::load(certificates.files()).unwrap_err().to_string();
    assert!(error.contains("ca.pem holds no certificate in PEM form"), "{error}");
    certificates.write("key.pem", "");
    let error = Tls::load(certificates.files()).unwrap_err().to_string();
    assert!(error.contains("key.pem holds no private key in PEM form"), "{error}");
    std::fs::File::create(certificates.path("cert.pem"))
        .unwrap()
        .set_len(2 << 20)
        .unwrap();
    let error = Tls::load(certificates.files()).unwrap_err().to_string();
    assert!(
        error.contains("cert.pem cannot be read: it is larger than 1048576 bytes"),
        "{error}"
    );
}

#[test]
fn a_certificate_that_its_own_ca_would_not_accept_is_found_out() {
    let (ours, theirs) = (Ca::new("ours"), Ca::new("theirs"));
    assert_eq!(Certificates::new(&ours, &ours).load().self_check(), None);
    let reason = Certificates::new(&theirs, &ours).load().self_check().unwrap();
    assert!(reason.contains("not signed by the `ca`"), "{reason}");
}
