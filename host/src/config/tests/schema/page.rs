//! What docs/node-toml.md says of each key.

use std::collections::BTreeMap;

use super::rows::Table;

/// The meaning of each key, by the heading of its part of the page.
pub(super) struct Reference(BTreeMap<(String, String), String>);

impl Reference {
    pub(super) fn read() -> Self {
        let page = include_str!("../../../../../docs/node-toml.md");
        let (mut heading, mut meanings) = (String::new(), BTreeMap::new());
        for line in page.lines() {
            if let Some(next) = line.strip_prefix("## `") {
                let (name, words) = next.split_once('`').unwrap_or((next, ""));
                heading = name.to_owned();
                // What a whole table is about.
                let table = name.trim_matches(['[', ']']);
                let table = table
                    .strip_suffix(".NAME")
                    .or(table.strip_suffix(".TYPE"))
                    .unwrap_or(table);
                meanings.insert((String::new(), table.to_owned()), sentence(words));
            }
            let cells: Vec<&str> = line.splitn(5, '|').collect();
            let [_, keys, _, _, meaning] = &cells[..] else { continue };
            if !keys.starts_with(" `") {
                continue;
            }
            for key in keys.trim().split(", ") {
                let key = key.trim_matches('`').to_owned();
                let meaning = plain(meaning.trim_end_matches('|').trim());
                meanings.insert((heading.clone(), key), meaning);
            }
        }
        Self(meanings)
    }

    pub(super) fn of(&self, table: &Table, key: &str) -> Option<&str> {
        let meaning = self.0.get(&(table.heading.to_owned(), key.to_owned()));
        meaning.map(String::as_str)
    }
}

/// What stands behind a heading, as a sentence.
fn sentence(words: &str) -> String {
    let words = words.trim_start_matches(": ");
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

/// Without links: an editor shows it where they lead nowhere.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        match link.split_once("](") {
            Some((words, target)) if !words.contains('[') && !words.contains('`') || words.starts_with('`') => {
                plain.push_str(words);
                rest = target.split_once(')').map_or("", |(_, after)| after);
            }
            _ => {
                plain.push('[');
                rest = link;
            }
        }
    }
    plain + rest
}
