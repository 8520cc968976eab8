//! `[node.limits]`: what other nodes may take of this one.

use super::node_limit::{DefaultLimit, NodeLimit};
use super::problem::Problems;
use super::section::{Keys, Section};
use super::size;
use crate::node::PeerLimits;

pub(super) const KEYS: Keys = Keys {
    known: &[PEER_BYTES.key, ALL_PEERS_BYTES.key],
    explained: &[],
};

/// From room for some tens of actors in groups to a tebibyte.
const RANGE: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 40;

pub(super) const PEER_BYTES: NodeLimit<u64> = NodeLimit {
    key: "peer_bytes",
    range: RANGE,
    default: DefaultLimit::Is(|| PeerLimits::default().peer_bytes as u64),
    what: "The memory that the actors and groups of one other node take: by default some 20 000 actors in groups, or a million in none.",
    beyond: "further actors and members of groups are left out: this node does not know them until there is a new session with room for \
             them",
};

pub(super) const ALL_PEERS_BYTES: NodeLimit<u64> = NodeLimit {
    key: "all_peers_bytes",
    range: RANGE,
    default: DefaultLimit::Is(|| PeerLimits::default().all_peers_bytes as u64),
    what: "The memory that those of all other nodes take together. Not less than `peer_bytes`.",
    beyond: "the same happens, whichever node they are of",
};

/// Reads the table; what it leaves out is as by default.
pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> PeerLimits {
    let mut size = |bound: &NodeLimit<u64>, default| {
        let bytes = bound.read(section, problems);
        bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(default)
    };
    let default = PeerLimits::default();
    let limits = PeerLimits::new(
        size(&PEER_BYTES, default.peer_bytes),
        size(&ALL_PEERS_BYTES, default.all_peers_bytes),
    );
    if limits.peer_bytes > limits.all_peers_bytes {
        let at = section.value(ALL_PEERS_BYTES.key).or(section.value(PEER_BYTES.key));
        let (one, all) = (limits.peer_bytes as u64, limits.all_peers_bytes as u64);
        problems.error(
            at.map_or(section.span.clone(), |value| value.span()),
            format!(
                "one peer may take {}, and all of them together only {}",
                size::written(one),
                size::written(all)
            ),
            format!("write for example `all_peers_bytes = \"{}\"`", size::written(one)),
        );
    }
    limits
}
