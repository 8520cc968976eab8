//! The process groups that this process sees, of all nodes.

use std::collections::BTreeMap;

use ractor::pg;

use crate::control::{GroupRow, MembersElsewhere};
use crate::directory;

/// All of them, by scope and name. A node whose session has just ended is left out.
pub(super) fn all() -> Vec<GroupRow> {
    let mut groups = pg::which_scopes_and_groups();
    groups.sort_by_key(|key| (key.get_scope(), key.get_group()));
    groups
        .into_iter()
        .map(|key| {
            let (scope, group) = (key.get_scope(), key.get_group());
            let (mut here, mut elsewhere) = (0, BTreeMap::new());
            for member in pg::get_scoped_members(&scope, &group) {
                match directory::node_of(member.get_id()) {
                    _ if directory::is_ours(member.get_id()) => here += 1,
                    Some(node) => *elsewhere.entry(node.name).or_default() += 1,
                    None => {}
                }
            }
            let elsewhere = elsewhere
                .into_iter()
                .map(|(node, members)| MembersElsewhere { node, members })
                .collect();
            GroupRow {
                scope,
                group,
                here,
                elsewhere,
            }
        })
        .collect()
}
