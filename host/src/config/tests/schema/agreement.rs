//! That the schema takes values of the types that the parser takes.

use super::super::{folder, parse};
use super::rows::{Kind, TABLES, Table};

/// A value of each type, and what the parser calls it.
const SAMPLES: [(&str, &str); 6] = [
    ("true", "a boolean"),
    ("3", "an integer"),
    ("2.5", "a float"),
    ("\"x\"", "a string"),
    ("[\"x\"]", "a list"),
    ("{}", "a table"),
];

impl Kind {
    /// Whether values of this type are taken, whatever they say.
    fn takes(&self, what: &str) -> bool {
        match self {
            Self::Text | Self::Time | Self::Choice(_) => what == "a string",
            Self::Boolean => what == "a boolean",
            Self::Texts | Self::List(_) | Self::TextsOrTables(_) => what == "a list",
            Self::Size(_) => what == "an integer" || what == "a string",
            Self::Integer(_) => what == "an integer",
            Self::Table(_) | Self::Named(_) | Self::Settings | Self::Choices | Self::Interfaces => what == "a table",
        }
    }
}

/// A file in which the key of this table has this value, and all else is good.
fn file(table: &Table, key: &str, value: &str) -> String {
    let line = format!("{key} = {value}\n");
    let given = |lines: &[(&str, &str)]| -> String {
        let others = lines.iter().filter(|(other, _)| *other != key);
        others.map(|(key, value)| format!("{key} = {value}\n")).collect()
    };
    let of_node = [("name", "\"a\""), ("cookie_file", "\"cookie\"")];
    let node = format!("[node]\n{}", given(&of_node));
    let node_whole = "[node]\nname = \"a\"\ncookie_file = \"cookie\"\n";
    let actor = format!("[[actors]]\n{}", given(&[("name", "\"b\""), ("native", "\"counter\"")]));
    match table.name {
        "file" => format!("{line}{}", if key == "node" { "" } else { node_whole }),
        "node" => format!("{node}{line}"),
        "group" => {
            let others = if key == "pattern" { "" } else { "pattern = \"x\", " };
            format!("{node}groups = [{{ {others}{key} = {value} }}]\n")
        }
        "node-limits" => format!("{node_whole}[node.limits]\n{line}"),
        "node-tls" => format!("{node_whole}[node.tls]\n{line}"),
        "module" => format!("{node_whole}[modules.m]\n{}{line}", given(&[("path", "\"m.wasm\"")])),
        "supervisor" => format!("{node_whole}[supervisors.s]\n{line}"),
        "actor" if key == "native" => format!("{node_whole}[[actors]]\nname = \"b\"\n{line}"),
        "actor" => format!("{node_whole}{actor}{line}"),
        "entity" if key == "native" || key == "module" => {
            format!("{node_whole}[modules.x]\npath = \"x.wasm\"\n[entities.e]\n{line}")
        }
        "entity" => format!(
            "{node_whole}[modules.m]\npath = \"m.wasm\"\n[entities.e]\n{}{line}",
            given(&[("module", "\"m\"")])
        ),
        "checkpoint" => format!(
            "{node_whole}{GUEST}[actors.checkpoint]\n{}{line}",
            given(&[("every", "\"1s\"")])
        ),
        "limits" => format!("{node_whole}[defaults.limits]\n{line}"),
        "capabilities" => format!("{node_whole}{GUEST}[actors.capabilities]\n{line}"),
        "directory" => {
            let others = given(&[("host", "\"a\""), ("guest", "\"b\"")]);
            format!("{node_whole}{GUEST}[[actors.capabilities.directories]]\n{others}{line}")
        }
        "admin-tls" => format!("{node_whole}[admin]\nlisten = \"127.0.0.1:0\"\n[admin.tls]\n{line}"),
        other => format!("{node_whole}[{other}]\n{line}"),
    }
}

const GUEST: &str = "[modules.m]\npath = \"m.wasm\"\n[[actors]]\nname = \"b\"\nmodule = \"m\"\n";

/// What is wrong with the file, in one text.
fn complaints(text: &str) -> String {
    let folder = folder();
    match parse(text, folder.path()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_parser_and_the_schema_take_values_of_the_same_types() {
    for table in TABLES {
        for (key, kind) in table.rows() {
            // What an actor made of a module is told is read only for such an actor.
            let of_guest = table.name == "actor"
                && ["limits", "config", "capabilities", "interfaces", "checkpoint"].contains(&key);
            for (value, what) in SAMPLES {
                let mut text = file(table, key, value);
                if of_guest {
                    text = format!("[node]\nname = \"a\"\ncookie_file = \"cookie\"\n{GUEST}{key} = {value}\n");
                }
                let said = complaints(&text);
                let is_refused = said
                    .lines()
                    .any(|line| line.contains(key) && line.ends_with(&format!("is {what}")));
                assert_eq!(
                    is_refused,
                    !kind.takes(what),
                    "`{key}` of {} with {value}:\n{text}\n{said}",
                    table.name
                );
            }
        }
    }
}

#[test]
fn the_parser_takes_every_choice_of_the_schema_and_no_other_word() {
    for table in TABLES {
        for (key, kind) in table.rows() {
            let Kind::Choice(choices) = kind else { continue };
            let at_key = |said: &str| said.lines().filter(|line| line.contains(&format!("{key} = "))).count();
            for choice in choices {
                let said = complaints(&file(table, key, &format!("\"{choice}\"")));
                // It may need something else beside it, which is another matter.
                let is_refused = at_key(&said) > 0 && !said.contains("needs");
                assert!(!is_refused, "`{key} = \"{choice}\"` of {}: {said}", table.name);
            }
            let said = complaints(&file(table, key, "\"no-such-word\""));
            assert!(at_key(&said) > 0, "`{key}` of {} takes any word: {said}", table.name);
        }
    }
}
