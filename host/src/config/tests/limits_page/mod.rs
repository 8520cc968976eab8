//! docs/limits.md is made of the rows that the limits themselves come from, and of the constants that can't be configured.

mod fixed;

use std::fmt::Write as _;
use std::path::Path;

use self::fixed::{Constant, Unit};
use super::super::node_limit::{AsWritten, DefaultLimit, NodeLimit};
use super::super::{duration, node_limits, runtime, size};
use crate::control::StoreLimits;
use crate::guest::{Complexity, LimitRow, LimitSlot, Limits, WhenFull};

const BLESS: &str = "RACTOR_BLESS=1 cargo test -p ractor-host --lib limits_page";

/// A row of the page.
struct Row {
    name: String,
    value: String,
    what: String,
    beyond: String,
}

#[test]
fn the_page_of_limits_is_what_the_code_says() {
    let path = repository().join("docs/limits.md");
    let page = page();
    if std::env::var_os("RACTOR_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).position(|(is, should)| is != should);
    assert!(
        written == page,
        "docs/limits.md is not what the limits in the code are, from line {} on. If the code is right, `{BLESS}` writes the page",
        differs.unwrap_or(written.lines().count()) + 1
    );
}

/// That page is written by hand, and says more of each.
#[test]
fn the_page_of_node_toml_has_every_limit_with_its_default() {
    let page = std::fs::read_to_string(repository().join("docs/node-toml.md")).unwrap();
    let mut limits = Limits::default();
    let guest = limits
        .rows_mut()
        .map(|(row, slot)| (row.key, default_of_guest(&row, &slot)));
    let peers = [&node_limits::PEER_BYTES, &node_limits::ALL_PEERS_BYTES].map(|limit| (limit.key, default(limit)));
    for (key, default) in guest.chain(peers) {
        // Another table may have the same key.
        let rows = page.lines().filter(|line| line.starts_with(&format!("| `{key}` |")));
        let said: Vec<String> = rows
            .map(|row| row.split('|').nth(3).unwrap_or_default().trim().replace(['`', '"'], ""))
            .collect();
        let is_same = |said: &String| {
            let same_time = || duration::parse(said).is_ok_and(|time| Ok(time) == duration::parse(&default));
            *said == default.replace('`', "") || same_time()
        };
        assert!(
            said.iter().any(is_same),
            "docs/node-toml.md says of `{key}` {said:?}, and its default is {default}"
        );
    }
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn page() -> String {
    let mut page = format!(
        "# Limits\n\n<!-- This page is made from the code: change the limits there, and `{BLESS}`. -->\n\nEverything that a guest, a \
         peer, a file or a client can make a node hold or wait for is bounded. This page lists the bounds, what each is by default, and \
         what happens beyond it. Sizes and times are written as in [node.toml](node-toml.md#sizes-and-times). A limit of a guest that is \
         reached is counted in `ractor_host_guest_limits_total` under its name, and logged with the actor.\n\n"
    );
    configured(&mut page);
    fixed(&mut page);
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn configured(page: &mut String) {
    let mut limits = Limits::default();
    let (mut one, mut family) = (Vec::new(), Vec::new());
    for (row, slot) in limits.rows_mut() {
        let rows = if row.times.is_some() { &mut family } else { &mut one };
        rows.push(Row {
            name: row.key.to_owned(),
            value: default_of_guest(&row, &slot),
            what: row.what.to_owned(),
            beyond: row.beyond.to_owned(),
        });
    }
    let of_actor =
        "Keys of `[actors.limits]` and, for all guests whose own table doesn't say otherwise, `[defaults.limits]`.";
    section(page, "One guest", of_actor, ["key", "default"], one);
    let of_family = "A *family* is one actor that no guest spawned, with all that it spawned and they spawned. These keys stand beside those \
                     of one guest, and a family has never less than one guest may have alone.";
    section(page, "A family of guests", of_family, ["key", "default"], family);
    section(
        page,
        "All guests of a node",
        "Keys of `[runtime]`.",
        ["key", "default"],
        vec![
            of_node(&runtime::MAX_GUESTS),
            of_node(&runtime::MAX_MEMORIES),
            of_node(&runtime::MAX_TABLES),
            of_node(&runtime::MEMORY_RESERVATION),
            of_node(&runtime::TABLE_RESERVATION),
            of_node(&runtime::INSTANCE_BYTES),
            of_node(&runtime::STACK_BYTES),
            of_node(&runtime::COMPONENT_BYTES),
            of_node(&runtime::SOURCE_BYTES),
            of_node(&runtime::CACHE_BYTES),
            of_node(&runtime::EPOCH_TICK),
            of_node(&runtime::ACTIVATIONS_AT_ONCE),
            of_node(&runtime::ACTIVATIONS_PER_SECOND),
        ],
    );
    section(
        page,
        "The actors of other nodes",
        "Keys of `[node.limits]`.",
        ["key", "default"],
        vec![
            of_node(&node_limits::PEER_BYTES),
            of_node(&node_limits::ALL_PEERS_BYTES),
        ],
    );
}

fn fixed(page: &mut String) {
    let sources = fixed::SourceTree::read(repository());
    for (title, intro, constants) in fixed::SECTIONS {
        let mut rows: Vec<Row> = constants
            .iter()
            .map(|constant| constant_row(constant, &sources))
            .collect();
        match *title {
            "Deployment" => rows.extend(of_store()),
            "What a guest is made of" => rows.extend(of_complexity()),
            _ => {}
        }
        section(page, title, intro, ["name", "value"], rows);
    }
}

fn constant_row(constant: &Constant, sources: &fixed::SourceTree) -> Row {
    let number = sources.value(constant);
    Row {
        name: constant.shown(),
        value: match constant.unit {
            Unit::Bytes => size::written(number),
            Unit::Count => number.to_string(),
            Unit::Time => duration::written(std::time::Duration::from_millis(number)),
        },
        what: constant.what.to_owned(),
        beyond: constant.beyond.to_owned(),
    }
}

/// Limits that a program can set, and node.toml can't.
fn of_store() -> Vec<Row> {
    let StoreLimits {
        component_bytes,
        total_bytes,
    } = StoreLimits::default();
    let row = |name: &str, bytes, what: &str, beyond: &str| Row {
        name: name.to_owned(),
        value: size::written(bytes),
        what: what.to_owned(),
        beyond: beyond.to_owned(),
    };
    vec![
        row(
            "StoreLimits::component_bytes",
            component_bytes,
            "A component that is uploaded.",
            "the upload is refused",
        ),
        row(
            "StoreLimits::total_bytes",
            total_bytes,
            "All components and uploads that a node keeps in `state_dir`.",
            "components that no module uses are removed, the oldest first; if that isn't enough, the upload is refused",
        ),
    ]
}

fn of_complexity() -> Vec<Row> {
    let Complexity {
        functions,
        modules,
        function,
    } = Complexity::default();
    let row = |name: &str, value: String, what: &str| Row {
        name: format!("Complexity::{name}"),
        value,
        what: what.to_owned(),
        beyond: "the component is refused before it is compiled".to_owned(),
    };
    vec![
        row("functions", functions.to_string(), "Functions of a component."),
        row(
            "modules",
            modules.to_string(),
            "Modules and components within a component.",
        ),
        row(
            "function",
            function.to_string(),
            "Of one function: its values (parameters and locals) times its branches, each branch once for every loop that it is in.",
        ),
    ]
}

fn of_node<N: AsWritten>(limit: &NodeLimit<N>) -> Row {
    Row {
        name: limit.key.to_owned(),
        value: default(limit),
        what: limit.what.to_owned(),
        beyond: limit.beyond.to_owned(),
    }
}

fn default<N: AsWritten>(limit: &NodeLimit<N>) -> String {
    match limit.default {
        DefaultLimit::Is(default) => default().written(),
        DefaultLimit::Follows(words) => words.to_owned(),
    }
}

fn default_of_guest(row: &LimitRow, slot: &LimitSlot<'_>) -> String {
    if let Some((times, of)) = row.times {
        return format!("{times} times `{of}`");
    }
    match slot {
        LimitSlot::Size(bytes) => size::written(**bytes as u64),
        LimitSlot::Count(count) => count.to_string(),
        LimitSlot::Rate(rate) => rate.to_string(),
        LimitSlot::Time(time) | LimitSlot::Wait(time) => duration::written(**time),
        LimitSlot::WhenFull(when) => {
            let name = WhenFull::NAMES.iter().find(|(_, each)| each == *when);
            name.map(|(name, _)| (*name).to_owned()).unwrap_or_default()
        }
        LimitSlot::SizeOfFamily(_) | LimitSlot::CountOfFamily(_) | LimitSlot::RateOfFamily(_) => String::new(),
    }
}

fn section(page: &mut String, title: &str, intro: &str, [name, value]: [&str; 2], rows: Vec<Row>) {
    write!(
        page,
        "## {title}\n\n{intro}{}| {name} | {value} | what it bounds | beyond it |\n|---|---|---|---|\n",
        if intro.is_empty() { "" } else { "\n\n" }
    )
    .unwrap();
    for row in rows {
        let mut beyond = row.beyond;
        if !beyond.is_empty() && !beyond.ends_with('.') {
            beyond.push('.');
        }
        let beyond = capitalized(&beyond);
        writeln!(page, "| `{}` | {} | {} | {beyond} |", row.name, row.value, row.what).unwrap();
    }
    page.push('\n');
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
