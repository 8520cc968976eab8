//! The links of the whole cluster: each node that this one has a session with is asked for its own, by way of its control actor. The key
//! is one of this node's, and the least of them: whoever has the same keys shows its links, and nobody else does.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use ractor::ActorRef;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout};

use super::links;
use crate::control::{
    Answer, AskError, CONTROL, ControlClient, ControlKey, ControlKeys, ControlRefusal, FarLink, LinkRow, NodeLinks,
    PeerVersion, Request, is_command,
};
use crate::directory::{self, tidy};
use crate::node::NodeServerMessage;

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

/// The most bytes of the name of a node, whatever another node says.
const LONGEST_NAME: usize = 255;

/// The most bytes of the reason for which links aren't known.
const LONGEST_REASON: usize = 400;

/// See the module.
pub(super) struct ClusterLinks {
    /// The full name of this node.
    node: String,
    /// None without `[control]`.
    keys: Option<ControlKeys>,
    known: Arc<Mutex<Known>>,
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

/// Why the links of a node aren't known.
#[derive(Debug, PartialEq, Eq)]
struct Unknown {
    reason: String,
    /// It won't say so for a while, and whoever asks it again fills its log.
    is_lasting: bool,
}

impl ClusterLinks {
    pub(super) fn new(node: String, keys: Option<ControlKeys>) -> Self {
        Self {
            node,
            keys,
            known: Arc::default(),
        }
    }

    /// The links of this node, and those of all nodes at their other ends. Whoever asks may break it off.
    ///
    /// # Errors
    /// The node is going down.
    pub(super) async fn read(&self, server: &ActorRef<NodeServerMessage>) -> Result<Vec<NodeLinks>, String> {
        // Those who ask meanwhile wait here for the same answer.
        let mut known = self.known.clone().lock_owned().await;
        let key = self.keys.as_ref().and_then(ControlKeys::weakest);
        if known.key != key {
            // Who refused the key before may take this one.
            *known = Known {
                key,
                ..Known::default()
            };
        }
        if let Some((at, nodes)) = &known.answered
            && at.elapsed() < FRESH
        {
            return Ok(nodes.clone());
        }
        let own = links::all(server).await?;
        // A task, which is not broken off when whoever asked has gone: the next one would ask all nodes again.
        let looking = tokio::spawn(look(known, self.node.clone(), own));
        looking.await.map_err(|ended| ended.to_string())
    }
}

/// Asks the nodes at the other ends of these links.
async fn look(mut known: OwnedMutexGuard<Known>, node: String, own: Vec<LinkRow>) -> Vec<NodeLinks> {
    let key = known.key.clone();
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
            return (peer, Err(Unknown::for_now(reason)), None);
        }
        let (answer, client) = ask(peer, client, key.as_ref()).await;
        (peer, answer, client)
    }))
    .await;
    let mut nodes = vec![links_of(&node, own.iter())];
    for (peer, answer, client) in answers {
        if let Some(client) = client {
            known.clients.insert(peer.to_owned(), client);
        }
        nodes.push(match answer {
            Ok(links) => links_of(peer, links.iter()),
            Err(Unknown { reason, is_lasting }) => {
                if is_lasting {
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

impl Unknown {
    fn for_now(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_lasting: false,
        }
    }
}

impl From<AskError> for Unknown {
    fn from(error: AskError) -> Self {
        Self {
            // Some of the words are the other node's.
            reason: tidy(&error.to_string(), LONGEST_REASON).into_owned(),
            is_lasting: is_lasting(&error),
        }
    }
}

/// Whether a node would say the same again. One that is busy may not be so a moment later.
fn is_lasting(error: &AskError) -> bool {
    match error {
        AskError::Refused(refusal) => *refusal != ControlRefusal::Busy,
        AskError::Unsent(error) => is_lasting(error),
        _ => false,
    }
}

/// The links of one node, or why they aren't known. A client is given back that can ask again.
async fn ask(
    peer: &str,
    client: Option<ControlClient>,
    key: Option<&ControlKey>,
) -> (Result<Vec<LinkRow>, Unknown>, Option<ControlClient>) {
    let deadline = Instant::now() + PATIENCE;
    let mut client = match (client, key) {
        (Some(client), _) => client,
        (None, None) => {
            let reason = "this node has no key to ask it with: its node.toml has no table [control]";
            return (Err(Unknown::for_now(reason)), None);
        }
        (None, Some(key)) => {
            let name = format!("{CONTROL}@{peer}");
            match timeout(PATIENCE, directory::find(&name)).await {
                Ok(Some(actor)) => ControlClient::new(actor, peer.to_owned(), key.clone()),
                _ => {
                    let reason = "it takes no questions: its node.toml has no table [control]";
                    return (Err(Unknown::for_now(reason)), None);
                }
            }
        }
    };
    match client.ask(&Request::Links, &[], deadline).await {
        Ok(Answer::Links { links }) => (Ok(links), Some(client)),
        Ok(_) => (Err(Unknown::for_now("it did not say")), None),
        Err(error) => (Err(error.into()), None),
    }
}

fn links_of<'l>(node: &str, links: impl Iterator<Item = &'l LinkRow>) -> NodeLinks {
    let links = links.filter(|link| !is_command(&link.name)).map(|link| FarLink {
        name: tidy(&link.name, LONGEST_NAME).into_owned(),
        round_trip_us: link.figures.as_ref().and_then(|figures| figures.round_trip_us),
    });
    NodeLinks {
        node: node.to_owned(),
        links: links.take(MOST_LINKS).collect(),
        unknown: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{OpenedBy, PeerVersion};

    #[test]
    fn a_node_that_is_busy_is_asked_again_and_one_that_refuses_the_key_is_left_alone() {
        let unknown = |error: AskError| Unknown::from(error).is_lasting;
        let unsent = |error: AskError| AskError::Unsent(Box::new(error));
        assert!(unknown(ControlRefusal::NotProved.into()));
        assert!(unknown(unsent(ControlRefusal::Malformed.into())));
        assert!(!unknown(ControlRefusal::Busy.into()));
        assert!(!unknown(unsent(ControlRefusal::Busy.into())));
        assert!(!unknown(AskError::Timeout));
    }

    #[test]
    fn what_another_node_says_is_kept_within_bounds() {
        let row = |number: u64| LinkRow {
            session: number,
            name: format!("{number}\n{}", "x".repeat(1 << 20)),
            address: String::new(),
            version: PeerVersion::Stock,
            incarnation: 0,
            opened: OpenedBy::Us,
            figures: None,
            wants: None,
        };
        let rows: Vec<LinkRow> = (0..300).map(row).collect();
        let told = links_of("b@c", rows.iter());
        assert_eq!(told.links.len(), MOST_LINKS);
        for link in &told.links {
            assert!(
                link.name.len() < 2 * LONGEST_NAME && !link.name.contains('\n'),
                "{}",
                link.name.len()
            );
        }
        let unknown = Unknown::from(AskError::Failed("x".repeat(1 << 20)));
        assert!(unknown.reason.len() < 2 * LONGEST_REASON);
    }
}
