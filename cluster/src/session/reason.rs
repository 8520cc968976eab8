//! Why a session ended.

use std::time::Duration;

use super::BadGroups;
use crate::wire::{ServerStatus, WireError};

/// Why a session ended. Reaches event subscribers, logs and whoever waits for a connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer's proof of the cookie is wrong.
    #[error("the peer's cookie differs from this node's; give both nodes the same cookie")]
    WrongCookie,
    /// The peer closed the connection on seeing our proof of the cookie.
    #[error("the peer closed the connection instead of accepting our cookie; give both nodes the same cookie")]
    CookieRefused,
    /// The acceptor does not let us in.
    #[error("the peer refused the connection: {0}")]
    Refused(ServerStatus),
    /// The initiator chose not to go on.
    #[error("the peer gave up the handshake")]
    PeerGaveUp,
    /// The peer broke the protocol's order.
    #[error("the peer sent {got} when {expected} was due")]
    OutOfOrder {
        /// What should have come.
        expected: &'static str,
        /// What came.
        got: &'static str,
    },
    /// The peer sent bytes that are no message.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The node on the other end is this very node.
    #[error("the node connected to itself; take its own address off its list of peers")]
    SelfConnection,
    /// Another node says that it is reached where this one is. Only of nodes that don't prove who they are, since the others can
    /// be told apart; a stock node takes this one for itself and closes, too.
    #[error(
        "the peer says that it is at {address}, which is this node's own address: stock nodes take that for a connection to \
         themselves; give one of the two another `hostname` in [node]"
    )]
    SameAddress {
        /// What both say.
        address: String,
    },
    /// A session with that node is there already, so this node did not go on.
    #[error("there is a session with that node already")]
    AlreadyLinked,
    /// The peer proves no more than the cookie, and that is not enough here.
    #[error(
        "the peer doesn't prove who it is, as nodes of ractor_cluster don't: this node has `stock_peers = false` in [node], or was \
         linked a short while ago to a node there that does prove it"
    )]
    StockPeer,
    /// The peer announces that it proves who it is, and doesn't.
    #[error(
        "the handshake was changed on its way: the peer announces a proof that did not come; use TLS on a network that others can \
         change"
    )]
    Downgraded,
    /// The peer's proof is right, and another connection has given it before.
    #[error("the challenge was answered on another connection already; the peer has to connect again")]
    ChallengeSpent,
    /// The connection gave its place to a newer one, because too many had not proved the cookie yet.
    #[error("too many connections are in their handshakes: the oldest gave way to a new one")]
    GaveWay,
    /// Another connection between the same two nodes goes on.
    #[error("another connection to the same node goes on in place of this one")]
    DuplicateConnection,
    /// Another node has the name of the node that would connect, and stays.
    #[error(
        "a node {name} is connected already, from {} for {}: names must differ; give one of the two another `name` or \
         `hostname` in [node]",
        rival.address,
        spoken(rival.since)
    )]
    NameTaken {
        /// The full name.
        name: String,
        /// Who has it.
        rival: Rival,
    },
    /// The node at the other end is another one, with the name of this one.
    #[error(
        "the node at {address} has the name of this one, {name}: names must differ; give one of the two another `name` or \
         `hostname` in [node]"
    )]
    SameName {
        /// The full name of both.
        name: String,
        /// Where the other says that it is.
        address: String,
    },
    /// The handshake took too long.
    #[error("the peer did not finish the handshake within {0:?}")]
    HandshakeTimeout(Duration),
    /// The peer answered nothing for too long.
    #[error("the peer has been silent for {0:?} and counts as down")]
    PeerSilent(Duration),
    /// The peer closed the connection, or the network did.
    #[error("the connection was closed")]
    ConnectionClosed,
    /// The peer said that it stops in order, and closed the connection.
    #[error("the peer has left: it stopped in order")]
    PeerLeft,
    /// The network failed.
    #[error("the connection failed: {0}")]
    Io(std::io::ErrorKind),
    /// TLS failed on a connection that was open already: the peer has refused this node's certificate.
    #[error("the TLS connection failed: {0}")]
    Tls(String),
    /// The peer's full name, or its connection string, is too long.
    #[error("the {what} of the peer has {bytes} bytes; at most {limit} are allowed")]
    NameTooLong {
        /// Which of the two.
        what: &'static str,
        /// What it has.
        bytes: usize,
        /// What it may have.
        limit: usize,
    },
    /// The peer's full name, or its connection string, can't be one.
    #[error("the {what} of the peer {problem}; give it another `name` or `hostname`")]
    BadName {
        /// Which of the two.
        what: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What the peer says that it wants to know of groups is none.
    #[error("the peer says which groups it wants to know of, and {0}")]
    BadGroups(#[from] BadGroups),
    /// The peer takes what it is sent too slowly even for the control plane.
    #[error("the peer reads too slowly: {limit} bytes are waiting for it")]
    TooSlow {
        /// The outbox limit in bytes.
        limit: usize,
    },
    /// Nobody needed the session any more, which was opened when an entity was spoken to.
    #[error("the session was for entities and isn't needed any more; it is opened again when one is spoken to")]
    Unused,
    /// This node ended the session.
    #[error("this node ended the session")]
    Local,
}

/// A time of whole seconds, in words.
fn spoken(time: Duration) -> String {
    match time.as_secs() {
        0 => "less than a second".to_owned(),
        seconds => format!("{seconds} s"),
    }
}

/// The node that has a name which another one has too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// Its address, in the words of the node that is connected to it.
    pub address: String,
    /// The time for which it has been connected there.
    pub since: Duration,
}

