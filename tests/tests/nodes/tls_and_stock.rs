//! Nodes with a `[node.tls]` and stock programs with the same CA.

use ractor_host_tests::certificates::{Ca, Certificates};
use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::peer::{Kind, Peer};

#[test]
fn a_stock_program_dials_a_node_over_tls() {
    let (ca, foreign) = (Ca::new("of the cluster"), Ca::new("of somebody else"));
    let of_node = ca.issue(&ca);
    let node = HostNode::start("node", &(of_node.node_toml() + &guest_counter("guest", "guests", 100)));
    let mut stock = stock("stock", &ca.issue(&ca));
    stock.run(&format!("connect {}", node.address()));
    call_each_other(&mut stock);

    // Whoever has no certificate of the CA is shut out, and nobody else is the worse for it.
    let of_stranger = foreign.issue(&ca);
    let mut stranger = self::stock("stranger", &of_stranger);
    if stranger.try_run(&format!("connect {}", node.address())).is_ok() {
        stranger.wait_event("disconnected");
    }
    stranger.wait("sessions", "");
    call_each_other(&mut stock);
    assert_eq!(stranger.count_events("authenticated"), 0, "{:?}", stranger.events());
}

#[test]
fn a_node_dials_a_stock_program_over_tls() {
    let ca = Ca::new("of the cluster");
    let (of_stock, of_node) = (ca.issue(&ca), ca.issue(&ca));
    let mut stock = stock("stock", &of_stock);
    let peers = format!("peers = [\"{}\"]\n", stock.address());
    let _node = HostNode::start(
        "node",
        &(peers + &of_node.node_toml() + &guest_counter("guest", "guests", 100)),
    );
    call_each_other(&mut stock);
}

fn stock(name: &str, certificates: &Certificates) -> Peer {
    let mut options = vec!["--actor", "native:natives:200"];
    let tls = certificates.options();
    options.extend(tls.iter().map(String::as_str));
    Peer::start(Kind::Stock, name, &options)
}

fn call_each_other(stock: &mut Peer) {
    stock.wait_session("node@localhost");
    stock.wait("members guests", "remote:guest");
    assert_eq!(stock.run("call guests Get"), "100");
    // The guest calls the native one.
    assert_eq!(stock.run("call guests SumOf natives"), "200");
}
