//! What an actor may reach beyond itself. Nothing, unless it is granted.
//!
//! One field a capability, with the name that it has in `[actors.capabilities]` of node.toml. What every actor has without
//! a grant: clocks, randomness, log lines, its configuration, its own place in the registry and in groups, and messages to
//! itself, its supervisor and its children.

mod directory;
mod endpoint;
mod recipients;
mod variables;

use std::collections::BTreeSet;

pub use directory::{Access, Directory, InvalidDirectory};
pub use endpoint::{Endpoint, HostPattern, InvalidEndpoint};
pub use recipients::{InvalidRecipient, Recipient, Recipients};
pub use variables::{InvalidVariable, Variables};

/// What an actor may reach, and its children too. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Whom it may send casts and calls to, now or by a timer.
    pub messages: Recipients,
    /// The modules that it may start children of.
    pub spawn: Spawn,
    /// Directories of the host that it finds at paths of its own.
    pub directories: Vec<Directory>,
    /// The environment variables that it sees.
    pub environment: Variables,
    /// Where it may open TCP connections to.
    pub tcp: Vec<Endpoint>,
    /// Where it may exchange UDP datagrams with.
    pub udp: Vec<Endpoint>,
    /// Names that it may look up, besides those in `tcp` and `udp`.
    pub dns: Vec<HostPattern>,
}

/// The modules that an actor may start children of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Spawn {
    /// None.
    #[default]
    Nothing,
    /// Those with these names.
    Modules(BTreeSet<String>),
    /// Every module of the node.
    Anything,
}

impl Grants {
    /// Everything that is about actors, and nothing of the host: to send to every actor, and to start every module.
    pub fn of_actors() -> Self {
        Self {
            messages: Recipients::everyone(),
            spawn: Spawn::Anything,
            ..Self::default()
        }
    }

    /// True if the actor may start children of this module.
    pub fn may_spawn(&self, module: &str) -> bool {
        match &self.spawn {
            Spawn::Nothing => false,
            Spawn::Modules(names) => names.contains(module),
            Spawn::Anything => true,
        }
    }

    /// True if something outside of the node can be changed with these: a file, or whatever hears at the other end of a
    /// socket.
    pub fn change_the_host(&self) -> bool {
        let writes = |directory: &Directory| matches!(directory.access, Access::ReadWrite);
        self.directories.iter().any(writes) || !self.tcp.is_empty() || !self.udp.is_empty()
    }

    /// True if the actor may look up this name.
    pub fn may_look_up(&self, name: &str) -> bool {
        let ends = self.tcp.iter().chain(&self.udp).map(|endpoint| &endpoint.host);
        ends.chain(&self.dns).any(|host| host.matches_name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_granted_by_default() {
        let nothing = Grants::default();
        assert!(!nothing.may_spawn("counter"));
        assert!(!nothing.may_look_up("localhost"));
        assert!(!nothing.messages.are_everyone());
    }

    #[test]
    fn what_may_be_connected_to_may_be_looked_up() {
        let grants = Grants {
            tcp: vec!["db.internal:5432".parse().unwrap(), "10.0.0.0/8:443".parse().unwrap()],
            udp: vec!["*.pool.example:123".parse().unwrap()],
            dns: vec!["example.org".parse().unwrap()],
            ..Grants::default()
        };
        for name in ["db.internal", "DB.internal.", "0.pool.example", "example.org"] {
            assert!(grants.may_look_up(name), "{name}");
        }
        for name in ["internal", "10.0.0.1", "pool.example", "www.example.org", ""] {
            assert!(!grants.may_look_up(name), "{name}");
        }
    }

    #[test]
    fn modules_are_granted_one_by_one_or_all() {
        let some = Grants {
            spawn: Spawn::Modules(["worker".to_owned()].into()),
            ..Grants::default()
        };
        assert!(some.may_spawn("worker") && !some.may_spawn("other"));
        assert!(Grants::of_actors().may_spawn("other"));
    }
}
