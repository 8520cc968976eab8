//! Whom an actor may send to: `*`, `greeter`, `worker-*`, `greeter@beta@localhost`, `group:counters`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use ractor::{ActorId, pg};

use crate::directory::FoundActor;

/// Actors that an actor may send to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    /// `*`: every actor of the cluster.
    Everyone,
    /// The actor with this name; one of another node is called `name@node`.
    Name(String),
    /// `worker-*`: the actors whose name begins like this.
    Prefix(String),
    /// `group:counters`: whoever is a member of this process group of the default scope.
    Group(String),
}

/// All actors that an actor may send to, besides its kin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    everyone: bool,
    names: BTreeSet<String>,
    prefixes: Vec<String>,
    groups: Vec<String>,
}

/// A text names no recipient, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no recipient: {reason}")]
pub struct InvalidRecipient {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Recipients {
    /// Every actor of the cluster.
    pub fn everyone() -> Self {
        [Recipient::Everyone].into_iter().collect()
    }

    /// True if nobody is left out: then nobody needs to be asked for.
    pub fn are_everyone(&self) -> bool {
        self.everyone
    }

    /// True if this actor is one of them now.
    pub fn include(&self, actor: &FoundActor) -> bool {
        if self.everyone {
            return true;
        }
        let named = || {
            // Not the bare name: a peer may have an actor named like one of this node.
            let Some(name) = actor.qualified_name() else {
                return false;
            };
            self.include_name(&name)
        };
        named() || self.groups.iter().any(|group| is_member(group, actor.id))
    }

    /// True if whoever has this name is one of them, whatever groups it is in.
    pub fn include_name(&self, name: &str) -> bool {
        self.everyone || self.names.contains(name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Recipient> + '_ {
        let everyone = self.everyone.then_some(Recipient::Everyone);
        let names = self.names.iter().cloned().map(Recipient::Name);
        let prefixes = self.prefixes.iter().cloned().map(Recipient::Prefix);
        let groups = self.groups.iter().cloned().map(Recipient::Group);
        everyone.into_iter().chain(names).chain(prefixes).chain(groups)
    }
}

fn is_member(group: &str, actor: ActorId) -> bool {
    pg::get_members(&group.to_owned())
        .iter()
        .any(|member| member.get_id() == actor)
}

impl FromIterator<Recipient> for Recipients {
    fn from_iter<I: IntoIterator<Item = Recipient>>(recipients: I) -> Self {
        let mut all = Self::default();
        for recipient in recipients {
            match recipient {
                Recipient::Everyone => all.everyone = true,
                Recipient::Name(name) => {
                    all.names.insert(name);
                }
                Recipient::Prefix(prefix) => all.prefixes.push(prefix),
                Recipient::Group(group) => all.groups.push(group),
            }
        }
        all
    }
}

impl FromStr for Recipient {
    type Err = InvalidRecipient;

    fn from_str(text: &str) -> Result<Self, InvalidRecipient> {
        let invalid = |reason| {
            Err(InvalidRecipient {
                text: text.to_owned(),
                reason,
            })
        };
        if text == "*" {
            return Ok(Self::Everyone);
        }
        // Before names, so that a text that begins like this never means an actor.
        if let Some(group) = text.strip_prefix("group:") {
            if group.is_empty() {
                return invalid("the group has no name");
            }
            return Ok(Self::Group(group.to_owned()));
        }
        let (name, prefix) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        if name.is_empty() || name.contains(|char: char| char == '*' || char.is_whitespace() || char.is_control()) {
            return invalid("no actor can have this name");
        }
        Ok(if prefix {
            Self::Prefix(name.to_owned())
        } else {
            Self::Name(name.to_owned())
        })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("*"),
            Self::Name(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Group(group) => write!(f, "group:{group}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ractor::ActorCell;
    use ractor::message::SerializedMessage;

    use super::*;
    use crate::directory::{self, BoxFuture, Lent, RemoteActors, SendRefused, WantedActor};

    #[test]
    fn a_recipient_is_written_as_it_is_read() {
        for text in [
            "*",
            "greeter",
            "worker-*",
            "greeter@beta@localhost",
            "group:all of them",
        ] {
            assert_eq!(text.parse::<Recipient>().unwrap().to_string(), text);
        }
        for text in ["", "group:", "a b", "**", "a*b"] {
            assert!(text.parse::<Recipient>().is_err(), "{text}");
        }
    }

    struct NoActors;

    impl RemoteActors for NoActors {
        fn stand_in(&self, _: u64) -> BoxFuture<'_, Option<ActorCell>> {
            Box::pin(std::future::ready(None))
        }

        fn stand_in_named(&self, _: String) -> BoxFuture<'_, Option<ActorCell>> {
            Box::pin(std::future::ready(None))
        }

        fn look(&self, _: WantedActor) -> BoxFuture<'_, Option<FoundActor>> {
            Box::pin(std::future::ready(None))
        }

        fn lend(&self, _: u64) -> BoxFuture<'_, Option<Lent>> {
            Box::pin(std::future::ready(None))
        }

        fn send(&self, _: u64, _: SerializedMessage) -> BoxFuture<'_, Result<(), SendRefused>> {
            Box::pin(std::future::ready(Ok(())))
        }
    }

    #[test]
    fn an_actor_of_another_node_is_not_granted_by_the_name_of_one_of_this_node() {
        let recipients = |text: &str| -> Recipients { text.parse::<Recipient>().into_iter().collect() };
        let (node_id, pid) = (4_000_000_001, 7);
        let node = directory::Node {
            name: "beta@localhost".to_owned(),
            incarnation: 1,
        };
        directory::add_peer(node_id, node, Arc::new(NoActors));
        let remote = FoundActor {
            id: ActorId::Remote { node_id, pid },
            name: Some("billing".to_owned()),
            local: None,
        };
        assert!(!recipients("billing").include(&remote));
        for granted in ["billing@beta@localhost", "billing*"] {
            assert!(recipients(granted).include(&remote), "{granted}");
        }
        directory::remove_peer(node_id);
        assert!(
            !recipients("billing@beta@localhost").include(&remote),
            "nobody knows whose it is"
        );
    }
}
