//! The traits that the types implement.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::io;
use std::sync::Arc;

use ractor::MessagingErr;
use ractor_cluster::node::node_session::NodeSessionState;
use ractor_cluster::node::{NodeConnectionMode, NodeServerSessionInformation, NodeServerState, SessionCheckReply};
use ractor_cluster::{
    BoxRead, BoxWrite, BytesConvertable, ClientConnectErr, ClusterBidiStream, IncomingEncryptionMode, NetworkStream,
    NodeEventSubscription, NodeServer, NodeServerMessage, NodeSession, NodeSessionMessage,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::ResolvesServerCertUsingSni;

fn debug<T: Debug>() {}
fn clone<T: Clone>() {}
fn send<T: Send + 'static + ?Sized>() {}
fn sync<T: Sync>() {}
fn unpin<T: Unpin>() {}
fn message<T: ractor::Message>() {}

#[test]
fn types_implement_what_they_did() {
    debug::<SessionCheckReply>();
    debug::<NodeSessionMessage>();
    debug::<NodeConnectionMode>();
    debug::<NodeServer>();
    debug::<NodeServerSessionInformation>();
    debug::<NodeSession>();
    debug::<NodeSessionState>();
    debug::<ClientConnectErr>();
    debug::<NetworkStream>();
    debug::<IncomingEncryptionMode>();

    clone::<NodeConnectionMode>();
    clone::<NodeServerSessionInformation>();
    clone::<IncomingEncryptionMode>();
    let mode = NodeConnectionMode::Isolated;
    let copied = mode;
    assert!(matches!(
        (mode, copied),
        (NodeConnectionMode::Isolated, NodeConnectionMode::Isolated)
    ));

    message::<NodeServerMessage>();
    message::<NodeSessionMessage>();
}

#[test]
fn types_cross_threads_as_they_did() {
    send::<SessionCheckReply>();
    send::<NodeServerMessage>();
    send::<NodeSessionMessage>();
    send::<NodeServerState>();
    send::<NodeSessionState>();
    send::<ClientConnectErr>();
    send::<NetworkStream>();
    send::<BoxRead>();
    send::<BoxWrite>();
    send::<dyn ClusterBidiStream>();
    send::<dyn NodeEventSubscription>();

    sync::<SessionCheckReply>();
    sync::<ClientConnectErr>();
    sync::<NodeConnectionMode>();
    sync::<NodeServer>();
    sync::<NodeSession>();
    sync::<NodeServerSessionInformation>();
    sync::<IncomingEncryptionMode>();

    unpin::<NetworkStream>();
    unpin::<NodeServer>();
}

#[test]
fn a_connect_error_leads_to_its_cause() {
    #[expect(deprecated, reason = "the published crate implements it")]
    fn cause(error: &ClientConnectErr) -> String {
        error.cause().unwrap().to_string()
    }
    fn whole<T: Error + Display + From<io::Error> + From<MessagingErr<NodeServerMessage>>>() {}
    whole::<ClientConnectErr>();

    let refused = ClientConnectErr::from(io::Error::other("refused"));
    assert!(matches!(refused, ClientConnectErr::Socket(_)));
    assert_eq!(cause(&refused), "refused");
    assert!(refused.to_string().contains("refused"));
    assert_eq!(
        cause(&ClientConnectErr::Encryption(io::Error::other("no TLS"))),
        "no TLS"
    );

    let closed = ClientConnectErr::from(MessagingErr::ChannelClosed);
    assert!(matches!(
        closed,
        ClientConnectErr::Messaging(MessagingErr::ChannelClosed)
    ));
    assert!(!cause(&closed).is_empty());
    fn question() -> Result<(), ClientConnectErr> {
        Err(io::Error::other("by `?`"))?;
        Ok(())
    }
    assert!(question().is_err());
}

#[test]
fn encryption_is_configured_with_a_tls_acceptor() {
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
    let mode = IncomingEncryptionMode::Tls(TlsAcceptor::from(Arc::new(config)));
    assert!(format!("{mode:?}").contains("Tls"));
    let server = NodeServer::new(
        0,
        "cookie".into(),
        "node".into(),
        "localhost".into(),
        Some(mode.clone()),
        None,
    );
    assert!(format!("{server:?}").contains("node"));
    assert!(format!("{:?}", IncomingEncryptionMode::Raw).contains("Raw"));
}

#[test]
fn bytes_convertable_is_that_of_ractor() {
    fn theirs<T: BytesConvertable>(value: T) -> Vec<u8> {
        value.into_bytes()
    }
    fn ractors<T: ractor::BytesConvertable>(value: T) -> Vec<u8> {
        theirs(value)
    }
    assert_eq!(ractors(258_u16), [1, 2]);
    assert_eq!(<String as BytesConvertable>::from_bytes(b"text".to_vec()), "text");
}
