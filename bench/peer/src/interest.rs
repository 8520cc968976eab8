//! Nodes that say which groups they want to know of.

use ractor_cluster::NodeServer;

/// A node that wants to know of these groups alone; of all if there are none.
#[cfg(feature = "groups")]
pub(crate) fn wanting(server: NodeServer, groups: &[String]) -> anyhow::Result<NodeServer> {
    use ractor_cluster::node::{GroupInterest, GroupPattern};

    if groups.is_empty() {
        return Ok(server);
    }
    let patterns = groups.iter().map(|group| match group.strip_suffix("=one") {
        Some(pattern) => GroupPattern::one_per_node(pattern),
        None => GroupPattern::every(group),
    });
    Ok(server.with_groups(GroupInterest::new(patterns)?))
}

/// The same with the published crate, which knows no such wishes.
#[cfg(not(feature = "groups"))]
pub(crate) fn wanting(server: NodeServer, groups: &[String]) -> anyhow::Result<NodeServer> {
    anyhow::ensure!(
        groups.is_empty(),
        "nodes of the published crate are told of every group"
    );
    Ok(server)
}
