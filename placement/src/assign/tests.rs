//! What moves and what stays.

use std::num::NonZeroU64;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::mutation::break_one;

const TYPE: TypeId = TypeId(3);

fn node(number: u64) -> Candidate {
    Candidate::new(Incarnation(NonZeroU64::new(number).unwrap()), &format!("n{number}"), 1)
}

fn loads(candidates: &[Candidate], owners: &[Option<Incarnation>]) -> Vec<usize> {
    let load = |one: &Candidate| owners.iter().filter(|owner| **owner == Some(one.incarnation)).count();
    candidates.iter().map(load).collect()
}

fn moved(before: &[Option<Incarnation>], after: &[Option<Incarnation>]) -> usize {
    before
        .iter()
        .zip(after)
        .filter(|(before, after)| before != after)
        .count()
}

/// Applies the plan until nothing moves any more, and counts the moves.
fn settle(candidates: &[Candidate], owners: &mut Vec<Option<Incarnation>>) -> usize {
    let mut moves = 0;
    for _ in 0..100 {
        let plan = assign(TYPE, candidates, owners.iter().copied());
        let now = moved(owners, &plan);
        *owners = plan;
        if now == 0 {
            return moves;
        }
        moves += now;
    }
    panic!("it never comes to rest");
}

#[test]
fn without_candidates_nobody_owns_anything() {
    assert_eq!(assign(TYPE, &[], vec![None; 3]), vec![None; 3]);
}

#[test]
fn free_shards_are_spread_within_bounds() {
    for (count, shards) in [(1_u64, 16), (3, 64), (7, 1_024), (100, 4_096), (250, 4_096)] {
        let nodes: Vec<_> = (1..=count).map(node).collect();
        let owners = assign(TYPE, &nodes, vec![None; shards]);
        let fair = shards as f64 / count as f64;
        for load in loads(&nodes, &owners) {
            assert!(
                load as f64 >= (fair / 1.25).floor() && load as f64 <= (fair * 1.25).ceil(),
                "{load} of {fair}"
            );
        }
    }
}

#[test]
fn a_share_follows_the_weight() {
    let nodes = [(1, 1), (2, 2), (3, 5)].map(|(number, weight)| Candidate { weight, ..node(number) });
    let loads = loads(&nodes, &assign(TYPE, &nodes, vec![None; 1_024]));
    for (load, share) in loads.iter().zip([128.0, 256.0, 640.0]) {
        assert!(
            (*load as f64) >= share / 1.26 && (*load as f64) <= share * 1.26,
            "{loads:?}"
        );
    }
}

#[test]
fn a_shard_stays_with_its_owner_whatever_the_hash_prefers() {
    let nodes = [node(1), node(2)];
    let owners: Vec<_> = (0..64).map(|shard| Some(nodes[shard % 2].incarnation)).collect();
    assert_eq!(assign(TYPE, &nodes, owners.clone()), owners);
}

#[test]
fn an_owner_that_may_not_keep_a_shard_loses_it() {
    let nodes = [node(1), node(2)];
    let owners = assign(TYPE, &nodes[..1], vec![Some(nodes[1].incarnation); 8]);
    assert_eq!(owners, vec![Some(nodes[0].incarnation); 8]);
}

#[test]
fn a_plan_without_regard_to_owners_moves_too_much() {
    let nodes: Vec<_> = (1..=20).map(node).collect();
    // A history, so that the owners aren't those of a fresh start.
    let mut owners = assign(TYPE, &nodes[..10], vec![None; 640]);
    settle(&nodes, &mut owners);
    break_one(Some(Mutation::NothingStays));
    let after = assign(TYPE, &nodes[1..], owners.iter().copied());
    break_one(None);
    let moves = moved(&owners, &after);
    assert!(moves > 2 * 640 / 20, "the property below would not notice: {moves}");
}

/// What half of the cluster has done already changes nothing for the rest of it.
#[test]
fn a_plan_that_is_carried_out_in_part_stays_the_plan() {
    let old: Vec<_> = (1..=4).map(node).collect();
    let before = assign(TYPE, &old, vec![None; 256]);
    let grown: Vec<_> = (1..=5).map(node).collect();
    let plan = assign(TYPE, &grown, before.clone());
    for part in [2, 3, 5] {
        let step = before.iter().zip(&plan).enumerate();
        let half: Vec<_> = step
            .map(|(at, (from, to))| if at % part == 0 { *to } else { *from })
            .collect();
        let rest = assign(TYPE, &grown, half.clone());
        let direct = moved(&half, &plan);
        assert!(moved(&half, &rest) <= direct, "more moves than before");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// I8. From any history of joins and leaves, each of them moves at most twice a node's share.
    #[test]
    fn a_join_or_leave_moves_at_most_two_shares(
        start in 2_u64..40, shards_of_one in 16_usize..40, steps in prop::collection::vec((any::<bool>(), any::<u64>()), 1..60)
    ) {
        let mut nodes: Vec<_> = (1..=start).map(node).collect();
        let mut next = start + 1;
        let shards = shards_of_one * 100;
        let mut owners = vec![None; shards];
        settle(&nodes, &mut owners);
        for (join, which) in steps {
            // The share of a node before a leave, and after a join.
            let share = if join || nodes.len() < 2 {
                nodes.push(node(next));
                next += 1;
                shards / (nodes.len() - 1)
            } else {
                let gone = nodes.swap_remove((which % nodes.len() as u64) as usize);
                prop_assert!(owners.contains(&Some(gone.incarnation)), "a node with nothing");
                shards / (nodes.len() + 1)
            };
            let moves = settle(&nodes, &mut owners);
            prop_assert!(moves <= 2 * share, "{moves} moves, a share is {share}, {} nodes", nodes.len());
            let loads = loads(&nodes, &owners);
            let fair = shards / nodes.len();
            let most = *loads.iter().max().unwrap();
            prop_assert!(most <= fair * 3 / 2 + 2, "{most} shards, a share is {fair}");
            let least = *loads.iter().min().unwrap();
            prop_assert!(least >= fair / 2, "{least} shards, a share is {fair}");
        }
    }
}

/// What it costs at the size that the design is for; printed, and bounded loosely, because machines differ.
#[test]
fn a_thousand_nodes_are_assigned_in_a_moment() {
    let nodes: Vec<_> = (1..=1_000).map(node).collect();
    let start = Instant::now();
    let mut all = Vec::new();
    for type_id in 0..20 {
        all.push(assign(TypeId(type_id), &nodes, vec![None; 1_024]));
    }
    let first = start.elapsed();
    let start = Instant::now();
    for type_id in 0..20 {
        all[usize::from(type_id)] = assign(TypeId(type_id), &nodes[1..], all[usize::from(type_id)].iter().copied());
    }
    let leave = start.elapsed();
    println!("1 000 nodes, 20 types, 1 024 shards: all free {first:?}, one node gone {leave:?}");
    assert!(leave.as_millis() < 1_000, "{leave:?}");
}
