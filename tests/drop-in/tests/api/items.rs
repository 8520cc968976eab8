//! Paths and signatures: each item is named under each path that it has, and bound to its type.

use std::any::TypeId;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use ractor::{Actor, ActorId, ActorRef, RpcReplyPort};
use ractor_cluster::node::{NodeConnectionMode, NodeServerSessionInformation, NodeServerState, SessionCheckReply};
use ractor_cluster::{
    BoxRead, BoxWrite, ClientConnectErr, ClusterBidiStream, IncomingEncryptionMode, NetworkStream,
    NodeEventSubscription, NodeId, NodeServer, NodeServerMessage, NodeSession, NodeSessionMessage,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

// Modules that are public, whatever is in them.
#[expect(unused_imports, reason = "that the paths exist is the test")]
use ractor_cluster::{macros as _, node::auth as _};

const _: u64 = ractor_cluster::DEFAULT_MAX_INBOUND_FRAME_SIZE;
const _: u64 = ractor_cluster::node::DEFAULT_MAX_INBOUND_FRAME_SIZE;
const _: NodeId = 1_u64;

#[test]
fn constants_have_their_values() {
    assert_eq!(ractor_cluster::DEFAULT_MAX_INBOUND_FRAME_SIZE, 16 * 1024 * 1024);
    assert!(matches!(NodeConnectionMode::default(), NodeConnectionMode::Transitive));
}

#[test]
fn each_item_is_under_all_its_paths() {
    fn same<A: 'static + ?Sized, B: 'static + ?Sized>() {
        assert_eq!(TypeId::of::<A>(), TypeId::of::<B>());
    }
    same::<NodeServer, ractor_cluster::node::NodeServer>();
    same::<NodeServerMessage, ractor_cluster::node::NodeServerMessage>();
    same::<NodeSession, ractor_cluster::node::NodeSession>();
    same::<NodeSession, ractor_cluster::node::node_session::NodeSession>();
    same::<NodeSessionMessage, ractor_cluster::node::NodeSessionMessage>();
    same::<dyn NodeEventSubscription, dyn ractor_cluster::node::NodeEventSubscription>();
    same::<ClientConnectErr, ractor_cluster::node::client::ClientConnectErr>();
    same::<NodeId, u64>();
    same::<BoxRead, Box<dyn AsyncRead + Unpin + Send + 'static>>();
    same::<BoxWrite, Box<dyn AsyncWrite + Unpin + Send + 'static>>();
}

#[test]
fn constructors_have_their_signatures() {
    let _: fn(u16, String, String, String, Option<IncomingEncryptionMode>, Option<NodeConnectionMode>) -> NodeServer =
        NodeServer::new;
    let _: fn(NodeServer, IpAddr) -> NodeServer = NodeServer::with_listen_addr;
    let _: fn(NodeServer, u64) -> NodeServer = NodeServer::with_max_inbound_frame_size;
    // The type of a node's name has no public path in the published crate.
    let _: fn(NodeId, bool, String, ActorRef<NodeServerMessage>, _, NodeConnectionMode) -> NodeSession =
        NodeSession::new;
    let _: fn(NodeSession, u64) -> NodeSession = NodeSession::with_max_inbound_frame_size;
}

#[test]
fn actors_have_their_types() {
    fn server<A: Actor<Msg = NodeServerMessage, State = NodeServerState, Arguments = ()>>() {}
    fn session<
        A: Actor<
                Msg = NodeSessionMessage,
                State = ractor_cluster::node::node_session::NodeSessionState,
                Arguments = NetworkStream,
            >,
    >() {
    }
    server::<NodeServer>();
    session::<NodeSession>();
}

/// Names the functions that connect, under each path, with each kind of address. Futures are compiled, not run.
#[expect(dead_code, reason = "that it compiles is the test")]
fn connecting(
    server: &ActorRef<NodeServerMessage>,
    connector: impl Fn() -> TlsConnector,
    stream: impl Fn() -> Box<dyn ClusterBidiStream>,
) {
    fn result<F: Future<Output = Result<(), ClientConnectErr>> + Send>(_: F) {}
    let domain = || ServerName::try_from("localhost").unwrap();
    let addr = SocketAddr::from(([127, 0, 0, 1], 1));

    result(ractor_cluster::client_connect(server, "localhost:1"));
    result(ractor_cluster::client_connect(server, String::from("localhost:1")));
    result(ractor_cluster::client_connect(server, ("localhost", 1)));
    result(ractor_cluster::node::client::connect::<SocketAddr>(server, addr));

    result(ractor_cluster::client_connect_enc(server, addr, connector(), domain()));
    result(ractor_cluster::node::client::connect_enc(
        server,
        "localhost:1",
        connector(),
        domain(),
    ));

    result(ractor_cluster::client_connect_external(server, stream()));
    result(ractor_cluster::node::client::connect_external(server, stream()));
}

/// Takes each variant of each enum apart without a catch-all arm: a variant more would not compile.
#[expect(dead_code, reason = "that it compiles is the test")]
mod variants {
    use super::*;

    pub(super) fn of_connect_error(error: ClientConnectErr) {
        match error {
            ClientConnectErr::Socket(cause) => drop::<tokio::io::Error>(cause),
            ClientConnectErr::Messaging(cause) => drop::<ractor::MessagingErr<NodeServerMessage>>(cause),
            ClientConnectErr::Encryption(cause) => drop::<tokio::io::Error>(cause),
        }
    }

    pub(super) fn of_session_message(message: NodeSessionMessage) {
        match message {
            // What these two carry has no public path in the published crate.
            NodeSessionMessage::MessageReceived(_) | NodeSessionMessage::SendMessage(_) => {}
            NodeSessionMessage::GetAuthenticationState(reply) => drop::<RpcReplyPort<bool>>(reply),
            NodeSessionMessage::GetReadyState(reply) => drop::<RpcReplyPort<bool>>(reply),
        }
    }

    pub(super) fn of_stream(stream: NetworkStream) {
        match stream {
            NetworkStream::Raw {
                peer_addr,
                local_addr,
                stream,
            } => drop::<(SocketAddr, SocketAddr, TcpStream)>((peer_addr, local_addr, stream)),
            NetworkStream::TlsServer {
                peer_addr,
                local_addr,
                stream,
            } => drop::<(SocketAddr, SocketAddr, tokio_rustls::server::TlsStream<TcpStream>)>((
                peer_addr, local_addr, stream,
            )),
            NetworkStream::TlsClient {
                peer_addr,
                local_addr,
                stream,
            } => drop::<(SocketAddr, SocketAddr, tokio_rustls::client::TlsStream<TcpStream>)>((
                peer_addr, local_addr, stream,
            )),
            NetworkStream::External {
                peer_label,
                local_label,
                reader,
                writer,
            } => drop::<(Option<String>, Option<String>, BoxRead, BoxWrite)>((peer_label, local_label, reader, writer)),
        }
    }

    pub(super) fn of_small_ones(
        encryption: IncomingEncryptionMode,
        mode: NodeConnectionMode,
        check: SessionCheckReply,
    ) {
        match encryption {
            IncomingEncryptionMode::Raw => {}
            IncomingEncryptionMode::Tls(acceptor) => drop::<tokio_rustls::TlsAcceptor>(acceptor),
        }
        match mode {
            NodeConnectionMode::Transitive | NodeConnectionMode::Isolated => {}
        }
        match check {
            SessionCheckReply::NoOtherConnection
            | SessionCheckReply::OtherConnectionContinues
            | SessionCheckReply::ThisConnectionContinues
            | SessionCheckReply::DuplicateConnection => {}
        }
    }

    pub(super) fn of_server_message(message: NodeServerMessage) {
        match message {
            NodeServerMessage::ConnectionOpened { stream, is_server } => {
                drop::<(Box<NetworkStream>, bool)>((stream, is_server));
            }
            NodeServerMessage::ConnectionOpenedExternal { stream, is_server } => {
                drop::<(Box<dyn ClusterBidiStream>, bool)>((stream, is_server));
            }
            NodeServerMessage::ConnectionAuthenticated(id) | NodeServerMessage::ConnectionReady(id) => {
                let _: ActorId = id;
            }
            NodeServerMessage::CheckSession { peer_name, reply } => {
                drop::<(String, RpcReplyPort<SessionCheckReply>)>((peer_name.name, reply));
            }
            NodeServerMessage::UpdateSession { actor_id, name } => {
                drop::<(ActorId, String, u64)>((actor_id, name.connection_string, name.connection_id));
            }
            NodeServerMessage::GetSessions(reply) => {
                drop::<RpcReplyPort<HashMap<NodeId, NodeServerSessionInformation>>>(reply);
            }
            NodeServerMessage::SubscribeToEvents { id, subscription } => {
                drop::<(String, Box<dyn NodeEventSubscription>)>((id, subscription));
            }
            NodeServerMessage::UnsubscribeToEvents(id) => drop::<String>(id),
            NodeServerMessage::PortChanged { port } => {
                let _: u16 = port;
            }
        }
    }

    pub(super) fn of_information(information: NodeServerSessionInformation) -> NodeServerSessionInformation {
        let NodeServerSessionInformation {
            actor,
            peer_name,
            is_server,
            node_id,
            peer_addr,
        } = information;
        let _: Option<u32> = peer_name
            .as_ref()
            .and_then(|name| name.flags)
            .map(|flags| flags.version);
        NodeServerSessionInformation {
            actor,
            peer_name,
            is_server,
            node_id,
            peer_addr,
        }
    }
}
