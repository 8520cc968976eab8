//! Which of several connections between the same two nodes survives. Both ends must reach the same verdict.

use std::num::NonZeroU64;

use super::Role;

/// One connection to a peer, as the node sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate<Id> {
    /// How the node tells its sessions apart.
    pub(crate) id: Id,
    /// This node's end of it.
    pub(crate) role: Role,
    /// The initiator's nonce; none from a peer that knows none.
    pub(crate) connection_id: Option<NonZeroU64>,
    /// It was opened for entities alone.
    pub(crate) is_for_entities: bool,
}

/// The survivors among `candidates`, all of them connections between `this` node and `peer`.
///
/// One that tells of everything takes the place of those for entities alone: both ends know which these are. With connections in both
/// directions, those opened by the node whose full name sorts last stay. Of these the smallest nonce stays. Where that leaves several, only
/// the accepting end decides (the lowest id stays): its verdict reaches the initiator as a closed connection, whereas two ends deciding for
/// themselves could each drop the other's choice.
pub(crate) fn elect<Id: Copy + Ord>(this: &str, peer: &str, mut candidates: Vec<Candidate<Id>>) -> Vec<Id> {
    if candidates.iter().any(|candidate| !candidate.is_for_entities) {
        candidates.retain(|candidate| !candidate.is_for_entities);
    }
    // Of the rest, the direction comes first: both ends always know it, while a stock peer has no nonces.
    let has = |role| candidates.iter().any(|candidate| candidate.role == role);
    // A node that is connected to itself has both ends of each connection, and its name doesn't tell them apart.
    if has(Role::Initiator) && has(Role::Acceptor) && this != peer {
        let winner = if this > peer { Role::Initiator } else { Role::Acceptor };
        candidates.retain(|candidate| candidate.role == winner);
    }
    // Both ends know the nonces, since the initiator sends its own with its name, so both find the same smallest one.
    if let Some(smallest) = candidates.iter().filter_map(|candidate| candidate.connection_id).min() {
        candidates.retain(|candidate| candidate.connection_id == Some(smallest));
    }
    if candidates.iter().all(|candidate| candidate.role == Role::Acceptor) {
        let first = candidates.iter().map(|candidate| candidate.id).min();
        candidates.retain(|candidate| Some(candidate.id) == first);
    }
    candidates.into_iter().map(|candidate| candidate.id).collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::{Candidate, Role, elect};

    fn check(this: &str, peer: &str, candidates: &[(u32, Role, u64)], survivors: &[u32]) {
        let candidates = candidates
            .iter()
            .map(|&(id, role, nonce)| Candidate {
                id,
                role,
                connection_id: NonZeroU64::new(nonce),
                is_for_entities: false,
            })
            .collect();
        assert_eq!(elect(this, peer, candidates), survivors, "{this} and {peer}");
    }

    #[test]
    fn one_connection_survives_whatever_it_is() {
        check("a@h", "b@h", &[(1, Role::Initiator, 0)], &[1]);
        check("a@h", "b@h", &[(1, Role::Acceptor, 9)], &[1]);
        check("a@h", "b@h", &[], &[]);
    }

    #[test]
    fn of_two_directions_the_one_opened_by_the_last_name_survives_at_both_ends() {
        // Connection 1 was opened by a, connection 2 by b.
        check("a@h", "b@h", &[(1, Role::Initiator, 5), (2, Role::Acceptor, 9)], &[2]);
        check("b@h", "a@h", &[(1, Role::Acceptor, 5), (2, Role::Initiator, 9)], &[2]);
    }

    #[test]
    fn of_one_direction_the_smallest_nonce_survives_at_both_ends() {
        check("a@h", "b@h", &[(1, Role::Initiator, 7), (2, Role::Initiator, 3)], &[2]);
        check("b@h", "a@h", &[(8, Role::Acceptor, 7), (9, Role::Acceptor, 3)], &[9]);
    }

    #[test]
    fn a_tie_is_broken_by_the_accepting_end_alone() {
        check(
            "a@h",
            "b@h",
            &[(1, Role::Initiator, 0), (2, Role::Initiator, 0)],
            &[1, 2],
        );
        check("b@h", "a@h", &[(1, Role::Acceptor, 0), (2, Role::Acceptor, 0)], &[1]);
        check("b@h", "a@h", &[(1, Role::Acceptor, 4), (2, Role::Acceptor, 4)], &[1]);
    }

    #[test]
    fn one_that_tells_of_everything_survives_those_for_entities_alone() {
        let of = |id, role, nonce, is_for_entities| Candidate {
            id,
            role,
            connection_id: NonZeroU64::new(nonce),
            is_for_entities,
        };
        // What would win otherwise, by its direction and its nonce.
        let at_beta = vec![of(1, Role::Initiator, 1, true), of(2, Role::Acceptor, 5, false)];
        assert_eq!(elect("b@h", "a@h", at_beta), [2]);
        let at_alpha = vec![of(1, Role::Acceptor, 1, true), of(2, Role::Initiator, 5, false)];
        assert_eq!(elect("a@h", "b@h", at_alpha), [2]);
        let both = vec![of(1, Role::Initiator, 7, true), of(2, Role::Acceptor, 5, true)];
        assert_eq!(elect("b@h", "a@h", both), [1], "among themselves as any others");
    }

    #[test]
    fn a_nonce_beats_none() {
        check("b@h", "a@h", &[(1, Role::Acceptor, 0), (2, Role::Acceptor, 4)], &[2]);
    }
}
