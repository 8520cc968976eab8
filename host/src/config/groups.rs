//! `groups` of `[node]`: the groups of other nodes that this one wants to know of.

use toml::Spanned;
use toml::de::DeValue;

use super::choice::chosen_or;
use super::problem::Problems;
use super::section::{Keys, Section, kind};
use crate::node::{BadGroups, GroupInterest, GroupMembers, GroupPattern, MAX_GROUP_PATTERNS};

/// The keys of a table in the list.
pub(super) const KEYS: Keys = Keys {
    known: &["pattern", "members"],
    explained: &[
        ("name", "write `pattern = \"…\"`"),
        ("group", "write `pattern = \"…\"`"),
        ("scope", "leave it out: a pattern stands for groups of every scope"),
    ],
};

/// What `members` may be.
pub(super) const MEMBERS: [(&str, GroupMembers); 2] = [
    ("every", GroupMembers::Every),
    ("one-per-node", GroupMembers::OnePerNode),
];

const EXPECTED: &str =
    "expected a list such as `groups = [\"orders\", { pattern = \"worker-*\", members = \"one-per-node\" }]`";

/// The key `groups`; none if it isn't there, and then the node wants to know of every group.
pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> Option<GroupInterest> {
    let value = section.value("groups")?;
    let DeValue::Array(elements) = value.get_ref() else {
        let message = format!("`groups` is {}", kind(value.get_ref()));
        problems.error(value.span(), message, EXPECTED);
        return None;
    };
    let mut patterns = Vec::new();
    for element in elements.iter() {
        let Some(pattern) = read_pattern(element, problems) else {
            continue;
        };
        match pattern.check() {
            Ok(()) => patterns.push(pattern),
            Err(error) => report(element, &error, problems),
        }
    }
    GroupInterest::new(patterns)
        .inspect_err(|error| report(value, error, problems))
        .ok()
}

fn read_pattern(element: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<GroupPattern> {
    match element.get_ref() {
        DeValue::String(pattern) => Some(GroupPattern::every(pattern.as_ref())),
        DeValue::Table(_) => {
            let section = Section::open("an element of `groups`", element, KEYS, problems)?;
            let pattern = section.required_text("pattern", "\"worker-*\"", problems);
            let members = chosen_or("members", &MEMBERS, GroupMembers::Every, &section, problems);
            Some(GroupPattern {
                pattern: (*pattern?.get_ref()).to_owned(),
                members: members?,
            })
        }
        other => {
            let message = format!("an element of `groups` is {}", kind(other));
            problems.error(element.span(), message, EXPECTED);
            None
        }
    }
}

fn report(value: &Spanned<DeValue<'_>>, error: &BadGroups, problems: &mut Problems) {
    let help = match error {
        BadGroups::TooMany(_) => {
            format!("a `*` stands for any characters: expected at most {MAX_GROUP_PATTERNS} patterns")
        }
        BadGroups::Empty | BadGroups::TooLong(_) | BadGroups::Control => {
            "expected the name of a group, in which `*` stands for any characters".to_owned()
        }
    };
    problems.error(value.span(), format!("`groups`: {error}"), help);
}
