//! A pid as guests see it, and ractor's id of the same actor.

use ractor::ActorId;

use crate::component::bindings::types::Pid;
use crate::directory::{self, FIRST_HOSTED_PID, SANDBOX_NODE_ID};

/// The actor's pid as a guest sees it: node 0 is this process, whatever kind of actor it is.
pub(crate) fn of(id: ActorId) -> Pid {
    Pid {
        node: if directory::is_ours(id) { 0 } else { id.node() },
        id: id.pid(),
    }
}

/// The inverse of [`of`]; none for what can't be a pid.
pub(super) fn to_id(pid: Pid) -> Option<ActorId> {
    match pid.node {
        0 if pid.id >= FIRST_HOSTED_PID => Some(ActorId::Remote {
            node_id: SANDBOX_NODE_ID,
            pid: pid.id,
        }),
        0 => Some(ActorId::Local(pid.id)),
        // A second way to write the pid of a guest would make two pids of one actor.
        node if node >= SANDBOX_NODE_ID => None,
        node_id => Some(ActorId::Remote { node_id, pid: pid.id }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_round_trip_and_hides_the_sandbox() {
        let cases = [
            (ActorId::Local(0), 0),
            (ActorId::Local(7), 0),
            (directory::reserve_hosted_id(), 0),
            (ActorId::Remote { node_id: 3, pid: 7 }, 3),
        ];
        for (id, node) in cases {
            assert_eq!(of(id).node, node);
            assert_eq!(to_id(of(id)), Some(id));
        }
    }

    #[test]
    fn has_one_pid_per_actor() {
        let alias = Pid {
            node: SANDBOX_NODE_ID,
            id: FIRST_HOSTED_PID,
        };
        assert_eq!(to_id(alias), None);
    }
}
