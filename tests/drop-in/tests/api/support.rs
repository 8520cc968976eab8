//! Two nodes in this process, an actor for them to share, and whatever hears what happens to sessions.

use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, pg};
use ractor_cluster::node::{NodeConnectionMode, NodeServerSessionInformation};
use ractor_cluster::{
    BoxRead, BoxWrite, ClusterBidiStream, NodeEventSubscription, NodeId, NodeServer, NodeServerMessage,
    RactorClusterMessage,
};
use tokio::io::DuplexStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, MutexGuard};

/// ractor's registries are the process's: nodes of different tests would see each other's actors.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The longest time for anything before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: did not happen"),
    }
}

/// A transport of the program's own: a pipe within the process.
pub(crate) struct Pipe {
    pub(crate) stream: DuplexStream,
    pub(crate) peer: &'static str,
}

impl ClusterBidiStream for Pipe {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        let (read, write) = tokio::io::split(self.stream);
        (Box::new(read), Box::new(write))
    }

    fn peer_label(&self) -> Option<String> {
        Some(self.peer.to_owned())
    }

    fn local_label(&self) -> Option<String> {
        Some("this end".to_owned())
    }
}

/// The two ends of a pipe between nodes of these names.
pub(crate) fn pipe(one: &'static str, other: &'static str) -> (Box<Pipe>, Box<Pipe>) {
    let (left, right) = tokio::io::duplex(64 * 1024);
    let end = |stream, peer| Box::new(Pipe { stream, peer });
    (end(left, other), end(right, one))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Opened,
    Authenticated,
    Ready,
    Disconnected,
}

/// Passes on what it is told.
struct Ears(UnboundedSender<(Kind, NodeServerSessionInformation)>);

impl Ears {
    fn hear(&self, kind: Kind, session: NodeServerSessionInformation) {
        // At the end of a test nobody listens.
        drop(self.0.send((kind, session)));
    }
}

impl NodeEventSubscription for Ears {
    fn node_session_opened(&self, ses: NodeServerSessionInformation) {
        self.hear(Kind::Opened, ses);
    }

    fn node_session_disconnected(&self, ses: NodeServerSessionInformation) {
        self.hear(Kind::Disconnected, ses);
    }

    fn node_session_authenticated(&self, ses: NodeServerSessionInformation) {
        self.hear(Kind::Authenticated, ses);
    }

    fn node_session_ready(&self, ses: NodeServerSessionInformation) {
        self.hear(Kind::Ready, ses);
    }
}

/// A running node.
pub(crate) struct Node {
    pub(crate) server: ActorRef<NodeServerMessage>,
    handle: JoinHandle<()>,
    events: UnboundedReceiver<(Kind, NodeServerSessionInformation)>,
}

impl Node {
    /// A node on a port that the system chooses, with a subscription named `ears`.
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_on(0, name, "cookie").await
    }

    pub(crate) async fn start_on(port: u16, name: &str, cookie: &str) -> Self {
        let server = NodeServer::new(
            port,
            cookie.to_owned(),
            name.to_owned(),
            "localhost".to_owned(),
            None,
            Some(NodeConnectionMode::Isolated),
        )
        .with_listen_addr(Ipv4Addr::LOCALHOST.into())
        .with_max_inbound_frame_size(1024 * 1024);
        let (server, handle) = Actor::spawn(None, server, ()).await.unwrap();
        let (ears, events) = unbounded_channel();
        server
            .cast(NodeServerMessage::SubscribeToEvents {
                id: "ears".to_owned(),
                subscription: Box::new(Ears(ears)),
            })
            .unwrap();
        Self { server, handle, events }
    }

    pub(crate) async fn next(&mut self) -> (Kind, NodeServerSessionInformation) {
        in_time("an event", self.events.recv()).await.unwrap()
    }

    /// Passes over events until there is one of this kind.
    pub(crate) async fn until(&mut self, wanted: Kind) -> NodeServerSessionInformation {
        loop {
            let (kind, session) = self.next().await;
            if kind == wanted {
                return session;
            }
        }
    }

    /// What was heard and not yet asked for.
    pub(crate) fn unheard(&mut self) -> Vec<Kind> {
        std::iter::from_fn(|| self.events.try_recv().ok())
            .map(|(kind, _)| kind)
            .collect()
    }

    pub(crate) async fn sessions(&self) -> HashMap<NodeId, NodeServerSessionInformation> {
        ractor::call!(self.server, NodeServerMessage::GetSessions).unwrap()
    }

    pub(crate) async fn stop(self) {
        self.server.stop(None);
        in_time("a node's end", self.handle).await.unwrap();
    }
}

/// What an [`Adder`] understands.
#[derive(RactorClusterMessage)]
pub(crate) enum AdderMessage {
    Add(String, u64),
    #[rpc]
    Sum(RpcReplyPort<u64>),
}

/// Adds up what it is sent.
pub(crate) struct Adder;

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Adder {
    type Msg = AdderMessage;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<AdderMessage>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _: ActorRef<AdderMessage>,
        message: AdderMessage,
        sum: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            AdderMessage::Add(_, n) => *sum += n,
            AdderMessage::Sum(reply) => reply.send(*sum)?,
        }
        Ok(())
    }
}

/// An adder in a group of its own.
pub(crate) async fn adder(group: &str) -> (ActorRef<AdderMessage>, JoinHandle<()>) {
    let (adder, handle) = Actor::spawn(None, Adder, ()).await.unwrap();
    pg::join(group.to_owned(), vec![adder.get_cell()]);
    (adder, handle)
}

/// A member of the group that a session brought in, once there is one.
pub(crate) async fn remote_member(group: &str) -> ActorCell {
    let group = group.to_owned();
    in_time("a remote member", async {
        loop {
            let members = pg::get_members(&group);
            if let Some(remote) = members.into_iter().find(|member| !member.get_id().is_local()) {
                return remote;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

/// A port that was free a moment ago. The published server can't be asked for one that the system chose for it.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
