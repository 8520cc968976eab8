//! Two nodes that find each other, over each way to connect.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use ractor::{ActorRef, call, call_t, cast};
use ractor_cluster::node::SessionCheckReply;
use ractor_cluster::{
    ClientConnectErr, NetworkStream, NodeServerMessage, NodeSessionMessage, client_connect, client_connect_enc,
    client_connect_external,
};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{AdderMessage, Kind, Node, adder, alone, free_port, in_time, pipe, remote_member};

#[tokio::test]
async fn two_nodes_over_a_transport_of_the_programs_own() {
    let _alone = alone().await;
    let (adder, adder_ends) = adder("adders").await;
    let (mut one, mut other) = (Node::start("one").await, Node::start("other").await);
    let (left, right) = pipe("one", "other");
    one.server
        .cast(NodeServerMessage::ConnectionOpenedExternal {
            stream: left,
            is_server: false,
        })
        .unwrap();
    other
        .server
        .cast(NodeServerMessage::ConnectionOpenedExternal {
            stream: right,
            is_server: true,
        })
        .unwrap();

    let (kind, opened) = one.next().await;
    assert_eq!(kind, Kind::Opened);
    assert_eq!((opened.peer_addr.as_str(), opened.is_server), ("other", false));
    assert!(opened.peer_name.is_none());
    let (kind, authenticated) = one.next().await;
    assert_eq!(kind, Kind::Authenticated);
    assert_eq!(authenticated.peer_name.unwrap().name, "other@localhost");
    let (kind, ready) = one.next().await;
    assert_eq!((kind, ready.node_id), (Kind::Ready, opened.node_id));
    let incoming = other.until(Kind::Ready).await;
    assert!(incoming.is_server);

    assert!(call!(ready.actor, NodeSessionMessage::GetAuthenticationState).unwrap());
    assert!(call!(ready.actor, NodeSessionMessage::GetReadyState).unwrap());
    let sessions = one.sessions().await;
    assert_eq!(sessions.len(), 1);
    let session = sessions.get(&opened.node_id).unwrap();
    assert_eq!(session.actor.get_id(), opened.actor.get_id());

    let remote: ActorRef<AdderMessage> = remote_member("adders").await.into();
    cast!(remote, AdderMessage::Add("ignored".to_owned(), 40)).unwrap();
    remote.cast(AdderMessage::Add(String::new(), 2)).unwrap();
    assert_eq!(call_t!(remote, AdderMessage::Sum, 5_000).unwrap(), 42);
    assert_eq!(call!(adder, AdderMessage::Sum).unwrap(), 42);

    one.server
        .cast(NodeServerMessage::UnsubscribeToEvents("ears".to_owned()))
        .unwrap();
    assert_eq!(one.sessions().await.len(), 1);
    incoming.actor.stop(None);
    assert_eq!(other.until(Kind::Disconnected).await.peer_addr, "one");
    in_time("the end of the session", async {
        while !one.sessions().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(one.unheard(), []);

    adder.stop(None);
    adder_ends.await.unwrap();
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_stream_without_an_address_is_reported_without_one() {
    let _alone = alone().await;
    let mut node = Node::start("one").await;
    let (reader, writer) = tokio::io::split(tokio::io::duplex(64).0);
    let stream = NetworkStream::External {
        peer_label: Some("a label".to_owned()),
        local_label: None,
        reader: Box::new(reader),
        writer: Box::new(writer),
    };
    node.server
        .cast(NodeServerMessage::ConnectionOpened {
            stream: Box::new(stream),
            is_server: false,
        })
        .unwrap();
    assert_eq!(node.until(Kind::Opened).await.peer_addr, "0.0.0.0:0");
    node.stop().await;
}

#[tokio::test]
async fn two_nodes_over_tcp() {
    let _alone = alone().await;
    let port = free_port();
    let (mut one, mut other) = (Node::start("one").await, Node::start_on(port, "other", "cookie").await);
    let host = "127.0.0.1";
    client_connect(&one.server, format!("{host}:{port}")).await.unwrap();

    let theirs = one.until(Kind::Ready).await;
    assert_eq!(theirs.peer_addr, format!("{host}:{port}"));
    let name = theirs.peer_name.unwrap();
    assert_eq!(name.name, "other@localhost");
    assert_eq!(name.connection_string, format!("localhost:{port}"));
    assert_eq!(name.flags.map(|flags| flags.version), Some(1));
    assert_eq!(name.connection_id, 0);

    other.until(Kind::Ready).await;
    one.stop().await;
    assert_eq!(
        other.until(Kind::Disconnected).await.peer_name.unwrap().name,
        "one@localhost"
    );
    other.stop().await;
}

/// What the only session of this node knows its peer as.
macro_rules! peer_name {
    ($node:expr) => {
        $node.sessions().await.into_values().next().unwrap().peer_name.unwrap()
    };
}

#[tokio::test]
async fn a_node_answers_about_names() {
    let _alone = alone().await;
    let (mut one, mut other) = (Node::start("one").await, Node::start("other").await);
    // The port that a peer is told is the node's to change: behind a proxy it is another than the listener's.
    one.server.cast(NodeServerMessage::PortChanged { port: 4697 }).unwrap();
    let (left, right) = pipe("one", "other");
    client_connect_external(&one.server, left).await.unwrap();
    other
        .server
        .cast(NodeServerMessage::ConnectionOpenedExternal {
            stream: right,
            is_server: true,
        })
        .unwrap();
    let session = other.until(Kind::Ready).await;
    one.until(Kind::Ready).await;

    let mut name = peer_name!(other);
    assert_eq!(name.connection_string, "localhost:4697");
    name.connection_id = 99;
    let ask = |peer_name, reply| NodeServerMessage::CheckSession { peer_name, reply };
    let answer = call!(other.server, ask, name.clone()).unwrap();
    assert!(matches!(answer, SessionCheckReply::DuplicateConnection), "{answer:?}");

    name.name = "stranger@localhost".to_owned();
    let answer = call!(other.server, ask, name.clone()).unwrap();
    assert!(matches!(answer, SessionCheckReply::NoOtherConnection), "{answer:?}");

    other
        .server
        .cast(NodeServerMessage::UpdateSession {
            actor_id: session.actor.get_id(),
            name,
        })
        .unwrap();
    assert_eq!(peer_name!(other).name, "stranger@localhost");
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn another_cookie_is_no_session() {
    let _alone = alone().await;
    let port = free_port();
    let mut one = Node::start("one").await;
    let mut other = Node::start_on(port, "other", "another cookie").await;
    client_connect(&one.server, ("127.0.0.1", port)).await.unwrap();
    for node in [&mut one, &mut other] {
        let (opened, _) = node.next().await;
        let (then, _) = node.next().await;
        assert_eq!((opened, then), (Kind::Opened, Kind::Disconnected));
        assert!(node.sessions().await.is_empty());
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn connecting_fails_with_the_reason() {
    let _alone = alone().await;
    let node = Node::start("one").await;
    let nobody = format!("127.0.0.1:{}", free_port());
    let refused = client_connect(&node.server, nobody.as_str()).await;
    assert!(matches!(refused, Err(ClientConnectErr::Socket(_))), "{refused:?}");

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    let hangs_up = std::thread::spawn(move || drop(listener.accept()));
    let config = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let domain = ServerName::try_from("localhost").unwrap();
    let not_tls = client_connect_enc(&node.server, addr, connector, domain).await;
    assert!(matches!(not_tls, Err(ClientConnectErr::Encryption(_))), "{not_tls:?}");
    hangs_up.join().unwrap();

    let server = node.server.clone();
    node.stop().await;
    let (left, _right) = pipe("one", "other");
    let ended = client_connect_external(&server, left).await;
    assert!(matches!(ended, Err(ClientConnectErr::Messaging(_))), "{ended:?}");
}
