//! The settings of a node, which a program makes before it spawns it.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::watch;

use super::{NodeServer, RedactedCookie};
use crate::node::admission::{HandshakeAdmission, HandshakeLimits};
use crate::node::{GroupInterest, NodeConnectionMode, PeerLimits, SessionLimits, StandInNames, StockPeers, Timing};
use crate::session::PeerLedger;
use crate::transport::IncomingEncryptionMode;

impl NodeServer {
    /// A node that is yet to be spawned.
    ///
    /// - `port`: where it listens; 0 to have the system choose
    /// - `cookie`: the secret that all nodes of the cluster share
    /// - `node_name`, `hostname`: together, as `node_name@hostname`, the node's full name, unique in the cluster
    /// - `encryption_mode`: how accepted connections are secured; plain TCP by default
    /// - `connection_mode`: whether to connect to the peers of peers; isolated by default
    pub fn new(
        port: u16,
        cookie: String,
        node_name: String,
        hostname: String,
        encryption_mode: Option<IncomingEncryptionMode>,
        connection_mode: Option<NodeConnectionMode>,
    ) -> Self {
        Self {
            port,
            cookie: RedactedCookie(cookie),
            node_name,
            hostname,
            encryption_mode: encryption_mode.unwrap_or(IncomingEncryptionMode::Raw),
            connection_mode: connection_mode.unwrap_or(NodeConnectionMode::Isolated),
            listen_addr: None,
            limits: SessionLimits::default(),
            timing: Timing::default(),
            stand_in_names: StandInNames::default(),
            stock_peers: StockPeers::default(),
            admission: Arc::default(),
            ledger: Arc::new(PeerLedger::new(PeerLimits::default().all_peers_bytes)),
            hearsay: Arc::default(),
            gate: None,
            groups: None,
        }
    }

    /// Listens on this address alone. By default a node listens on every address of both IP versions.
    #[must_use]
    pub fn with_listen_addr(mut self, addr: IpAddr) -> Self {
        self.listen_addr = Some(addr);
        self
    }

    /// Sets the largest frame that the node accepts, in bytes, [`DEFAULT_MAX_INBOUND_FRAME_SIZE`] by default. A peer
    /// that sends a larger one is disconnected before anything is allocated.
    ///
    /// [`DEFAULT_MAX_INBOUND_FRAME_SIZE`]: crate::node::DEFAULT_MAX_INBOUND_FRAME_SIZE
    #[must_use]
    pub fn with_max_inbound_frame_size(mut self, max_frame_size: u64) -> Self {
        self.limits.inbound_frame = max_frame_size;
        self
    }

    /// Sets how many bytes may wait for one peer, [`DEFAULT_MAX_OUTBOX_SIZE`] by default. What is sent to its actors
    /// beyond that is given up and counted.
    ///
    /// [`DEFAULT_MAX_OUTBOX_SIZE`]: crate::node::DEFAULT_MAX_OUTBOX_SIZE
    #[must_use]
    pub fn with_max_outbox_size(mut self, bytes: usize) -> Self {
        self.limits.outbox = bytes;
        self
    }

    /// Sets how many bytes that one peer sent may wait in the mailbox of one local actor,
    /// [`DEFAULT_MAX_MAILBOX_SIZE`] by default. What arrives beyond that is given up and counted.
    ///
    /// [`DEFAULT_MAX_MAILBOX_SIZE`]: crate::node::DEFAULT_MAX_MAILBOX_SIZE
    #[must_use]
    pub fn with_max_mailbox_size(mut self, bytes: usize) -> Self {
        self.limits.mailbox = bytes;
        self
    }

    /// Sets how much memory the actors of other nodes may take.
    #[must_use]
    pub fn with_peer_limits(mut self, limits: PeerLimits) -> Self {
        self.limits.peer = limits.peer_bytes;
        self.ledger = Arc::new(PeerLedger::new(limits.all_peers_bytes));
        self
    }

    /// Sets how long peers may take over the handshake, and how long they may be silent before they count as down.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Sets the names of the stand-ins of peers' actors: [`StandInNames::Bare`] by default.
    #[must_use]
    pub fn with_stand_in_names(mut self, names: StandInNames) -> Self {
        self.stand_in_names = names;
        self
    }

    /// Sets whether nodes of `ractor_cluster` get a session. They prove that they have the cookie, and not who they are:
    /// [`StockPeers::Accepted`] by default.
    #[must_use]
    pub fn with_stock_peers(mut self, stock_peers: StockPeers) -> Self {
        self.stock_peers = stock_peers;
        self
    }

    /// Sets which groups of other nodes this one wants to know of: all of them by default. Nodes of this crate tell it of no others, so
    /// that their members take nothing here; what a node of `ractor_cluster` tells of others is left out. Actors with a name are found
    /// by it all the same, and so is any actor by an [`ActorAddress`](crate::ActorAddress).
    #[must_use]
    pub fn with_groups(mut self, groups: GroupInterest) -> Self {
        self.groups = Some(groups);
        self
    }

    /// Listens at once, and accepts connections only once this is true. None is accepted if it can't become true any more.
    #[must_use]
    pub fn with_gate(mut self, gate: watch::Receiver<bool>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Sets how many accepted connections may be in their handshakes at one time. Beyond that the oldest ones give way to new ones.
    #[must_use]
    pub fn with_handshake_limits(mut self, limits: HandshakeLimits) -> Self {
        self.admission = Arc::new(HandshakeAdmission::new(limits));
        self
    }
}
