//! The sessions of a node whose cluster has `links = "on-demand"`: each is opened when an entity of the other node is spoken to, and closed when it has
//! rested for a while.

mod plan;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use parking_lot::Mutex;
use ractor::ActorRef;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use self::plan::{LinkCommand, LinkPlan, SeenLink, WantedNode};
use super::dial::Dial;
use crate::config::PeerAddress;
use crate::directory::BoxFuture;
use crate::entities::{Cluster, OnDemand, SessionUse};
use crate::node::{
    MAX_ON_DEMAND_LINKS, NodeServerMessage, OnDemandLink, add_peer_on_demand, close_unused, is_unused, link_figures,
    on_demand_links, remove_peer,
};
use crate::placement::words::Incarnation;
use crate::postgres::Seen;

/// The longest time between two looks at the sessions.
const LOOK: Duration = Duration::from_secs(5);

/// The shortest: messages come faster than sessions open.
const MOMENT: Duration = Duration::from_millis(20);

/// The longest that a session may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// What opens and closes the sessions, and those who ask for that.
struct Shared {
    server: ActorRef<NodeServerMessage>,
    wanted: Mutex<BTreeSet<Incarnation>>,
    wake: Notify,
    plan: Mutex<LinkPlan>,
    /// As they were seen last, by their numbers.
    links: Mutex<HashMap<u64, OnDemandLink>>,
}

/// See the module.
pub(super) struct OnDemandLinks {
    shared: Arc<Shared>,
    cluster: Arc<Cluster>,
    dial: Dial,
    own: PeerAddress,
    /// Those of node.toml, which have sessions anyway.
    named: Vec<PeerAddress>,
    look: Duration,
}

impl OnDemandLinks {
    /// Sessions of the node that end when they have rested for `idle`.
    pub(super) fn new(
        (server, dial): (ActorRef<NodeServerMessage>, Dial),
        cluster: Arc<Cluster>,
        own: PeerAddress,
        named: Vec<PeerAddress>,
        idle: Duration,
    ) -> Self {
        let shared = Arc::new(Shared {
            server,
            wanted: Mutex::default(),
            wake: Notify::new(),
            plan: Mutex::new(LinkPlan::new(idle, MAX_ON_DEMAND_LINKS)),
            links: Mutex::default(),
        });
        cluster.link_on_demand(Arc::new(Asked(shared.clone())));
        Self {
            shared,
            cluster,
            dial,
            own,
            named,
            look: (idle / 4).clamp(MOMENT, LOOK),
        }
    }

    /// Opens and closes sessions until it is given up.
    pub(super) async fn follow(self, mut seen: watch::Receiver<Seen>) {
        loop {
            self.look(&mut seen).await;
            // Messages that come in the meantime are looked at together.
            sleep(MOMENT).await;
            tokio::select! {
                () = self.shared.wake.notified() => {}
                changed = seen.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = sleep(self.look) => {}
            }
        }
    }

    async fn look(&self, seen: &mut watch::Receiver<Seen>) {
        let server = &self.shared.server;
        let Some(links) = on_demand_links(server).await else {
            return;
        };
        let asked = links.iter().map(async |link| {
            let figures = link_figures(&link.session, PATIENCE).await;
            SeenLink {
                session: link.node_id,
                peer: link.peer.clone(),
                is_own: link.is_own,
                messages: figures.map(|figures| {
                    let directions = [figures.sent, figures.received];
                    directions.iter().map(|way| way.casts + way.calls + way.replies).sum()
                }),
            }
        });
        let seen_links = join_all(asked).await;
        let others = self.others(&links).await;
        *self.shared.links.lock() = links.into_iter().map(|link| (link.node_id, link)).collect();
        let wanted = self.wanted(&seen.borrow_and_update());
        let commands = self
            .shared
            .plan
            .lock()
            .look(&wanted, &seen_links, &others, Instant::now());
        for command in commands {
            self.carry_out(command);
        }
    }

    /// The names of nodes that this one has sessions with for everything.
    async fn others(&self, on_demand: &[OnDemandLink]) -> BTreeSet<String> {
        let sessions = self
            .shared
            .server
            .call(NodeServerMessage::GetSessions, Some(PATIENCE))
            .await;
        let sessions = sessions.ok().and_then(|sessions| sessions.success_or(()).ok());
        let is_other = |node_id: &u64| on_demand.iter().all(|link| link.node_id != *node_id);
        let others = sessions.into_iter().flatten().filter(|(node_id, _)| is_other(node_id));
        others
            .filter_map(|(_, session)| Some(session.peer_name?.name))
            .collect()
    }

    /// The nodes that messages wait for, as far as there are such.
    fn wanted(&self, seen: &Seen) -> Vec<WantedNode> {
        let wanted = std::mem::take(&mut *self.shared.wanted.lock());
        let members = seen
            .members
            .iter()
            .filter(|member| wanted.contains(&member.incarnation));
        let is_dialled_here = |address: &str| match address.parse::<PeerAddress>() {
            // `peers` are dialled in any case, and nobody else is where this node is.
            Ok(address) => address != self.own && !self.named.contains(&address),
            Err(error) => {
                tracing::warn!(%error, "a node of the cluster has no address that can be dialled");
                false
            }
        };
        members
            .filter(|member| is_dialled_here(&member.address))
            .map(|member| WantedNode {
                name: member.name.clone(),
                address: member.address.clone(),
            })
            .collect()
    }

    fn carry_out(&self, command: LinkCommand) {
        let server = &self.shared.server;
        match command {
            LinkCommand::Dial(address) => {
                if let Ok(address) = address.parse::<PeerAddress>() {
                    // A node server that has ended by now is found out by whoever waits for it.
                    drop(add_peer_on_demand(server, self.dial.peer(&address)));
                }
            }
            LinkCommand::Forget(address) => drop(remove_peer(server, &address)),
            LinkCommand::Offer(session) => self.cluster.offer_to_close(session),
            LinkCommand::Wish(session) => self.cluster.wish_closed(session),
        }
    }
}

/// What the entities of the node ask for.
struct Asked(Arc<Shared>);

impl OnDemand for Asked {
    fn reach(&self, node: Incarnation) {
        self.0.wanted.lock().insert(node);
        self.0.wake.notify_one();
    }

    fn session_use(&self, session: u64) -> BoxFuture<'static, SessionUse> {
        let shared = self.0.clone();
        Box::pin(async move {
            // Asked for anew: the session may be younger than the last look.
            let links = on_demand_links(&shared.server).await.unwrap_or_default();
            let Some(link) = links.into_iter().find(|link| link.node_id == session) else {
                return SessionUse::Needed;
            };
            match (is_unused(&link.session, PATIENCE).await, link.is_own) {
                (false, _) => SessionUse::Needed,
                (true, true) => SessionUse::Unused,
                (true, false) => SessionUse::UnusedOfPeer,
            }
        })
    }

    fn close(&self, session: u64) {
        let Some(link) = self.0.links.lock().get(&session).cloned() else {
            return;
        };
        // First of all, or the node would be dialled again at once.
        if let Some(address) = self.0.plan.lock().address(&link.peer) {
            drop(remove_peer(&self.0.server, &address));
        }
        close_unused(&link.session);
    }
}
