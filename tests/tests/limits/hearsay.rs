//! What a node does because its peers say that there are other nodes.

use std::net::TcpListener;

use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::wait;

use crate::raw::{CONTROL, Raw, bytes};

/// What peers say of other nodes has a node of transitive mode open connections. They have a limit for all peers together, whoever
/// says it, however often, and whatever is at those addresses.
#[test]
fn what_peers_say_of_other_nodes_opens_few_connections_at_a_time() {
    const AT_ONCE: usize = 256;
    let mut node = Peer::start(Kind::DropIn, "alpha", &["--mode", "transitive"]);
    let sockets = format!("/proc/{}/fd", node.process().id());
    let open = || std::fs::read_dir(&sockets).unwrap().count();
    // Takes connections, and never says a word.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let idle = open();
    let mut peers: Vec<_> = (0..4).map(|_| Raw::peer(node.address())).collect();
    for (number, peer) in peers.iter_mut().enumerate() {
        for answer in 0..4 {
            let name = |nth| format!("n{number}-{answer}-{nth}@localhost");
            let address = format!("127.0.0.1:{port}");
            let session = |nth| [bytes(1, name(nth).as_bytes()), bytes(3, address.as_bytes())].concat();
            let sessions: Vec<_> = (0..AT_ONCE).flat_map(|nth| bytes(1, &session(nth))).collect();
            peer.send(CONTROL, 8, &sessions);
        }
        peer.confirm();
    }
    let opened = wait::until("connections on a peer's word", open, |opened| {
        *opened > idle + peers.len() + 100
    });
    assert!(
        opened <= idle + peers.len() + AT_ONCE,
        "{opened} sockets, {idle} of them without peers"
    );
    for _ in 0..20 {
        assert!(open() <= idle + 3 * peers.len() + AT_ONCE, "{} sockets", open());
        drop(Raw::peer(node.address()));
    }
}
