//! Connections that never authenticate.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ractor_host::node::HandshakeLimits;
use ractor_host::{NetworkStream, NodeServerMessage};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::logs;
use crate::node::{Node, Options, until};

/// Connects to a node and says nothing.
async fn silent(node: &Node, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(TcpStream::connect(node.addr).await.unwrap());
    }
    streams
}

/// Waits until the other end has closed it.
async fn closed(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    // A reset will do as well.
    drop(stream.read_to_end(&mut bytes).await);
    assert!(bytes.is_empty(), "a stranger was told something");
}

/// Dials from another of this machine's addresses.
async fn dial_from(addr: Ipv4Addr, node: &Node, other: &Node) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(IpAddr::V4(addr), 0)).unwrap();
    let stream = socket.connect(other.addr).await.unwrap();
    let stream = Box::new(NetworkStream::Raw {
        peer_addr: stream.peer_addr().unwrap(),
        local_addr: stream.local_addr().unwrap(),
        stream,
    });
    node.server
        .cast(NodeServerMessage::ConnectionOpened {
            stream,
            is_server: false,
        })
        .unwrap();
}

// Only Linux has all of 127.0.0.0/8.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn hundreds_of_silent_connections_take_nobody_elses_place() {
    let options = Options {
        handshake: Duration::from_secs(4),
        ..Options::default()
    };
    let node = Node::start("node", options).await;
    let mut streams = silent(&node, 600).await;
    // Those that come faster than others can go are closed at once.
    let gave_way = async || node.failed("gave_way").await + node.failed("address_limit").await;
    until("those beyond 64 are gone", async || gave_way().await == 536).await;
    assert!(logs::has_line(&[
        "refused a connection",
        "peer=127.0.0.1:",
        "reason=\"gave_way\""
    ]));

    let other = Node::start("other", Options::default()).await;
    dial_from(Ipv4Addr::new(127, 0, 0, 2), &other, &node).await;
    node.until_peers_are(&["other@localhost"]).await;

    for stream in &mut streams {
        closed(stream).await;
    }
    assert_eq!(node.failed("handshake_timeout").await, 64);
    until("every session but one is gone", async || {
        // The listener is a child too.
        node.server.get_cell().get_children().len() == 2
    })
    .await;
    assert_eq!(node.stats().await.open, 0);

    let neighbour = Node::start("neighbour", Options::default()).await;
    neighbour.dial(&node).await.unwrap();
    node.until_peers_are(&["neighbour@localhost", "other@localhost"]).await;
}

#[tokio::test]
async fn the_total_is_limited_and_places_come_back() {
    let options = Options {
        limits: HandshakeLimits::new(3, 3),
        handshake: Duration::from_secs(60),
        ..Options::default()
    };
    let node = Node::start("node", options).await;
    let mut streams = silent(&node, 5).await;
    until("two give way", async || node.failed("gave_way").await == 2).await;
    for stream in streams.iter_mut().take(2) {
        closed(stream).await;
    }
    assert_eq!(node.stats().await.open, 3);

    drop(streams);
    until("the places come back", async || node.stats().await.open == 0).await;
    assert_eq!(node.failed("connection_closed").await, 3);
    let peer = Node::start("peer", Options::default()).await;
    peer.dial(&node).await.unwrap();
    node.until_peers_are(&["peer@localhost"]).await;
}

/// However many of them there are, and from the very address of a peer.
#[tokio::test]
async fn silent_strangers_keep_nobody_out() {
    let options = Options {
        handshake: Duration::from_secs(600),
        ..Options::default()
    };
    let node = Node::start("node", options).await;
    let _strangers = silent(&node, 160).await;
    let peer = Node::start("peer", Options::default()).await;
    // Once, and without the patience that a link of node.toml has.
    peer.dial(&node).await.unwrap();
    node.until_peers_are(&["peer@localhost"]).await;
}

#[tokio::test]
async fn who_has_authenticated_takes_no_place() {
    let options = Options {
        limits: HandshakeLimits::new(1, 1),
        ..Options::default()
    };
    let node = Node::start("node", options).await;
    let first = Node::start("first", Options::default()).await;
    let second = Node::start("second", Options::default()).await;
    first.dial(&node).await.unwrap();
    node.until_peers_are(&["first@localhost"]).await;
    second.dial(&node).await.unwrap();
    node.until_peers_are(&["first@localhost", "second@localhost"]).await;
    assert_eq!(node.stats().await.open, 0);
}

#[tokio::test]
async fn a_wrong_cookie_is_refused_logged_and_counted() {
    let node = Node::start("node", Options::default()).await;
    let options = Options {
        cookie: "another cookie",
        ..Options::default()
    };
    let stranger = Node::start("stranger", options).await;
    stranger.dial(&node).await.unwrap();
    until("it is counted", async || node.failed("wrong_cookie").await == 1).await;
    assert!(logs::has_line(&[
        "refused a connection",
        "reason=\"wrong_cookie\"",
        "cookie differs"
    ]));
    until("its place comes back", async || node.stats().await.open == 0).await;
}
