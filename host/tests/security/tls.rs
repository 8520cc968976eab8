//! Who gets in over TLS.

use std::time::Duration;

use ractor_host::ClientConnectErr;
use ractor_host::node::CloseReason;
use ractor_host::tls::ClientAuth;
use tokio::net::TcpStream;

use crate::certificates::{Ca, Certificates};
use crate::logs;
use crate::node::{Node, Options, until};

#[track_caller]
fn encryption_error(outcome: Result<(), ClientConnectErr>) -> String {
    match outcome {
        Err(error @ ClientConnectErr::Encryption(_)) => error.to_string(),
        other => panic!("not an error of TLS: {other:?}"),
    }
}

/// A node that asks for certificates.
async fn mutual(name: &str, certificates: &Certificates) -> Node {
    let tls = certificates.load();
    let options = Options {
        tls: Some((&tls, ClientAuth::Required)),
        ..Options::default()
    };
    Node::start(name, options).await
}

#[tokio::test]
async fn nodes_of_one_ca_meet_whoever_dials() {
    let ca = Ca::new("ca");
    let (for_alpha, for_beta) = (Certificates::new(&ca, &ca), Certificates::new(&ca, &ca));
    for (dials, listens) in [("tls-a", "tls-b"), ("tls-d", "tls-c")] {
        let dialler = mutual(dials, &for_alpha).await;
        let listener = mutual(listens, &for_beta).await;
        dialler.dial_tls(&listener, &for_alpha.load()).await.unwrap();
        dialler.until_peers_are(&[&format!("{listens}@localhost")]).await;
        listener.until_peers_are(&[&format!("{dials}@localhost")]).await;
        assert!(listener.stats().await.failed.is_empty());
    }
}

#[tokio::test]
async fn a_node_of_another_ca_is_not_talked_to() {
    let (ours, theirs) = (Ca::new("ours"), Ca::new("theirs"));
    let listener = mutual("listener", &Certificates::new(&theirs, &theirs)).await;
    let dialler = mutual("dialler", &Certificates::new(&ours, &ours)).await;
    let error = encryption_error(
        dialler
            .dial_tls(&listener, &Certificates::new(&ours, &ours).load())
            .await,
    );
    assert!(
        error.contains("the certificate is not signed by the `ca` of this node"),
        "{error}"
    );
    until("the listener hears of it", async || listener.failed("tls").await == 1).await;
    assert!(dialler.peers().await.is_empty() && listener.peers().await.is_empty());
}

#[tokio::test]
async fn a_certificate_of_another_ca_lets_nobody_in() {
    let (ours, theirs) = (Ca::new("ours"), Ca::new("theirs"));
    let listener = mutual("listener", &Certificates::new(&ours, &ours)).await;
    let dialler = mutual("dialler", &Certificates::new(&theirs, &ours)).await;
    // In TLS 1.3 the one who dials is done before its certificate is looked at. It hears the verdict later.
    drop(
        dialler
            .dial_tls(&listener, &Certificates::new(&theirs, &ours).load())
            .await,
    );
    until("it is refused", async || listener.failed("tls").await == 1).await;
    until("the refusal is logged", async || {
        logs::has_line(&[
            "refused a connection",
            "reason=\"tls\"",
            "the certificate is not signed by the `ca` of this node",
        ])
    })
    .await;
    assert_eq!(listener.stats().await.open, 0);
    assert!(listener.peers().await.is_empty());
}

#[tokio::test]
async fn without_a_certificate_nobody_gets_in_where_one_is_required() {
    let ca = Ca::new("ca");
    let certificates = Certificates::new(&ca, &ca);
    let listener = mutual("listener", &certificates).await;
    let dialler = Node::start("dialler", Options::default()).await;
    dialler
        .dial_tls(&listener, &certificates.load_without_identity())
        .await
        .unwrap();
    until("it is refused", async || listener.failed("tls").await == 1).await;
    until("the refusal is logged", async || {
        logs::has_line(&["refused a connection", "the peer needs a certificate of its own"])
    })
    .await;
    until("the dialler hears why", async || !dialler.closed().is_empty()).await;
    let reason = dialler.closed().remove(0);
    assert!(matches!(reason, CloseReason::Tls(_)), "{reason}");
    assert!(
        reason.to_string().contains("give it `cert` and `key`"),
        "it should say what to do: {reason}"
    );
}

#[tokio::test]
async fn where_no_certificate_is_asked_for_the_cookie_decides() {
    let ca = Ca::new("ca");
    let certificates = Certificates::new(&ca, &ca);
    let tls = certificates.load();
    let options = Options {
        tls: Some((&tls, ClientAuth::None)),
        ..Options::default()
    };
    let listener = Node::start("listener", options).await;
    let friend = Node::start("friend", Options::default()).await;
    let stranger = Options {
        cookie: "another cookie",
        ..Options::default()
    };
    let stranger = Node::start("stranger", stranger).await;
    let client = certificates.load_without_identity();
    friend.dial_tls(&listener, &client).await.unwrap();
    stranger.dial_tls(&listener, &client).await.unwrap();
    listener.until_peers_are(&["friend@localhost"]).await;
    until("the stranger is refused", async || {
        listener.failed("wrong_cookie").await == 1
    })
    .await;
    assert_eq!(listener.peers().await, ["friend@localhost"]);
}

#[tokio::test]
async fn a_certificate_is_good_for_its_name_only() {
    let ca = Ca::new("ca");
    let certificates = Certificates::new(&ca, &ca);
    let listener = mutual("listener", &certificates).await;
    let dialler = Node::start("dialler", Options::default()).await;
    let error = encryption_error(
        dialler
            .dial_tls_as("other.example", &listener, &certificates.load())
            .await,
    );
    assert!(error.contains("not valid for name \"other.example\""), "{error}");
}

#[tokio::test]
async fn who_does_not_speak_tls_is_told_apart() {
    let ca = Ca::new("ca");
    let listener = mutual("listener", &Certificates::new(&ca, &ca)).await;
    let dialler = Node::start("dialler", Options::default()).await;
    dialler.dial(&listener).await.unwrap();
    until("it is refused", async || listener.failed("tls").await == 1).await;
    until("the refusal is logged", async || {
        logs::has_line(&["refused a connection", "the peer doesn't speak TLS"])
    })
    .await;
}

#[tokio::test]
async fn silent_clients_keep_nobody_waiting_and_are_closed() {
    let ca = Ca::new("ca");
    let certificates = Certificates::new(&ca, &ca);
    let tls = certificates.load();
    let options = Options {
        tls: Some((&tls, ClientAuth::Required)),
        handshake: Duration::from_secs(2),
        ..Options::default()
    };
    let listener = Node::start("listener", options).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(listener.addr).await.unwrap());
    }
    let friend = Node::start("friend", Options::default()).await;
    friend.dial_tls(&listener, &tls).await.unwrap();
    listener.until_peers_are(&["friend@localhost"]).await;
    until("they are closed", async || listener.failed("tls_timeout").await == 20).await;
    assert_eq!(listener.stats().await.open, 0);
    assert_eq!(listener.peers().await, ["friend@localhost"]);
}
