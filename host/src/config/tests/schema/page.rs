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
                heading = next.split('`').next().unwrap_or_default().to_owned();
            }
            let cells: Vec<&str> = line.split(" | ").collect();
            let [keys, .., meaning] = &cells[..] else { continue };
            let Some(keys) = keys.strip_prefix("| `").filter(|_| cells.len() == 4) else {
                continue;
            };
            for key in keys.split(", ") {
                let key = key.trim_matches('`').to_owned();
                let meaning = plain(meaning.trim_end_matches(" |").trim());
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