impl CloseReason {
    /// True if nothing can reach the peer any more, so that what waits need not be written.
    pub fn is_link_dead(&self) -> bool {
        matches!(
            self,
            Self::ConnectionClosed
                | Self::PeerLeft
                | Self::CookieRefused
                | Self::GaveWay
                | Self::Io(_)
                | Self::PeerSilent(_)
                | Self::TooSlow { .. }
        )
    }

    /// The reason with which the session's actor stops, which its supervisor and monitors hear: the word of the published crate
    /// where that has one, and [`name`](Self::name) otherwise.
    pub(crate) fn exit_word(&self) -> &'static str {
        match self {
            Self::WrongCookie
            | Self::ChallengeSpent
            | Self::Downgraded
            | Self::StockPeer
            | Self::Refused(_)
            | Self::PeerGaveUp => "auth_fail",
            Self::CookieRefused | Self::ConnectionClosed | Self::PeerLeft | Self::Io(_) | Self::Tls(_) => {
                "tcp_session_closed"
            }
            _ => self.name(),
        }
    }

    /// A stable short name, for metrics and for programs that read logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::WrongCookie => "wrong_cookie",
            Self::CookieRefused => "cookie_refused",
            Self::Refused(_) => "refused",
            Self::PeerGaveUp => "peer_gave_up",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::Wire(WireError::FrameTooLarge { .. }) => "frame_too_large",
            Self::Wire(WireError::Malformed(_)) => "malformed",
            Self::SelfConnection => "self_connection",
            Self::SameAddress { .. } => "same_address",
            Self::AlreadyLinked => "already_linked",
            Self::StockPeer => "stock_peer",
            Self::Downgraded => "downgraded",
            Self::ChallengeSpent => "challenge_spent",
            Self::GaveWay => "gave_way",
            Self::DuplicateConnection => "duplicate_connection",
            Self::NameTaken { .. } | Self::SameName { .. } => "name_taken",
            Self::HandshakeTimeout(_) => "handshake_timeout",
            Self::PeerSilent(_) => "peer_silent",
            Self::ConnectionClosed => "connection_closed",
            Self::PeerLeft => "peer_left",
            Self::Io(_) => "io",
            Self::Tls(_) => "tls",
            Self::NameTooLong { .. } => "name_too_long",
            Self::BadName { .. } => "bad_name",
            Self::BadGroups(_) => "bad_groups",
            Self::TooSlow { .. } => "too_slow",
            Self::Unused => "unused",
            Self::Local => "local",
        }
    }
}
