//! What of a node is nothing for its guests: the files that a configuration names and those that the node makes for itself, and its
//! secrets in variables.

use std::path::Path;

use super::engine;
use super::state_dir;
use crate::config::{ActorSection, EntryPart, LateProblems, NodeConfig};
use crate::control::Role;
use crate::guest::{Guarded, Own};

/// Where the system says what processes do, on those systems that have it.
const PROCESSES: &str = "/proc";

/// The node's own files, as they are now.
pub(super) fn guarded(config: &NodeConfig) -> Guarded {
    let mut guarded = Guarded::default();
    let mut add = |own, path: Option<&Path>| {
        if let Some(path) = path {
            guarded.add(own, path);
        }
    };
    add(Own::Cookie, config.node.cookie_place.file());
    let control = config.control.as_ref();
    for entry in control.iter().flat_map(|section| &section.keys) {
        add(Own::ControlKey, entry.place.file());
    }
    let tokens = config.admin.iter().flat_map(|section| &section.tokens);
    for entry in tokens {
        add(Own::AdminToken, entry.place.file());
    }
    add(
        Own::StoreUrl,
        config.cluster.as_ref().and_then(|section| section.place.file()),
    );
    let runtime = &config.runtime;
    add(Own::CacheKey, engine::cache_key(runtime).as_deref());
    add(Own::Cache, engine::cache_dir(runtime).as_deref());
    add(Own::States, state_dir::folder_in_use(config).as_deref());
    let admin_tls = config.admin.iter().filter_map(|section| section.tls.as_ref());
    let of_admin = admin_tls.map(|tls| &tls.section);
    for section in config.node.tls.iter().chain(of_admin) {
        let files = section.tls.files();
        add(
            Own::PrivateKey,
            files.identity.as_ref().map(|files| files.key.as_path()),
        );
        add(
            Own::Certificates,
            files.identity.as_ref().map(|files| files.cert.as_path()),
        );
        add(Own::Certificates, files.ca.as_deref());
    }
    add(Own::Certificates, runtime.http_roots_file.as_deref());
    add(Own::Configuration, Some(&config.file));
    for file in &config.included {
        add(Own::Configuration, Some(file));
    }
    for module in &config.modules {
        add(Own::Module, Some(&module.path));
        // What runs it is the component, but what runs is this.
        add(Own::Module, module.source.as_ref().map(|source| source.path.as_path()));
    }
    for source in config.builds.iter().flat_map(|build| &build.sources) {
        add(Own::Sources, Some(source));
    }
    // A guest that may write to the program would be the node after the next start.
    add(Own::Program, std::env::current_exe().ok().as_deref());
    let processes = Path::new(PROCESSES);
    add(Own::Processes, Some(processes).filter(|path| path.exists()));
    guarded
}

/// Complains about what an entry gives its guests that is the node's own.
pub(super) fn check(section: &ActorSection, guarded: &Guarded, config: &NodeConfig, problems: &mut LateProblems<'_>) {
    for (index, directory) in section.grants.directories.iter().enumerate() {
        if let Err(conflict) = guarded.check(directory) {
            let message = format!("actor `{}`: {conflict}", section.name);
            let help = "grant a directory of the actor's own, or keep what is the node's elsewhere";
            problems.of_grant(&section.name, index, message, help);
        }
    }
    let secrets = Secrets { config };
    for (name, value) in section.grants.environment.iter() {
        if let Some(secret) = secrets.named(name).or_else(|| secrets.within(value.as_bytes())) {
            let message = format!("actor `{}`: the variable `{name}` has {secret}", section.name);
            let part = EntryPart::Variable(name);
            problems.of_secret(&section.name, part, message);
        }
    }
    let of_config = section.config.iter().find_map(|(key, value)| {
        let secret = secrets.within(value.as_bytes())?;
        Some(format!(
            "actor `{}`: `{key}` of its `config` has {secret}",
            section.name
        ))
    });
    let of_arguments = || {
        let secret = secrets.within(&section.arguments)?;
        Some(format!("actor `{}`: its `arguments` have {secret}", section.name))
    };
    if let Some(message) = of_config {
        problems.of_secret(&section.name, EntryPart::Name, message);
    }
    if let Some(message) = of_arguments() {
        problems.of_secret(&section.name, EntryPart::Arguments, message);
    }
}

/// The secrets of a node.
struct Secrets<'c> {
    config: &'c NodeConfig,
}

impl Secrets<'_> {
    /// The secret that a variable of the environment has.
    fn named(&self, variable: &str) -> Option<&'static str> {
        if self.config.node.cookie_place.variable() == Some(variable) {
            return Some("the cookie");
        }
        let mut keys = self.config.control.iter().flat_map(|section| &section.keys);
        if let Some(entry) = keys.find(|entry| entry.place.variable() == Some(variable)) {
            return Some(named(entry.role));
        }
        let mut tokens = self.config.admin.iter().flat_map(|section| &section.tokens);
        if tokens.any(|entry| entry.place.variable() == Some(variable)) {
            return Some(A_TOKEN);
        }
        let cluster = self.config.cluster.as_ref();
        let is_store = cluster.is_some_and(|section| section.place.variable() == Some(variable));
        is_store.then_some(THE_STORE)
    }

    /// The secret that is in these bytes, by whatever way it came there.
    fn within(&self, bytes: &[u8]) -> Option<&'static str> {
        if appears(self.config.node.cookie.expose().as_bytes(), bytes) {
            return Some("the cookie");
        }
        let mut keys = self.config.control.iter().flat_map(|section| &section.keys);
        if let Some(entry) = keys.find(|entry| appears(entry.key.expose(), bytes)) {
            return Some(named(entry.role));
        }
        let mut tokens = self.config.admin.iter().flat_map(|section| &section.tokens);
        if tokens.any(|entry| appears(entry.token.expose(), bytes)) {
            return Some(A_TOKEN);
        }
        let cluster = self.config.cluster.as_ref();
        let is_store = cluster.is_some_and(|section| appears(section.url.expose().as_bytes(), bytes));
        is_store.then_some(THE_STORE)
    }
}

/// A token of any role, in words.
const A_TOKEN: &str = "a token of the admin HTTP";

/// The address of the store and how it is opened, in words.
const THE_STORE: &str = "the URL of the store of [cluster]";

/// The key of a role, in words.
fn named(role: Role) -> &'static str {
    match role {
        Role::Observe => "the key to observe",
        Role::Operate => "the key to operate",
        Role::Deploy => "the deploy key",
    }
}

/// True if this secret is all or a part of these bytes. A short one may be a part of anything.
fn appears(secret: &[u8], bytes: &[u8]) -> bool {
    const LONG: usize = 8;
    let is_part = || bytes.windows(secret.len()).any(|part| part == secret);
    bytes == secret || (secret.len() >= LONG && is_part())
}

#[cfg(test)]
mod tests {
    use super::appears;

    #[test]
    fn a_secret_is_found_within_others_unless_it_could_be_anything() {
        let secret = b"0f1e2d3c";
        for (bytes, expected) in [
            (&b"0f1e2d3c"[..], true),
            (b"user:0f1e2d3c@host", true),
            (b"0f1e2d3", false),
            (b"", false),
        ] {
            assert_eq!(appears(secret, bytes), expected);
        }
        assert!(appears(b"abc", b"abc") && !appears(b"abc", b"abcd"));
    }
}
