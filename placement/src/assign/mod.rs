//! Which node should own which shard: a pure function of the live nodes and the present owners.
//!
//! A shard stays where it is. A free one goes to the node that the rendezvous hash prefers, among those that have less than their
//! share divided by 1.25, or if there are none, among those that have less than 1.25 times their share. Nodes that have much less
//! than their share, such as new ones, get shards from those that have most. Nobody gives anything away for another reason: a limit on
//! what a node may *keep* would come down for all nodes in the same moment, and move far more than one node's share.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::mutation::{Mutation, broken};
use crate::words::{Incarnation, TypeId};

#[cfg(test)]
mod tests;

/// A node that may own shards of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The node.
    pub incarnation: Incarnation,
    /// A hash of its name, so that it is preferred for the same shards after a restart.
    pub seed: u64,
    /// What its share is proportional to; not 0.
    pub weight: u32,
}

impl Candidate {
    /// A candidate by its name.
    pub fn new(incarnation: Incarnation, name: &str, weight: u32) -> Self {
        // FNV-1a: each node has to find the same order, and nobody gains anything by choosing it.
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Self {
            incarnation,
            seed: name.bytes().fold(0xcbf2_9ce4_8422_2325, fold),
            weight: weight.max(1),
        }
    }

    /// How much this node is preferred for a shard, or for anything that has a number.
    pub(crate) fn preference(&self, shard: u64) -> u64 {
        mixed(self.seed ^ shard)
    }
}

/// Spreads the bits of a number over all of it (the end of splitmix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A candidate and its bounds.
struct Bin {
    candidate: Candidate,
    load: usize,
    /// Free shards go first to those that have less than this.
    low: usize,
    /// Those that have less than this get shards from others.
    starving: usize,
    /// What nobody gives away below.
    fair: usize,
    /// A free shard goes to nobody that has this many.
    high: usize,
}

impl Bin {
    fn new(candidate: Candidate, shards: usize, weights: u64) -> Self {
        let (weight, shards) = (u64::from(candidate.weight), shards as u64);
        // In whole numbers, so that all nodes find the same.
        let low = (shards * weight * 4 / (weights * 5)) as usize;
        // Rounded down: then what some have more than this is always enough for those that have less.
        let fair = (shards * weight / weights) as usize;
        Self {
            candidate,
            load: 0,
            low,
            // Not `low` itself: that goes up by one for many nodes at once, and leaving nodes fill what is missing.
            starving: low.saturating_sub(fair / 16 + 1).max(usize::from(low > 0)),
            fair,
            high: (shards * weight * 5).div_ceil(weights * 4) as usize,
        }
    }

    /// How much of its share it has, to compare.
    fn fullness(&self) -> u64 {
        ((self.load as u64) << 20) / u64::from(self.candidate.weight)
    }
}

/// Computes who should own each shard of a type. `present` has the owner of each shard, if it has one that hasn't ended; the result has
/// the one that it should have, which is none only if there are no candidates.
pub fn assign(
    type_id: TypeId,
    candidates: &[Candidate],
    present: impl IntoIterator<Item = Option<Incarnation>>,
) -> Vec<Option<Incarnation>> {
    let mut candidates = candidates.to_vec();
    candidates.sort_by_key(|one| one.incarnation);
    candidates.dedup_by_key(|one| one.incarnation);
    let find = |owner: Incarnation| candidates.binary_search_by_key(&owner, |one| one.incarnation).ok();
    let keep = |owner: Option<Incarnation>| owner.filter(|_| !broken(Mutation::NothingStays)).and_then(find);
    let owners: Vec<Option<usize>> = present.into_iter().map(keep).collect();
    let weights = candidates.iter().map(|one| u64::from(one.weight)).sum::<u64>().max(1);
    let bins = candidates
        .iter()
        .map(|one| Bin::new(*one, owners.len(), weights))
        .collect();
    let mut plan = Plan {
        salt: u64::from(type_id.0) << 32,
        bins,
        owners,
    };
    plan.count();
    plan.place_free();
    plan.feed_starving();
    let owners = plan.owners.iter();
    owners
        .map(|owner| Some(candidates.get((*owner)?)?.incarnation))
        .collect()
}

