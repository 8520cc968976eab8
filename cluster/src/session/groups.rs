//! Which groups of other nodes a node wants to know of, and what a peer that said so was told.

use std::collections::HashMap;
use std::sync::Arc;

use crate::wire::{GroupChange, MAX_NAME_BYTES, OWN_GROUPS, WantedGroups, is_of_type};

/// The most patterns that a node may have.
pub const MAX_GROUP_PATTERNS: usize = 64;

/// What stands for any characters, or none.
const ANY: char = '*';

/// Which members of a group a node wants to know of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GroupMembers {
    /// Each of them.
    #[default]
    Every,
    /// One of each node that has some: enough to reach somebody there.
    OnePerNode,
}

/// Groups that a node wants to know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPattern {
    /// The name of a group, in any scope. `*` stands for any characters, or none.
    pub pattern: String,
    /// Which of their members.
    pub members: GroupMembers,
}

/// The groups of other nodes that a node wants to know of, and no others. The first pattern that a group matches says which of its
/// members. What nodes of this program have groups for among themselves is always part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupInterest(Arc<[GroupPattern]>);

/// Why patterns are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadGroups {
    /// There are too many.
    #[error("there are {0} patterns of groups, and {MAX_GROUP_PATTERNS} are allowed")]
    TooMany(usize),
    /// One has no characters.
    #[error("a pattern of groups is empty")]
    Empty,
    /// One can match no group that nodes tell each other of.
    #[error("a pattern of groups has {0} bytes, and {MAX_NAME_BYTES} are allowed")]
    TooLong(usize),
    /// One has a character that nobody sees.
    #[error("a pattern of groups has a control character")]
    Control,
}

impl GroupPattern {
    /// Every member of the groups that this pattern stands for.
    pub fn every(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            members: GroupMembers::Every,
        }
    }

    /// One member of each node, of the groups that this pattern stands for.
    pub fn one_per_node(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            members: GroupMembers::OnePerNode,
        }
    }

    /// What is wrong with the pattern.
    ///
    /// # Errors
    /// Something is.
    pub fn check(&self) -> Result<(), BadGroups> {
        match &self.pattern {
            pattern if pattern.is_empty() => Err(BadGroups::Empty),
            pattern if pattern.len() > MAX_NAME_BYTES => Err(BadGroups::TooLong(pattern.len())),
            pattern if pattern.chars().any(char::is_control) => Err(BadGroups::Control),
            _ => Ok(()),
        }
    }

    /// Whether the pattern stands for this group, in a time that grows with the bytes of both alone: a part that is found is never looked for
    /// again.
    fn matches(&self, group: &str) -> bool {
        let Some((start, rest)) = self.pattern.split_once(ANY) else {
            return self.pattern == group;
        };
        let Some(mut left) = group.strip_prefix(start) else {
            return false;
        };
        let (middle, end) = rest.rsplit_once(ANY).unwrap_or(("", rest));
        for part in middle.split(ANY) {
            // The first place is as good as any later one, since whatever follows may be anywhere behind it.
            let Some((_, behind)) = left.split_once(part) else {
                return false;
            };
            left = behind;
        }
        left.ends_with(end)
    }
}

impl GroupInterest {
    /// An interest in the groups that these patterns stand for. Without one it is in no group.
    ///
    /// # Errors
    /// There are too many, or one is none.
    pub fn new(patterns: impl IntoIterator<Item = GroupPattern>) -> Result<Self, BadGroups> {
        let patterns: Vec<GroupPattern> = patterns.into_iter().collect();
        if patterns.len() > MAX_GROUP_PATTERNS {
            return Err(BadGroups::TooMany(patterns.len()));
        }
        patterns.iter().try_for_each(GroupPattern::check)?;
        Ok(Self(patterns.into()))
    }

    /// The patterns, in their order.
    pub fn patterns(&self) -> &[GroupPattern] {
        &self.0
    }

    /// Which members of this group are wanted; none if it isn't.
    pub(crate) fn wanted(&self, group: &str) -> Option<GroupMembers> {
        // The actor of a type of entities is the only member that its node has, and gates find each other by theirs.
        if is_of_type(group) || group.starts_with(OWN_GROUPS) {
            return Some(GroupMembers::Every);
        }
        let pattern = self.0.iter().find(|pattern| pattern.matches(group));
        pattern.map(|pattern| pattern.members)
    }

    /// As it is told to a peer.
    pub(in crate::session) fn to_wire(&self) -> Vec<WantedGroups> {
        let patterns = self.0.iter().map(|GroupPattern { pattern, members }| WantedGroups {
            pattern: pattern.clone(),
            one_per_node: *members == GroupMembers::OnePerNode,
        });
        patterns.collect()
    }

    /// As a peer told it.
    ///
    /// # Errors
    /// As [`GroupInterest::new`].
    pub(in crate::session) fn from_wire(told: Vec<WantedGroups>) -> Result<Self, BadGroups> {
        Self::new(
            told.into_iter()
                .map(|WantedGroups { pattern, one_per_node }| GroupPattern {
                    pattern,
                    members: if one_per_node {
                        GroupMembers::OnePerNode
                    } else {
                        GroupMembers::Every
                    },
                }),
        )
    }
}

