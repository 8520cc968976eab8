//! Which sessions are opened and closed when: a machine without a task, a node or a clock of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time after which a node is dialled no more that nobody waits for.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// The time before a session is offered again whose other end didn't agree.
const ASKED: Duration = Duration::from_secs(10);

/// The time for which a session must have rested before it may end to make room for another.
const RESTED: Duration = Duration::from_secs(1);

/// A node that messages wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WantedNode {
    pub(super) name: Arc<str>,
    /// Where it is reached.
    pub(super) address: Arc<str>,
}

/// A session for entities, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenLink {
    pub(super) session: u64,
    /// The full name of the peer.
    pub(super) peer: String,
    /// This node opened it.
    pub(super) is_own: bool,
    /// The messages that have passed, in both directions; none if it didn't say.
    pub(super) messages: Option<u64>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LinkCommand {
    /// Dial this address, until it is forgotten.
    Dial(Arc<str>),
    /// Dial it no more.
    Forget(Arc<str>),
    /// Ask the peer whether this session, which this node opened, may end.
    Offer(u64),
    /// Ask the peer, which opened it, to do so.
    Wish(u64),
}

/// See the module.
#[derive(Debug)]
pub(super) struct LinkPlan {
    idle: Duration,
    most: usize,
    /// By the names of the nodes.
    dialled: BTreeMap<Arc<str>, DialledNode>,
    links: HashMap<u64, KnownLink>,
}

#[derive(Debug)]
struct DialledNode {
    address: Arc<str>,
    since: Instant,
    was_up: bool,
}

#[derive(Debug)]
struct KnownLink {
    messages: u64,
    /// When something passed, as far as that was seen.
    used: Instant,
    asked: Option<Instant>,
}

impl LinkPlan {
    /// Sessions end that rest for `idle`, and there are `most` at a time.
    pub(super) fn new(idle: Duration, most: usize) -> Self {
        Self {
            idle,
            most,
            dialled: BTreeMap::new(),
            links: HashMap::new(),
        }
    }

    /// Where the node at the other end of a session that this node opened is dialled, if it still is.
    pub(super) fn address(&self, peer: &str) -> Option<Arc<str>> {
        self.dialled.get(peer).map(|node| node.address.clone())
    }

    /// What is to be done for nodes that messages wait for, with these sessions, and `others` that are for everything, by the names of the peers.
    pub(super) fn look(
        &mut self,
        wanted: &[WantedNode],
        links: &[SeenLink],
        others: &BTreeSet<String>,
        now: Instant,
    ) -> Vec<LinkCommand> {
        self.note(links, now);
        let mut commands = Vec::new();
        self.forget(wanted, links, others, now, &mut commands);
        let is_linked = |name: &str| others.contains(name) || links.iter().any(|link| link.peer == name);
        let mut lacks_room = links.len() >= self.most;
        for node in wanted {
            if is_linked(&node.name) || self.dialled.contains_key(&node.name) {
                continue;
            }
            let opening = self.dialled.values().filter(|node| !node.was_up).count();
            if links.len() + opening >= self.most {
                lacks_room = true;
                continue;
            }
            let dialled = DialledNode {
                address: node.address.clone(),
                since: now,
                was_up: false,
            };
            self.dialled.insert(node.name.clone(), dialled);
            commands.push(LinkCommand::Dial(node.address.clone()));
        }
        self.close(links, lacks_room, now, &mut commands);
        commands
    }

    fn note(&mut self, links: &[SeenLink], now: Instant) {
        self.links
            .retain(|session, _| links.iter().any(|link| link.session == *session));
        for link in links {
            let known = self.links.entry(link.session).or_insert(KnownLink {
                messages: 0,
                used: now,
                asked: None,
            });
            // One that doesn't say is busy.
            if link.messages != Some(known.messages) {
                known.messages = link.messages.unwrap_or_default();
                known.used = now;
            }
            if let Some(node) = self.dialled.get_mut(&*link.peer) {
                node.was_up |= link.is_own;
            }
        }
    }

    /// A session that is over is opened again only if somebody waits for it.
    fn forget(
        &mut self,
        wanted: &[WantedNode],
        links: &[SeenLink],
        others: &BTreeSet<String>,
        now: Instant,
        commands: &mut Vec<LinkCommand>,
    ) {
        self.dialled.retain(|name, node| {
            let is_up = links.iter().any(|link| link.is_own && link.peer == **name);
            let is_wanted = wanted
                .iter()
                .any(|wanted| wanted.name == *name && wanted.address == node.address);
            let is_given_up = !is_wanted && now.saturating_duration_since(node.since) >= GIVEN_UP;
            let is_over = !is_up && (node.was_up || is_given_up);
            if is_over || others.contains(&**name) {
                commands.push(LinkCommand::Forget(node.address.clone()));
                return false;
            }
            true
        });
    }

