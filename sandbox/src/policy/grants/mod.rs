//! What an actor may reach beyond itself. Nothing, unless it is granted.
//!
//! One field a capability, and a row of [`Capability`] with its key in `[actors.capabilities]` of node.toml and its words. What every actor has without
//! a grant: clocks, randomness, log lines, its configuration, its own place in the registry and in groups, and messages to
//! itself, its supervisor and its children.

mod directory;
mod endpoint;
mod guarded;
mod http_origin;
mod interfaces;
mod mistaken;
mod recipients;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

pub use directory::{Access, Directory, InvalidDirectory};
pub use endpoint::{Endpoint, HostPattern, InvalidEndpoint};
pub use guarded::{Conflict, Guarded, Own};
pub use http_origin::{HttpOrigin, HttpScheme, InvalidHttpOrigin};
pub use interfaces::InterfaceConfig;
pub use mistaken::{Instead, Mistaken, mistaken};
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
    /// Where it may send HTTP requests to. None: a component that imports `wasi:http` is not even started.
    pub http: Option<Vec<HttpOrigin>>,
    /// The interfaces that its program adds and it may import, by key.
    pub interfaces: BTreeMap<String, InterfaceConfig>,
}

/// The rows of [`Capability`]: the key of each in node.toml, which is the field of [`Grants`] too, and what an actor with it may do,
/// to follow "may". What comes behind that is what was granted.
macro_rules! capabilities {
    ($($(#[doc = $doc:literal])+ $name:ident $key:ident may $verb:literal;)*) => {
        /// What can be granted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Capability {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Capability {
            /// All of them.
            pub const ALL: [Self; [$(stringify!($key)),*].len()] = [$(Self::$name),*];

            /// The keys of all of them in `[actors.capabilities]`.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];

            /// Its key in `[actors.capabilities]`.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($key),)*
                }
            }

            const fn verb(self) -> &'static str {
                match self {
                    $(Self::$name => $verb,)*
                }
            }
        }
    };
}

capabilities! {
    /// See [`Grants::messages`].
    Messages messages may "send to";
    /// See [`Grants::spawn`].
    Spawn spawn may "start children of";
    /// See [`Grants::directories`]. What may be done with one is its [`Access`].
    Directories directories may "use";
    /// See [`Grants::environment`].
    Environment environment may "see the variables";
    /// See [`Grants::tcp`].
    Tcp tcp may "connect over TCP to";
    /// See [`Grants::udp`].
    Udp udp may "exchange datagrams with";
    /// See [`Grants::dns`].
    Dns dns may "look up";
    /// See [`Grants::http`].
    Http http may "send HTTP requests to";
}

/// Something that an actor may do, in words: "may" and the verb, then the objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// What it may do.
    pub verb: &'static str,
    /// With whom or with what. Never empty.
    pub objects: Vec<String>,
}

