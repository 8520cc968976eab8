//! What an actor was given: by node.toml, or by the actor that spawned it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::grants::{Grants, Guarded};
use super::http_trust::HttpTrust;
use super::limits::Limits;
use super::reserved_names::ReservedNames;

/// What an actor may do and may take. Shared by all actors of one entry of node.toml, and by their children. `Debug` doesn't show the
/// values of its configuration, which may be secret.
#[derive(Clone, Default)]
pub struct Profile {
    /// The full name of the node, `name@hostname`.
    pub node_name: Arc<str>,
    /// What the actor may take of the host.
    pub limits: Arc<Limits>,
    /// What the actor may reach.
    pub grants: Arc<Grants>,
    /// What node.toml says to the actor.
    pub config: Arc<BTreeMap<String, String>>,
    /// The node's own files, which are in no directory that it may reach.
    pub guarded: Arc<Guarded>,
    /// Names that its children can't have.
    pub reserved_names: Arc<ReservedNames>,
    /// Whether a reload may give the actor a fresh state where its code can't hand the old one over.
    pub reload_by_restart: bool,
    /// Whom its HTTPS requests trust.
    pub http_trust: HttpTrust,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            node_name,
            limits,
            grants,
            config,
            guarded,
            reserved_names,
            reload_by_restart,
            http_trust,
        } = self;
        f.debug_struct("Profile")
            .field("node_name", node_name)
            .field("limits", limits)
            .field("grants", grants)
            .field("config", &config.keys())
            .field("guarded", guarded)
            .field("reserved_names", reserved_names)
            .field("reload_by_restart", reload_by_restart)
            .field("http_trust", http_trust)
            .finish()
    }
}
