//! Links over TLS: both ends show a certificate, and each checks that of the other.

use ractor_host_tests::certificates::{Ca, Certificates};
use ractor_host_tests::peer::{Kind, Peer};

use super::Pair;

behaviours!(
    messages_and_groups_cross_a_tls_link,
    a_listener_of_a_foreign_ca_is_refused,
    a_dialler_of_a_foreign_ca_is_refused,
    plain_tcp_is_refused,
);

/// A peer with these certificates, and a counter named after it.
fn start(kind: Kind, name: &str, certificates: &Certificates) -> Peer {
    let actor = format!("{name}:{name}-group:100");
    let mut options = vec!["--actor", &actor];
    let tls = certificates.options();
    options.extend(tls.iter().map(String::as_str));
    Peer::start(kind, name, &options)
}

fn connect(dialler: &mut Peer, listener: &mut Peer) {
    dialler.run(&format!("connect {}", listener.address()));
    ready(dialler, "listener");
    ready(listener, "dialler");
}

fn ready(peer: &mut Peer, far: &str) {
    peer.wait_session(&format!("{far}@localhost"));
    peer.wait(&format!("members {far}-group"), &format!("remote:{far}"));
}

fn messages_and_groups_cross_a_tls_link(dialler: Kind, listener: Kind) {
    let ca = Ca::new("of the cluster");
    let certificates = [ca.issue(&ca), ca.issue(&ca)];
    let [of_dialler, of_listener] = &certificates;
    let mut listener = start(listener, "listener", of_listener);
    let mut dialler = start(dialler, "dialler", of_dialler);
    connect(&mut dialler, &mut listener);
    Pair { dialler, listener }.both_ways(|near, other, far| {
        near.run(&format!("cast {far}-group Add 5"));
        assert_eq!(near.run(&format!("call {far}-group AddAndGet 1")), "106");
        // Larger than a TLS record, and than what a socket takes at once.
        let text = "x".repeat(100_000);
        near.run(&format!("cast {far}-group AddTo {text} 1"));
        assert_eq!(near.run(&format!("call {far}-group Get")), "106");
        other.run(&format!("join extra-{far} {far}"));
        near.wait(&format!("members extra-{far}"), &format!("remote:{far}"));
        other.run(&format!("leave extra-{far} {far}"));
        near.wait(&format!("members extra-{far}"), "");
    });
}

fn a_listener_of_a_foreign_ca_is_refused(dialler: Kind, listener: Kind) {
    let (ca, foreign) = (Ca::new("of the cluster"), Ca::new("of somebody else"));
    // It would let everybody in; it is the others who don't trust it.
    let stranger = start(listener, "stranger", &foreign.issue(&ca));
    with_a_link(dialler, listener, &ca, |dialler, _| {
        let refused = dialler.try_run(&format!("connect {}", stranger.address()));
        let error = refused.expect_err("the certificate is nobody's");
        assert!(error.to_lowercase().contains("unknown"), "it says why: {error}");
    });
    never_authenticated(&stranger);
}

fn a_dialler_of_a_foreign_ca_is_refused(dialler: Kind, listener: Kind) {
    let (ca, foreign) = (Ca::new("of the cluster"), Ca::new("of somebody else"));
    let mut stranger = start(dialler, "stranger", &foreign.issue(&ca));
    with_a_link(dialler, listener, &ca, |_, listener| {
        // In TLS 1.3 the dialler is done before its certificate is looked at, so it may hear of it only afterwards.
        if stranger.try_run(&format!("connect {}", listener.address())).is_ok() {
            stranger.wait_event("disconnected");
        }
        stranger.wait("sessions", "");
    });
    never_authenticated(&stranger);
}

fn plain_tcp_is_refused(dialler: Kind, listener: Kind) {
    let ca = Ca::new("of the cluster");
    let mut stranger = Peer::start(dialler, "stranger", &["--actor", "stranger:stranger-group"]);
    with_a_link(dialler, listener, &ca, |_, listener| {
        stranger.run(&format!("connect {}", listener.address()));
        stranger.wait_event("disconnected");
        stranger.wait("sessions", "");
    });
    never_authenticated(&stranger);
}

/// Two nodes over TLS, to which a stranger does something: their link and their actors are none the worse for it.
fn with_a_link(dialler: Kind, listener: Kind, ca: &Ca, intrude: impl FnOnce(&mut Peer, &mut Peer)) {
    let certificates = [ca.issue(ca), ca.issue(ca)];
    let [of_dialler, of_listener] = &certificates;
    let mut listener = start(listener, "listener", of_listener);
    let mut dialler = start(dialler, "dialler", of_dialler);
    connect(&mut dialler, &mut listener);
    intrude(&mut dialler, &mut listener);
    let mut pair = Pair { dialler, listener };
    pair.both_ways(|near, _, far| {
        assert_eq!(near.run(&format!("call {far}-group Name")), far);
        assert_eq!(near.run("sessions"), format!("{far}@localhost=ready"));
        assert_eq!(near.run("members stranger-group"), "");
    });
    // And it takes new ones.
    let of_third = ca.issue(ca);
    let mut third = start(Kind::DropIn, "third", &of_third);
    third.run(&format!("connect {}", pair.listener.address()));
    ready(&mut third, "listener");
    ready(&mut pair.listener, "third");
    assert_eq!(third.run("call listener-group Name"), "listener");
}

fn never_authenticated(peer: &Peer) {
    let let_in = peer.count_events("authenticated") + peer.count_events("ready");
    assert_eq!(let_in, 0, "{:?}", peer.events());
}