/// The beginning of the names of imports that take a grant of `http`.
const HTTP: &str = "wasi:http/";

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

    /// All that is granted, in words.
    pub fn in_words(&self) -> Vec<Granted> {
        fn texts<T: ToString>(granted: impl IntoIterator<Item = T>) -> Vec<String> {
            granted.into_iter().map(|each| each.to_string()).collect()
        }
        let mut all = Vec::new();
        for capability in Capability::ALL {
            let objects = match capability {
                Capability::Messages => texts(self.messages.iter()),
                Capability::Spawn => match &self.spawn {
                    Spawn::Nothing => Vec::new(),
                    Spawn::Modules(modules) => texts(modules),
                    Spawn::Anything => vec!["every module".to_owned()],
                },
                Capability::Directories => {
                    all.extend(self.directories.iter().map(|directory| Granted {
                        verb: directory.access.name(),
                        objects: vec![format!(
                            "{}, which it finds at {}",
                            directory.host.display(),
                            directory.guest
                        )],
                    }));
                    continue;
                }
                Capability::Environment => texts(self.environment.names()),
                Capability::Tcp => texts(&self.tcp),
                Capability::Udp => texts(&self.udp),
                Capability::Dns => texts(&self.dns),
                Capability::Http => texts(self.http.iter().flatten()),
            };
            if !objects.is_empty() {
                let verb = capability.verb();
                all.push(Granted { verb, objects });
            }
        }
        if !self.interfaces.is_empty() {
            all.push(Granted {
                verb: "use the interfaces",
                objects: texts(self.interfaces.keys()),
            });
        }
        all
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
    /// socket or gets an HTTP request.
    pub fn change_the_host(&self) -> bool {
        let writes = |directory: &Directory| matches!(directory.access, Access::ReadWrite);
        self.directories.iter().any(writes) || !self.tcp.is_empty() || !self.udp.is_empty() || self.sends_requests()
    }

    fn sends_requests(&self) -> bool {
        self.http.as_ref().is_some_and(|origins| !origins.is_empty())
    }

    /// Checks that none of these imports is one that the actor would have to be granted and isn't.
    ///
    /// # Errors
    /// The import, and what to write into node.toml.
    pub(crate) fn admit<'i>(&self, mut imports: impl Iterator<Item = &'i str>) -> Result<(), NotGranted> {
        // Of what WASI has, HTTP alone refuses a component: the rest is imported by languages for every program.
        let http = imports.find(|import| import.starts_with(HTTP));
        match http {
            Some(import) if self.http.is_none() => Err(NotGranted {
                import: import.to_owned(),
                add: "under [actors.capabilities]: http = [\"https://HOST\"], or http = [] if it needs none".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Checks that the actor may import this, which is of the interface that its program adds under this key.
    ///
    /// # Errors
    /// The import, and what to write into node.toml.
    pub(crate) fn admit_interface(&self, key: &str, import: &str) -> Result<&InterfaceConfig, NotGranted> {
        self.interfaces.get(key).ok_or_else(|| NotGranted {
            import: import.to_owned(),
            add: format!("a section [actors.interfaces.{key}], which grants it"),
        })
    }

    /// True if the actor may look up this name.
    pub fn may_look_up(&self, name: &str) -> bool {
        // Whoever may connect to a name has to find its addresses first.
        let ends = self.tcp.iter().chain(&self.udp).map(|endpoint| &endpoint.host);
        ends.chain(&self.dns).any(|host| host.matches_name(name))
    }
}

/// A component imports what the actor would have to be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it imports `{import}`; add {add}")]
pub struct NotGranted {
    /// The name of the import.
    pub import: String,
    /// What to write into node.toml, and where.
    pub add: String,
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
    fn an_interface_that_the_program_adds_is_said_to_be_granted() {
        let mut grants = Grants::default();
        grants
            .interfaces
            .insert("key-value".to_owned(), InterfaceConfig::new("a secret"));
        let all = grants.in_words();
        assert!(
            matches!(&*all, [Granted { verb: "use the interfaces", objects }] if *objects == ["key-value"]),
            "{all:?}"
        );
        assert!(!format!("{grants:?}").contains("secret"));
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
    fn requests_take_a_grant_or_the_word_that_there_is_none() {
        let with = |http| Grants {
            http,
            ..Grants::default()
        };
        let imports = || ["wasi:io/streams@0.2.12", "wasi:http/types@0.2.12"].into_iter();
        let refused = with(None).admit(imports()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "it imports `wasi:http/types@0.2.12`; add under [actors.capabilities]: http = [\"https://HOST\"], or http = [] \
             if it needs none"
        );
        assert_eq!(with(Some(Vec::new())).admit(imports()), Ok(()));
        assert_eq!(with(None).admit(imports().take(1)), Ok(()));
        assert!(!with(Some(Vec::new())).change_the_host());
        assert!(with(Some(vec!["https://a".parse().unwrap()])).change_the_host());
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