    fn close(&mut self, links: &[SeenLink], lacks_room: bool, now: Instant, commands: &mut Vec<LinkCommand>) {
        let rests = |known: &KnownLink| now.saturating_duration_since(known.used);
        let may_be_asked = |known: &KnownLink| {
            let asked = known.asked.map(|asked| now.saturating_duration_since(asked));
            asked.is_none_or(|asked| asked >= ASKED)
        };
        let askable = |session: &u64| self.links.get(session).is_some_and(may_be_asked);
        let mut ending: BTreeSet<u64> = self
            .links
            .iter()
            .filter(|(session, known)| rests(known) >= self.idle && askable(session))
            .map(|(session, _)| *session)
            .collect();
        if lacks_room && ending.is_empty() {
            let resting = self.links.iter().filter(|(_, known)| rests(known) >= RESTED);
            let askable = resting.filter(|(session, _)| askable(session));
            let longest = askable.min_by_key(|(session, known)| (known.used, **session));
            ending.extend(longest.map(|(session, _)| *session));
        }
        for link in links.iter().filter(|link| ending.contains(&link.session)) {
            if let Some(known) = self.links.get_mut(&link.session) {
                known.asked = Some(now);
            }
            commands.push(if link.is_own {
                LinkCommand::Offer(link.session)
            } else {
                LinkCommand::Wish(link.session)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(600);

    fn node(name: &str) -> WantedNode {
        WantedNode {
            name: name.into(),
            address: format!("{name}:1").into(),
        }
    }

    fn link(session: u64, peer: &str, messages: u64) -> SeenLink {
        SeenLink {
            session,
            peer: peer.to_owned(),
            is_own: true,
            messages: Some(messages),
        }
    }

    fn dial(name: &str) -> LinkCommand {
        LinkCommand::Dial(format!("{name}:1").into())
    }

    fn forget(name: &str) -> LinkCommand {
        LinkCommand::Forget(format!("{name}:1").into())
    }

    fn none() -> BTreeSet<String> {
        BTreeSet::new()
    }

    #[test]
    fn a_node_is_dialled_once_and_no_more_when_its_session_is_over() {
        let mut plan = LinkPlan::new(IDLE, 3);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(plan.look(&[], &[], &none(), at(0)), []);
        assert_eq!(plan.look(&[node("a")], &[], &none(), at(0)), [dial("a")]);
        assert_eq!(plan.look(&[node("a")], &[], &none(), at(40)), [], "one is being opened");
        assert_eq!(plan.look(&[], &[link(1, "a", 5)], &none(), at(41)), []);
        assert_eq!(plan.address("a"), Some("a:1".into()));
        assert_eq!(plan.look(&[], &[], &none(), at(42)), [forget("a")]);
        assert_eq!(plan.look(&[node("a")], &[], &none(), at(43)), [dial("a")]);
        assert_eq!(plan.look(&[], &[], &none(), at(44)), []);
        assert_eq!(
            plan.look(&[], &[], &none(), at(80)),
            [forget("a")],
            "nobody waits for it"
        );
    }

    #[test]
    fn a_node_that_is_linked_in_any_way_is_not_dialled() {
        let mut plan = LinkPlan::new(IDLE, 3);
        let now = Instant::now();
        let theirs = SeenLink {
            is_own: false,
            ..link(1, "a", 0)
        };
        let others: BTreeSet<String> = ["b".to_owned()].into();
        assert_eq!(
            plan.look(&[node("a"), node("b"), node("c")], &[theirs], &others, now),
            [dial("c")]
        );
        let others: BTreeSet<String> = ["c".to_owned()].into();
        assert_eq!(
            plan.look(&[], &[], &others, now),
            [forget("c")],
            "it has another session now"
        );
    }

    #[test]
    fn a_session_that_rests_is_offered_and_again_later() {
        let mut plan = LinkPlan::new(IDLE, 3);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let theirs = |messages| SeenLink {
            is_own: false,
            ..link(2, "b", messages)
        };
        let mut look =
            |first, second, seconds| plan.look(&[], &[link(1, "a", first), theirs(second)], &none(), at(seconds));
        assert_eq!(look(1, 1, 0), []);
        assert_eq!(look(1, 2, 300), []);
        assert_eq!(look(1, 2, 600), [LinkCommand::Offer(1)]);
        assert_eq!(look(1, 2, 605), []);
        assert_eq!(look(1, 2, 610), [LinkCommand::Offer(1)]);
        assert_eq!(look(2, 2, 900), [LinkCommand::Wish(2)]);
        let silent = SeenLink {
            messages: None,
            ..link(1, "a", 0)
        };
        assert_eq!(
            plan.look(&[], &[silent], &none(), at(2_000)),
            [],
            "one that doesn't say is busy"
        );
    }

    #[test]
    fn there_are_never_more_than_there_may_be_and_the_one_that_rests_longest_makes_room() {
        let mut plan = LinkPlan::new(IDLE, 2);
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(
            plan.look(&[node("a"), node("b")], &[], &none(), at(0)),
            [dial("a"), dial("b")]
        );
        assert_eq!(plan.look(&[node("c")], &[], &none(), at(0)), [], "two are on their way");
        let links = [link(1, "a", 1), link(2, "b", 1)];
        assert_eq!(plan.look(&[node("c")], &links, &none(), at(100)), [], "both are busy");
        let links = [link(1, "a", 2), link(2, "b", 1)];
        assert_eq!(plan.look(&[node("c")], &links, &none(), at(900)), []);
        assert_eq!(
            plan.look(&[node("c")], &links, &none(), at(1_200)),
            [LinkCommand::Offer(2)]
        );
        // One at a time.
        assert_eq!(plan.look(&[node("c")], &links, &none(), at(1_300)), []);
        let rest = [link(1, "a", 2)];
        assert_eq!(
            plan.look(&[node("c")], &rest, &none(), at(1_400)),
            [forget("b"), dial("c")]
        );
    }
}
