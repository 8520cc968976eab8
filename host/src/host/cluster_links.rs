//! The links of the whole cluster: each node that this one has a session with is asked for its own, by way of its control actor. The key
//! is one of this node's, and the least of them: whoever has the same keys shows its links, and nobody else does.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::control::{
    Answer, AskError, CONTROL, ControlClient, ControlKey, ControlKeys, FarLink, LinkRow, NodeLinks, PeerVersion,
    Request, is_command,
};
use crate::directory;

/// The time for which an answer counts: however many look, each node is asked once in it.
const FRESH: Duration = Duration::from_secs(3);

/// The longest that one node may take, with finding its control actor.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time after which a node that has refused is asked again. Each refusal is a line in its log.
const REFUSED: Duration = Duration::from_secs(300);

/// The most nodes that are asked.
const MOST_NODES: usize = 64;

/// The most links that are told of one node.
const MOST_LINKS: usize = 256;

/// See the module.
pub(super) struct ClusterLinks {
    /// The full name of this node.
    node: String,
    /// None without `[control]`.
    keys: Option<ControlKeys>,
    known: Mutex<Known>,
}

/// What was found out, and how to find out more.
#[derive(Default)]
struct Known {
    /// The key with which it was found out.
    key: Option<ControlKey>,
    answered: Option<(Instant, Vec<NodeLinks>)>,
    clients: HashMap<String, ControlClient>,
    refused: HashMap<String, (Instant, String)>,
}

impl ClusterLinks {
    pub(super) fn new(node: String, keys: Option<ControlKeys>) -> Self {
        Self {
            node,
            keys,
            known: Mutex::default(),
        }
    }

    /// The links of this node, which are these, and those of all nodes at their other ends.
    pub(super) async fn read(&self, own: &[LinkRow]) -> Vec<NodeLinks> {
        let mut known = self.known.lock().await;
        let key = self.keys.as_ref().and_then(ControlKeys::weakest);
        if known.key != key {
            // Who refused the key before may take this one.
            *known = Known {
                key: key.clone(),
                ..Known::default()
            };
        }
        if let Some((at, nodes)) = &known.answered
            && at.elapsed() < FRESH
        {
            return nodes.clone();
        }
        let peers = own.iter().filter(|link| link.version == PeerVersion::RactorHost);
        let peers: BTreeSet<&str> = peers
            .map(|link| link.name.as_str())
            .filter(|name| !is_command(name))
            .take(MOST_NODES)
            .collect();
        known.clients.retain(|name, _| peers.contains(name.as_str()));
        known
            .refused
            .retain(|name, (at, _)| peers.contains(name.as_str()) && at.elapsed() < REFUSED);
        let asked: Vec<_> = peers
            .into_iter()
            .map(|peer| (peer, known.clients.remove(peer), known.refused.get(peer).cloned()))
            .collect();
        // At the same time: one that doesn't answer keeps no other waiting.
        let answers = join_all(asked.into_iter().map(async |(peer, client, refused)| {
            if let Some((_, reason)) = refused {
                return (peer, Err((false, reason)), None);
            }
            let (answer, client) = ask(peer, client, key.as_ref()).await;
            (peer, answer, client)
        }))
        .await;
        let mut nodes = vec![links_of(&self.node, own.iter())];
        for (peer, answer, client) in answers {
            if let Some(client) = client {
                known.clients.insert(peer.to_owned(), client);
            }
            nodes.push(match answer {
                Ok(links) => links_of(peer, links.iter()),
                Err((is_refusal, reason)) => {
                    if is_refusal {
                        known.refused.insert(peer.to_owned(), (Instant::now(), reason.clone()));
                    }
                    NodeLinks {
                        node: peer.to_owned(),
                        links: Vec::new(),
                        unknown: Some(reason),
                    }
                }
            });
        }
        known.answered = Some((Instant::now(), nodes.clone()));
        nodes
    }
}

/// The links of one node, or why they aren't known and whether it has refused. A client is given back that can ask again.
async fn ask(
    peer: &str,
    client: Option<ControlClient>,
    key: Option<&ControlKey>,
) -> (Result<Vec<LinkRow>, (bool, String)>, Option<ControlClient>) {
    let deadline = Instant::now() + PATIENCE;
    let mut client = match (client, key) {
        (Some(client), _) => client,
        (None, None) => {
            let reason = "this node has no key to ask it with: its node.toml has no table [control]";
            return (Err((false, reason.to_owned())), None);
        }
        (None, Some(key)) => {
            let name = format!("{CONTROL}@{peer}");
            match timeout(PATIENCE, directory::find(&name)).await {
                Ok(Some(actor)) => ControlClient::new(actor, peer.to_owned(), key.clone()),
                _ => {
                    return (
                        Err((
                            false,
                            "it takes no questions: its node.toml has no table [control]".to_owned(),
                        )),
                        None,
                    );
                }
            }
        }
    };
    match client.ask(&Request::Links, &[], deadline).await {
        Ok(Answer::Links { links }) => (Ok(links), Some(client)),
        Ok(_) => (Err((false, "it did not say".to_owned())), None),
        Err(error) => (Err((matches!(error, AskError::Refused(_)), error.to_string())), None),
    }
}

fn links_of<'l>(node: &str, links: impl Iterator<Item = &'l LinkRow>) -> NodeLinks {
    let links = links.filter(|link| !is_command(&link.name)).map(|link| FarLink {
        name: link.name.clone(),
        round_trip_us: link.figures.as_ref().and_then(|figures| figures.round_trip_us),
    });
    NodeLinks {
        node: node.to_owned(),
        links: links.take(MOST_LINKS).collect(),
        unknown: None,
    }
}
