//! `[node.limits]`: what other nodes may take of this one.

use super::problem::Problems;
use super::section::{Keys, Section};
use super::size;
use crate::node::PeerLimits;

pub(super) const KEYS: Keys = Keys {
    known: &["peer_bytes", "all_peers_bytes"],
    explained: &[],
};

/// The smallest limit: room for some tens of actors in groups.
const LEAST: u64 = 1 << 20;

/// The largest limit: a tebibyte.
const LARGEST: u64 = 1 << 40;

/// Reads the table; what it leaves out is as by default.
pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> PeerLimits {
    let mut size = |key, default| {
        let bytes = section.size(key, LEAST..=LARGEST, problems);
        bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(default)
    };
    let default = PeerLimits::default();
    let limits = PeerLimits::new(
        size("peer_bytes", default.peer_bytes),
        size("all_peers_bytes", default.all_peers_bytes),
    );
    if limits.peer_bytes > limits.all_peers_bytes {
        let at = section.value("all_peers_bytes").or(section.value("peer_bytes"));
        let (one, all) = (limits.peer_bytes as u64, limits.all_peers_bytes as u64);
        problems.error(
            at.map_or(section.span.clone(), |value| value.span()),
            format!(
                "one peer may take {}, and all of them together only {}",
                size::spoken(one),
                size::spoken(all)
            ),
            format!("write for example `all_peers_bytes = \"{}\"`", size::spoken(one)),
        );
    }
    limits
}