/// What a peer is to be told of.
#[derive(Debug, Default)]
enum Audience {
    /// Everything, as a stock peer is.
    #[default]
    Everything,
    /// The groups that it wants, and names.
    Wanted(GroupInterest),
    /// What this program has for itself.
    OwnAlone,
}

/// What one peer is told of this node's groups.
#[derive(Debug, Default)]
pub(crate) struct ToldGroups {
    audience: Audience,
    /// The member that stands for each group of which the peer wants one, by scope and group.
    shown: HashMap<(String, String), u64>,
}

/// What a peer is told when actors leave a group.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ToldLeave {
    /// Those that it was told of.
    pub(crate) change: GroupChange,
    /// The one that stood for the others is among them, so that another has to.
    pub(crate) is_vacant: bool,
}

impl ToldGroups {
    /// For a peer that has said what it wants, or hasn't.
    pub(crate) fn new(interest: Option<GroupInterest>) -> Self {
        Self {
            audience: interest.map_or(Audience::Everything, Audience::Wanted),
            shown: HashMap::new(),
        }
    }

    /// For a peer that has a session for entities alone.
    pub(crate) fn for_entities() -> Self {
        Self {
            audience: Audience::OwnAlone,
            shown: HashMap::new(),
        }
    }

    /// True if the peer is told of actors that have no name and are in none of its groups. One that says what it wants asks for such
    /// an actor when it has come across its address.
    pub(crate) fn has_nameless(&self) -> bool {
        matches!(self.audience, Audience::Everything)
    }

    /// True if the peer is told of the actor with this name.
    pub(crate) fn has_named(&self, name: &str) -> bool {
        !matches!(self.audience, Audience::OwnAlone) || name.starts_with(OWN_GROUPS)
    }

    /// True if the peer is told of members of this group at all.
    pub(crate) fn is_wanted(&self, group: &str) -> bool {
        self.members(group).is_some()
    }

    /// How many more members of this group the peer is to hear of.
    pub(crate) fn room(&self, scope: &str, group: &str) -> usize {
        match self.members(group) {
            Some(GroupMembers::Every) => usize::MAX,
            Some(GroupMembers::OnePerNode) if !self.is_shown(scope, group) => 1,
            Some(GroupMembers::OnePerNode) | None => 0,
        }
    }

    fn members(&self, group: &str) -> Option<GroupMembers> {
        match &self.audience {
            Audience::Everything => Some(GroupMembers::Every),
            Audience::Wanted(interest) => interest.wanted(group),
            Audience::OwnAlone => group.starts_with(OWN_GROUPS).then_some(GroupMembers::Every),
        }
    }

    fn is_shown(&self, scope: &str, group: &str) -> bool {
        // The map has pairs of owned texts, and this is asked once for each change of a group.
        self.shown.contains_key(&(scope.to_owned(), group.to_owned()))
    }

    /// The peer is told that these have joined, which there was [room](Self::room) for.
    pub(crate) fn joined(&mut self, change: &GroupChange) {
        if let (Some(GroupMembers::OnePerNode), Some(actor)) = (self.members(&change.group), change.actors.first()) {
            self.shown
                .insert((change.scope.clone(), change.group.clone()), actor.pid);
        }
    }