struct Plan {
    salt: u64,
    bins: Vec<Bin>,
    owners: Vec<Option<usize>>,
}

impl Plan {
    fn count(&mut self) {
        for owner in self.owners.iter().flatten() {
            if let Some(bin) = self.bins.get_mut(*owner) {
                bin.load += 1;
            }
        }
    }

    fn shard_seed(&self, shard: usize) -> u64 {
        mixed(self.salt | shard as u64)
    }

    /// The nodes that the shard may go to, and among them the preferred one.
    fn best(&self, shard: usize, may: impl Fn(&Bin) -> bool) -> Option<usize> {
        let seed = self.shard_seed(shard);
        let bins = self.bins.iter().enumerate();
        let best = bins
            .filter(|(_, bin)| may(bin))
            .max_by_key(|(_, bin)| bin.candidate.preference(seed));
        best.map(|(index, _)| index)
    }

    fn place_free(&mut self) {
        let mut hungry = self
            .bins
            .iter()
            .map(|bin| bin.low.saturating_sub(bin.load))
            .sum::<usize>();
        for shard in 0..self.owners.len() {
            if self.owners.get(shard) != Some(&None) {
                continue;
            }
            let best = if hungry > 0 {
                hungry -= 1;
                self.best(shard, |bin| bin.load < bin.low)
            } else {
                // Together the bins hold 1.25 times all shards, unless owners have more than that and keep it.
                self.best(shard, |bin| bin.load < bin.high)
            };
            self.give(shard, best.or_else(|| self.best(shard, |_| true)));
        }
    }

    fn give(&mut self, shard: usize, to: Option<usize>) {
        let Some(owner) = self.owners.get_mut(shard) else {
            return;
        };
        let from = std::mem::replace(owner, to);
        if let Some(bin) = from.and_then(|from| self.bins.get_mut(from)) {
            bin.load -= 1;
        }
        if let Some(bin) = to.and_then(|to| self.bins.get_mut(to)) {
            bin.load += 1;
        }
    }

    /// Lets those that have far too little take from those that have most.
    fn feed_starving(&mut self) {
        let starving = self.bins.iter().enumerate().filter(|(_, bin)| bin.load < bin.starving);
        let starving: Vec<_> = starving.map(|(index, bin)| (index, bin.low - bin.load)).collect();
        if starving.is_empty() {
            return;
        }
        let donors = self.bins.iter().enumerate().filter(|(_, bin)| bin.load > bin.fair);
        let mut donors: BinaryHeap<_> = donors.map(|(index, bin)| (bin.fullness(), Reverse(index))).collect();
        for (taker, missing) in starving {
            let mut gifts = vec![0_usize; self.bins.len()];
            for _ in 0..missing {
                let Some((_, Reverse(donor))) = donors.pop() else {
                    break;
                };
                let (Some(bin), Some(gift)) = (self.bins.get_mut(donor), gifts.get_mut(donor)) else {
                    break;
                };
                *gift += 1;
                // Counted now for the order of donors; the shards follow below.
                bin.load -= 1;
                if bin.load > bin.fair {
                    donors.push((bin.fullness(), Reverse(donor)));
                }
            }
            self.hand_over(taker, &mut gifts);
        }
    }

    /// Gives `taker` from each donor that many shards: those for which the taker is preferred most.
    fn hand_over(&mut self, taker: usize, gifts: &mut [usize]) {
        let Some(candidate) = self.bins.get(taker).map(|bin| bin.candidate) else {
            return;
        };
        let owned = self.owners.iter().enumerate();
        let gives = |(shard, owner): (usize, &Option<usize>)| {
            let owner = (*owner)?;
            let is_donor = gifts.get(owner).is_some_and(|gift| *gift > 0);
            is_donor.then(|| (Reverse(candidate.preference(self.shard_seed(shard))), shard, owner))
        };
        let mut shards: Vec<_> = owned.filter_map(gives).collect();
        shards.sort_unstable();
        for (_, shard, owner) in shards {
            if let Some(gift) = gifts.get_mut(owner).filter(|gift| **gift > 0) {
                *gift -= 1;
                // It was taken off the donor's load when it was counted.
                if let Some(bin) = self.bins.get_mut(owner) {
                    bin.load += 1;
                }
                self.give(shard, Some(taker));
            }
        }
    }
}
