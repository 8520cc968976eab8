//! The tables of node.toml, and of what kind the value of each key is.

use std::ops::RangeInclusive;

use super::super::super::section::Keys;
use super::super::super::{
    MAX_COUNT, actor, admin, capabilities, checkpoint, cluster, control, entity, groups, limits, log, module, node,
    node_limits, runtime, supervisor, tls,
};
use crate::guest::{Access, Capability, LimitSlot, Limits, WhenFull};
use crate::supervision::Strategy;

/// What may be written.
pub(super) enum Kind {
    Text,
    Boolean,
    Texts,
    Size(RangeInclusive<u64>),
    Integer(RangeInclusive<u32>),
    Time,
    Choice(Vec<&'static str>),
    /// One of the tables below.
    Table(&'static str),
    /// Any names, each with such a table.
    Named(&'static str),
    /// A list of such tables.
    List(&'static str),
    /// Any names, with scalars.
    Settings,
    /// A list of texts and of such tables.
    TextsOrTables(&'static str),
    /// A table of the user's keys, each with a list of texts.
    Choices,
    /// Any names, with tables that the program reads.
    Interfaces,
}

/// A table of the file.
pub(super) struct Table {
    /// What it is called in the schema.
    pub(super) name: &'static str,
    /// What it is called in docs/node-toml.md.
    pub(super) heading: &'static str,
    pub(super) keys: Keys,
    /// The keys that nothing stands in for.
    pub(super) required: &'static [&'static str],
    kinds: fn() -> Vec<(&'static str, Kind)>,
}

impl Table {
    pub(super) fn rows(&self) -> Vec<(&'static str, Kind)> {
        (self.kinds)()
    }
}

/// The file itself comes first.
pub(super) const TABLES: &[Table] = &[
    table("file", "", super::super::super::KEYS, &[], of_file),
    table("node", "[node]", node::KEYS, &[], of_node),
    table("group", "", groups::KEYS, &["pattern"], || {
        vec![("pattern", Kind::Text), ("members", names(&groups::MEMBERS))]
    }),
    table("node-limits", "[node.limits]", node_limits::KEYS, &[], of_node_limits),
    table("node-tls", "[node.tls]", tls::KEYS, &[], || {
        of_tls("server_name", Kind::Text)
    }),
    table("cluster", "[cluster]", cluster::KEYS, &["advertise"], of_cluster),
    table("runtime", "[runtime]", runtime::KEYS, &[], of_runtime),
    table("control", "[control]", control::KEYS, &[], of_control),
    table("admin", "[admin]", admin::KEYS, &[], of_admin),
    table("admin-tls", "[node.tls]", admin::TLS_KEYS, &[], || {
        of_tls("client_role", Kind::Choice(vec!["observe", "operate", "deploy"]))
    }),
    table("log", "[log]", log::KEYS, &[], || vec![("level", Kind::Text)]),
    table("module", "[modules.NAME]", module::KEYS, &[], of_module),
    table("supervisor", "[supervisors.NAME]", supervisor::KEYS, &[], of_supervisor),
    table("defaults", "", limits::DEFAULTS, &[], || {
        vec![("limits", Kind::Table("limits"))]
    }),
    table("actor", "[[actors]]", actor::KEYS, &["name"], of_actor),
    table("checkpoint", "", checkpoint::KEYS, &["every"], || {
        vec![
            ("every", Kind::Time),
            ("keep", Kind::Integer(1..=checkpoint::MOST_KEPT)),
        ]
    }),
    table("entity", "[entities.TYPE]", entity::KEYS, &[], of_entity),
    table("limits", "[actors.limits]", limits::KEYS, &[], of_limits),
    table(
        "capabilities",
        "[actors.capabilities]",
        capabilities::KEYS,
        &[],
        of_capabilities,
    ),
    table(
        "directory",
        "",
        capabilities::DIRECTORY_KEYS,
        &["host", "guest"],
        || {
            let access = names(&Access::NAMES);
            vec![("host", Kind::Text), ("guest", Kind::Text), ("access", access)]
        },
    ),
];

const fn table(
    name: &'static str,
    heading: &'static str,
    keys: Keys,
    required: &'static [&'static str],
    kinds: fn() -> Vec<(&'static str, Kind)>,
) -> Table {
    Table {
        name,
        heading,
        keys,
        required,
        kinds,
    }
}

fn names<T, const N: usize>(choices: &[(&'static str, T); N]) -> Kind {
    Kind::Choice(choices.iter().map(|(name, _)| *name).collect())
}

fn of_file() -> Vec<(&'static str, Kind)> {
    vec![
        ("include", Kind::Texts),
        ("node", Kind::Table("node")),
        ("cluster", Kind::Table("cluster")),
        ("runtime", Kind::Table("runtime")),
        ("control", Kind::Table("control")),
        ("admin", Kind::Table("admin")),
        ("log", Kind::Table("log")),
        ("modules", Kind::Named("module")),
        ("supervisors", Kind::Named("supervisor")),
        ("defaults", Kind::Table("defaults")),
        ("actors", Kind::List("actor")),
        ("entities", Kind::Named("entity")),
    ]
}

fn of_node() -> Vec<(&'static str, Kind)> {
    vec![
        ("name", Kind::Text),
        ("hostname", Kind::Text),
        ("listen", Kind::Text),
        ("cookie_file", Kind::Text),
        ("cookie_env", Kind::Text),
        ("peers", Kind::Texts),
        ("tls", Kind::Table("node-tls")),
        ("insecure", Kind::Boolean),
        ("on_give_up", names(&node::ON_GIVE_UP)),
        ("stand_in_names", Kind::Choice(vec!["bare", "qualified"])),
        ("stock_peers", Kind::Boolean),
        ("groups", Kind::TextsOrTables("group")),
        ("limits", Kind::Table("node-limits")),
    ]
}

fn of_cluster() -> Vec<(&'static str, Kind)> {
    vec![
        ("store_file", Kind::Text),
        ("store_env", Kind::Text),
        ("advertise", Kind::Text),
        ("links", names(&cluster::LINKS)),
        ("links_idle", Kind::Time),
        ("labels", Kind::Settings),
        ("lease", Kind::Time),
    ]
}

fn of_node_limits() -> Vec<(&'static str, Kind)> {
    [&node_limits::PEER_BYTES, &node_limits::ALL_PEERS_BYTES]
        .map(|limit| (limit.key, Kind::Size(limit.range.clone())))
        .into()
}

fn of_tls(last: &'static str, kind: Kind) -> Vec<(&'static str, Kind)> {
    vec![
        ("cert", Kind::Text),
        ("key", Kind::Text),
        ("ca", Kind::Text),
        ("client_auth", Kind::Choice(vec!["required", "none"])),
        (last, kind),
    ]
}

fn of_runtime() -> Vec<(&'static str, Kind)> {
    let numbers = [
        &runtime::MAX_GUESTS,
        &runtime::MAX_MEMORIES,
        &runtime::MAX_TABLES,
        &runtime::TABLE_RESERVATION,
        &runtime::ACTIVATIONS_AT_ONCE,
        &runtime::ACTIVATIONS_PER_SECOND,
    ];
    let sizes = [
        &runtime::MEMORY_RESERVATION,
        &runtime::INSTANCE_BYTES,
        &runtime::STACK_BYTES,
        &runtime::COMPONENT_BYTES,
        &runtime::SOURCE_BYTES,
        &runtime::CACHE_BYTES,
    ];
    let numbers = numbers.map(|limit| (limit.key, Kind::Integer(limit.range.clone())));
    let sizes = sizes.map(|limit| (limit.key, Kind::Size(limit.range.clone())));
    let others = [
        ("cache_dir", Kind::Text),
        ("cache_key_file", Kind::Text),
        ("state_dir", Kind::Text),
        (runtime::EPOCH_TICK.key, Kind::Time),
        ("copy_on_write", Kind::Boolean),
        ("tiered_compilation", Kind::Boolean),
        ("http_roots", Kind::Text),
        ("name_servers", Kind::Texts),
    ];
    numbers.into_iter().chain(sizes).chain(others).collect()
}

fn of_control() -> Vec<(&'static str, Kind)> {
    control::KEYS.known.iter().map(|key| (*key, Kind::Text)).collect()
}

fn of_admin() -> Vec<(&'static str, Kind)> {
    let kind = |key: &str| match key {
        "tls" => Kind::Table("admin-tls"),
        "allowed_hosts" | "required_peers" => Kind::Texts,
        _ => Kind::Text,
    };
    admin::KEYS.known.iter().map(|key| (*key, kind(key))).collect()
}

fn of_module() -> Vec<(&'static str, Kind)> {
    vec![
        ("path", Kind::Text),
        ("source", Kind::Text),
        ("digest", Kind::Text),
        ("watch", Kind::Boolean),
        ("build", Kind::Text),
        ("sources", Kind::Texts),
    ]
}

fn of_supervisor() -> Vec<(&'static str, Kind)> {
    vec![
        ("strategy", names(&Strategy::ALL)),
        ("max_restarts", Kind::Integer(0..=supervisor::MOST_RESTARTS)),
        ("within", Kind::Time),
        ("backoff", Kind::Time),
        ("max_backoff", Kind::Time),
        ("supervisor", Kind::Text),
    ]
}

fn of_actor() -> Vec<(&'static str, Kind)> {
    vec![
        ("name", Kind::Text),
        ("module", Kind::Text),
        ("native", Kind::Text),
        ("groups", Kind::Texts),
        ("arguments", Kind::Text),
        ("count", Kind::Integer(1..=MAX_COUNT)),
        ("restart", names(&actor::RESTARTS)),
        ("essential", Kind::Boolean),
        ("reload", names(&actor::RELOADS)),
        ("supervisor", Kind::Text),
        ("checkpoint", Kind::Table("checkpoint")),
        ("limits", Kind::Table("limits")),
        ("config", Kind::Settings),
        ("capabilities", Kind::Table("capabilities")),
        ("interfaces", Kind::Interfaces),
    ]
}

fn of_entity() -> Vec<(&'static str, Kind)> {
    vec![
        ("module", Kind::Text),
        ("native", Kind::Text),
        ("arguments", Kind::Text),
        ("passivate_after", Kind::Text),
        ("durability", Kind::Text),
        ("always", Kind::Texts),
        ("max_active", Kind::Integer(1..=entity::MOST_ACTIVE)),
        ("shards", Kind::Integer(1..=entity::MOST_SHARDS)),
        ("where", Kind::Choices),
        ("reload", names(&actor::RELOADS)),
        ("limits", Kind::Table("limits")),
        ("config", Kind::Settings),
        ("capabilities", Kind::Table("capabilities")),
        ("interfaces", Kind::Interfaces),
    ]
}

fn of_limits() -> Vec<(&'static str, Kind)> {
    let kind = |slot: &LimitSlot<'_>| match slot {
        LimitSlot::Size(_) | LimitSlot::SizeOfFamily(_) => Kind::Size(0..=limits::LARGEST),
        LimitSlot::Count(_) | LimitSlot::CountOfFamily(_) | LimitSlot::Rate(_) | LimitSlot::RateOfFamily(_) => {
            Kind::Integer(0..=limits::MOST)
        }
        LimitSlot::Time(_) | LimitSlot::Wait(_) => Kind::Time,
        LimitSlot::WhenFull(_) => names(&WhenFull::NAMES),
    };
    let mut limits = Limits::default();
    limits.rows_mut().map(|(row, slot)| (row.key, kind(&slot))).collect()
}

fn of_capabilities() -> Vec<(&'static str, Kind)> {
    let kind = |capability| match capability {
        Capability::Directories => Kind::List("directory"),
        _ => Kind::Texts,
    };
    Capability::ALL
        .map(|capability| (capability.key(), kind(capability)))
        .into()
}
