//! The node that this actor lives on.

use crate::guest::bindings::ractor::actor::identity;

/// The full name of the node, `name@hostname`.
pub fn name() -> String {
    identity::node_name()
}