    /// What of a leave the peer is told; none if it knows of none of them.
    pub(crate) fn left(&mut self, mut change: GroupChange) -> Option<ToldLeave> {
        match self.members(&change.group)? {
            GroupMembers::Every => Some(ToldLeave {
                change,
                is_vacant: false,
            }),
            GroupMembers::OnePerNode => {
                let group = (change.scope.clone(), change.group.clone());
                let shown = *self.shown.get(&group)?;
                change.actors.retain(|actor| actor.pid == shown);
                if change.actors.is_empty() {
                    return None;
                }
                self.shown.remove(&group);
                Some(ToldLeave {
                    change,
                    is_vacant: true,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::Actor;

    fn interest(patterns: &[(&str, GroupMembers)]) -> GroupInterest {
        let patterns = patterns.iter().map(|(pattern, members)| GroupPattern {
            pattern: (*pattern).to_owned(),
            members: *members,
        });
        GroupInterest::new(patterns).unwrap()
    }

    fn change(group: &str, pids: &[u64]) -> GroupChange {
        GroupChange {
            scope: "s".to_owned(),
            group: group.to_owned(),
            actors: pids.iter().map(|pid| Actor { pid: *pid, name: None }).collect(),
        }
    }

    #[test]
    fn a_star_stands_for_any_characters_or_none() {
        for (pattern, matching, other) in [
            ("orders", &["orders"][..], &["order", "orders2", "Orders", ""][..]),
            (
                "worker-*",
                &["worker-", "worker-1", "worker-*"],
                &["worker", "a worker-1"],
            ),
            ("*-eu", &["-eu", "a-eu", "-eu-eu"], &["a-eu-", "eu"]),
            ("a*a", &["aa", "aba", "aaa"], &["a", "ab"]),
            ("*", &["", "anything"], &[]),
            ("a*b*c", &["abc", "a.b.c", "abbcc"], &["acb", "ab", "ac"]),
            ("**", &["", "x"], &[]),
            ("*a*", &["a", "bab"], &["b", ""]),
            ("é*", &["é", "éa"], &["e"]),
        ] {
            let pattern = GroupPattern::every(pattern);
            for group in matching {
                assert!(pattern.matches(group), "{pattern:?} and {group:?}");
            }
            for group in other {
                assert!(!pattern.matches(group), "{pattern:?} and {group:?}");
            }
        }
    }

    /// Whether a pattern stands for a text, by trying everything.
    fn tried(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skipped| tried(rest, &text[skipped..])),
            Some((first, rest)) => text
                .split_first()
                .is_some_and(|(at, behind)| at == first && tried(rest, behind)),
        }
    }

    proptest! {
        #[test]
        fn a_pattern_stands_for_what_it_would_if_everything_were_tried(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
            let [of, in_] = [&pattern, &text].map(|text| text.chars().collect::<Vec<_>>());
            prop_assert_eq!(GroupPattern::every(pattern).matches(&text), tried(&of, &in_));
        }
    }

    #[test]
    fn the_first_pattern_decides_and_what_nodes_need_among_themselves_is_always_wanted() {
        let wants = interest(&[
            ("orders-audit", GroupMembers::Every),
            ("orders-*", GroupMembers::OnePerNode),
        ]);
        assert_eq!(wants.wanted("orders-audit"), Some(GroupMembers::Every));
        assert_eq!(wants.wanted("orders-eu"), Some(GroupMembers::OnePerNode));
        assert_eq!(wants.wanted("stock"), None);
        assert_eq!(wants.wanted("entity:cart/1"), None);
        for wants in [wants, GroupInterest::default()] {
            assert_eq!(wants.wanted("entity:cart"), Some(GroupMembers::Every));
            assert_eq!(wants.wanted("ractor-host.gates"), Some(GroupMembers::Every));
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_and_what_is_one_survives_the_wire() {
        let of = |pattern: &str| GroupInterest::new([GroupPattern::every(pattern)]);
        assert_eq!(of(""), Err(BadGroups::Empty));
        assert_eq!(of("a\nb"), Err(BadGroups::Control));
        assert_eq!(of(&"a".repeat(256)), Err(BadGroups::TooLong(256)));
        let many = |count| GroupInterest::new((0..count).map(|n| GroupPattern::every(n.to_string())));
        assert_eq!(many(65), Err(BadGroups::TooMany(65)));
        let most = many(64).unwrap();
        assert_eq!(GroupInterest::from_wire(most.to_wire()), Ok(most));
        let both = interest(&[("a", GroupMembers::Every), ("b*", GroupMembers::OnePerNode)]);
        assert_eq!(GroupInterest::from_wire(both.to_wire()), Ok(both));
    }

    #[test]
    fn a_peer_without_an_interest_hears_of_everything() {
        let mut told = ToldGroups::new(None);
        assert!(told.has_nameless());
        assert_eq!(told.room("s", "g"), usize::MAX);
        told.joined(&change("g", &[1, 2]));
        assert_eq!(told.room("s", "g"), usize::MAX);
        let left = told.left(change("g", &[1, 9])).unwrap();
        assert_eq!((left.change, left.is_vacant), (change("g", &[1, 9]), false));
    }

    #[test]
    fn a_session_for_entities_alone_has_what_nodes_have_for_themselves() {
        let told = ToldGroups::for_entities();
        let heard = ["ractor-host.gates", "orders", "entity:cart"].map(|group| told.is_wanted(group));
        assert_eq!(heard, [true, false, false]);
        let named = ["ractor-host.control", "worker"].map(|name| told.has_named(name));
        assert_eq!((named, told.has_nameless()), ([true, false], false));
        let wants = ToldGroups::new(Some(interest(&[])));
        assert!(wants.has_named("worker"), "an interest is in groups alone");
    }

    #[test]
    fn one_member_stands_for_its_node_until_it_leaves() {
        let wants = interest(&[("all", GroupMembers::Every), ("one*", GroupMembers::OnePerNode)]);
        let mut told = ToldGroups::new(Some(wants));
        assert!(!told.has_nameless());
        assert_eq!([told.room("s", "all"), told.room("s", "none")], [usize::MAX, 0]);
        assert_eq!(told.left(change("none", &[1])), None);
        assert_eq!(told.room("s", "one"), 1);
        told.joined(&change("one", &[1]));
        assert_eq!(
            [told.room("s", "one"), told.room("t", "one"), told.room("s", "one2")],
            [0, 1, 1]
        );
        assert_eq!(told.left(change("one", &[2, 3])), None, "the peer knows neither");
        let left = told.left(change("one", &[3, 1])).unwrap();
        assert_eq!((left.change, left.is_vacant), (change("one", &[1]), true));
        assert_eq!(told.room("s", "one"), 1);
        assert_eq!(told.left(change("one", &[1])), None, "it has left already");
    }
}
