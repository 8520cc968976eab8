//! `[runtime]`: how guests are run.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::actor::{ActorSection, Code};
use super::context::ReadContext;
use super::node_limit::{DefaultLimit, NodeLimit};
use super::problem::Problems;
use super::section::{Keys, Section};
use super::spans::ActorSpans;
use super::tls;
use crate::entities::ActivationLimits;
use crate::guest::{EngineConfig, HttpTrust};
use crate::tls::read_roots;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "cache_dir",
        "cache_key_file",
        CACHE_BYTES.key,
        "state_dir",
        MAX_GUESTS.key,
        MAX_MEMORIES.key,
        MAX_TABLES.key,
        MEMORY_RESERVATION.key,
        TABLE_RESERVATION.key,
        INSTANCE_BYTES.key,
        STACK_BYTES.key,
        COMPONENT_BYTES.key,
        SOURCE_BYTES.key,
        EPOCH_TICK.key,
        ACTIVATIONS_AT_ONCE.key,
        ACTIVATIONS_PER_SECOND.key,
        "copy_on_write",
        "tiered_compilation",
        "http_roots",
        "name_servers",
    ],
    explained: &[
        ("max_instances", "write `max_guests = 5000`"),
        (
            "core_instances",
            "each guest has its own limit: write it under `[actors.limits]`",
        ),
        (
            "memories",
            "write `max_memories = 5000` for all guests together, or `memories` under `[actors.limits]` for each",
        ),
        (
            "tables",
            "write `max_tables = 10000` for all guests together, or `tables` under `[actors.limits]` for each",
        ),
        ("stack_size", "write `stack_bytes = \"512KiB\"`"),
        (
            "ca",
            "write `http_roots = \"ca.pem\"` for what guests' HTTPS requests trust",
        ),
        (
            "cache",
            "write `cache_dir = \"…\"`, and `cache_bytes = \"2GiB\"` for how much is kept there",
        ),
        ("tiers", "write `tiered_compilation = true`"),
        ("winch", "write `tiered_compilation = true`"),
        ("dns", "write `name_servers = [\"10.0.0.2\"]`"),
        ("nameserver", "write `name_servers = [\"10.0.0.2\"]`"),
        ("resolver", "write `name_servers = [\"10.0.0.2\"]`"),
    ],
};

/// The most elements that a table can have: a limit of WebAssembly's implementations.
pub(crate) const MOST_ELEMENTS: u32 = 10_000_000;

/// The most memories, or tables, that all guests together can have. No machine holds as many.
const MOST_SHARED: u32 = 10_000_000;

/// As many as nobody needs.
const MOST_ACTIVATIONS: u32 = 1_000_000;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

pub(super) const MAX_GUESTS: NodeLimit<u32> = NodeLimit {
    key: "max_guests",
    // No machine holds more.
    range: 1..=1_000_000,
    default: DefaultLimit::Follows("twice the guests in `[[actors]]`, and at least 1000"),
    what: "Guests that live at once: those that are started, and those that they spawn. The pool that they come from is made for this \
           number, as far as the machine has room for it.",
    beyond: "a start fails. Children of guests are refused earlier: places for the guests of the file, and an eighth of all, are kept \
             from them",
};

pub(super) const MAX_MEMORIES: NodeLimit<u32> = NodeLimit {
    key: "max_memories",
    range: 1..=MOST_SHARED,
    default: DefaultLimit::Follows(
        "what the guests in `[[actors]]` start with, and for each further guest as many as any module has; at least 3 for each guest",
    ),
    what: "Linear memories of all guests together, as far as the machine has room for them.",
    beyond: "a guest does not start, and the error names this key",
};

pub(super) const MAX_TABLES: NodeLimit<u32> = NodeLimit {
    key: "max_tables",
    range: 1..=MOST_SHARED,
    default: DefaultLimit::Follows("as for `max_memories`, and at least 8 for each guest"),
    what: "Tables of all guests together.",
    beyond: "a guest does not start, and the error names this key",
};

pub(super) const MEMORY_RESERVATION: NodeLimit<u64> = NodeLimit {
    key: "memory_reservation",
    range: MIB..=4 * GIB,
    default: DefaultLimit::Follows("64MiB, or the largest `memory_bytes` of an actor"),
    what: "Address space for each linear memory of a guest.",
    beyond: "that memory does not grow",
};

pub(super) const TABLE_RESERVATION: NodeLimit<u32> = NodeLimit {
    key: "table_reservation",
    range: 1..=MOST_ELEMENTS,
    default: DefaultLimit::Follows("100000, or the largest `table_elements` of an actor"),
    what: "Elements that room is reserved for in each table of a guest.",
    beyond: "that table does not grow",
};

pub(super) const INSTANCE_BYTES: NodeLimit<u64> = NodeLimit {
    key: "instance_bytes",
    range: KIB..=GIB,
    default: DefaultLimit::Is(|| EngineConfig::default().instance_bytes),
    what: "What the node keeps for the functions, globals and imports of one guest.",
    beyond: "the component is not loaded",
};

pub(super) const STACK_BYTES: NodeLimit<u64> = NodeLimit {
    key: "stack_bytes",
    range: 64 * KIB..=256 * MIB,
    default: DefaultLimit::Is(|| EngineConfig::default().stack_bytes as u64),
    what: "The stack of a guest: how deep its functions may call each other.",
    beyond: "the guest traps",
};

pub(super) const COMPONENT_BYTES: NodeLimit<u64> = NodeLimit {
    key: "component_bytes",
    range: KIB..=4 * GIB,
    default: DefaultLimit::Is(|| EngineConfig::default().component_bytes),
    what: "The file of one component.",
    beyond: "it is not loaded",
};

pub(super) const SOURCE_BYTES: NodeLimit<u64> = NodeLimit {
    key: "source_bytes",
    range: KIB..=64 * MIB,
    default: DefaultLimit::Is(|| EngineConfig::default().source_bytes),
    what: "The file of source text that a component runs (`source` of a module).",
    beyond: "the module is not loaded",
};

pub(super) const CACHE_BYTES: NodeLimit<u64> = NodeLimit {
    key: "cache_bytes",
    range: MIB..=TIB,
    default: DefaultLimit::Is(|| EngineConfig::default().cache_bytes),
    what: "Compiled code in `cache_dir`, that of all nodes which share the folder.",
    beyond: "what other versions or set-ups of the engine made is removed first, then what was used longest ago; what a node runs stays, \
             and what there is no room for is compiled again at each start",
};

pub(super) const EPOCH_TICK: NodeLimit<Duration> = NodeLimit {
    key: "epoch_tick",
    range: Duration::from_millis(1)..=Duration::from_secs(1),
    default: DefaultLimit::Is(|| EngineConfig::default().epoch_tick),
    what: "The longest that a guest runs before it gives way to others. It may be cut off after half of it.",
    beyond: "the guest is interrupted and waits for its next turn",
};

pub(super) const ACTIVATIONS_AT_ONCE: NodeLimit<u32> = NodeLimit {
    key: "activations_at_once",
    range: 1..=MOST_ACTIVATIONS,
    default: DefaultLimit::Is(|| u32::try_from(ActivationLimits::default().at_once).unwrap_or(u32::MAX)),
    what: "Entities that are activated at the same time.",
    beyond: "further ones wait for their turn, with their messages",
};

pub(super) const ACTIVATIONS_PER_SECOND: NodeLimit<u32> = NodeLimit {
    key: "activations_per_second",
    range: 1..=MOST_ACTIVATIONS,
    default: DefaultLimit::Is(|| ActivationLimits::default().a_second),
    what: "Entities that are activated within a second.",
    beyond: "further ones wait for their turn, with their messages",
};

/// The port of servers for names.
const NAME_PORT: u16 = 53;

/// The most servers that a node asks. The next one is asked when one doesn't answer, which takes seconds.
const MOST_NAME_SERVERS: usize = 8;

/// The checked `[runtime]` table. None is the default, which docs/node-toml.md names.
#[derive(Clone, Debug, Default)]
pub struct RuntimeSection {
    /// Where compiled code is kept; none for a folder of the user's cache directory.
    pub cache_dir: Option<PathBuf>,
    /// The file with the key that tells which compiled code is this installation's; none for one beside the states of nodes.
    pub cache_key_file: Option<PathBuf>,
    /// Bytes of compiled code that are kept there.
    pub cache_bytes: Option<u64>,
    /// Where checkpoints and what was deployed are kept; none for a folder for this node in the user's state directory.
    pub state_dir: Option<PathBuf>,
    /// How many guests can live at once.
    pub max_guests: Option<u32>,
    /// Linear memories of all guests together.
    pub max_memories: Option<u32>,
    /// Tables of all guests together.
    pub max_tables: Option<u32>,
    /// Address space for one linear memory, in bytes: what no memory can outgrow.
    pub memory_reservation: Option<u64>,
    /// Room for one table, in elements: what no table can outgrow.
    pub table_reservation: Option<u32>,
    /// What the host keeps of one guest's functions, globals and the like, in bytes.
    pub instance_bytes: Option<u64>,
    /// The stack of one guest, in bytes.
    pub stack_bytes: Option<usize>,
    /// The largest component file, in bytes.
    pub component_bytes: Option<u64>,
    /// The largest source that a component runs, in bytes.
    pub source_bytes: Option<u64>,
    /// How long a guest runs before it gives way.
    pub epoch_tick: Option<Duration>,
    /// How many entities are activated at the same time.
    pub activations_at_once: Option<u32>,
    /// How many entities are activated within a second.
    pub activations_per_second: Option<u32>,
    /// Whether guests share the pages of their initial memory that they don't write to.
    pub copy_on_write: Option<bool>,
    /// Whether a large component that was never compiled runs baseline code until its optimized code is ready; none for what the
    /// command does: `dev` does so, and `run` does not.
    pub tiered_compilation: Option<bool>,
    /// Whom guests' HTTPS requests trust; none for whom the system trusts.
    pub http_roots: Option<HttpTrust>,
    /// The file that says so.
    pub http_roots_file: Option<PathBuf>,
    /// The servers that are asked for names that guests look up; none for those of the system.
    pub name_servers: Vec<SocketAddr>,
}

/// The file is read at once, so that `check` finds out what is wrong with it.
fn read_http_roots(section: &Section<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Option<HttpTrust> {
    let path = section.text("http_roots", problems)?;
    match read_roots(&context.path(&path)) {
        Ok(roots) => Some(HttpTrust::new(roots)),
        Err(error) => {
            problems.error(path.span(), error.to_string(), tls::help(&error, &path, context));
            None
        }
    }
}

fn read_path(
    key: &str,
    what: &str,
    section: &Section<'_>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> Option<PathBuf> {
    let dir = section.text(key, problems)?;
    if dir.get_ref().is_empty() {
        let message = format!("`{key}` is empty");
        problems.error(
            dir.span(),
            message,
            format!("expected the path of a {what}, or leave it out"),
        );
    }
    Some(context.path(&dir))
}

impl RuntimeSection {
    pub(super) fn read(section: &Section<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Self {
        let (cache_dir, state_dir) = (
            read_path("cache_dir", "folder", section, context, problems),
            read_path("state_dir", "folder", section, context, problems),
        );
        let cache_key_file = read_path("cache_key_file", "file", section, context, problems);
        if let (Some(key), Some(cache)) = (&cache_key_file, &cache_dir)
            && key.starts_with(cache)
            && let Some(value) = section.value("cache_key_file")
        {
            let help = "whoever can write to the cache could replace the key: choose a file elsewhere";
            problems.error(value.span(), "`cache_key_file` is in `cache_dir`", help);
        }
        let stack_bytes = STACK_BYTES.read(section, problems);
        Self {
            cache_dir,
            cache_key_file,
            state_dir,
            cache_bytes: CACHE_BYTES.read(section, problems),
            max_guests: MAX_GUESTS.read(section, problems),
            max_memories: MAX_MEMORIES.read(section, problems),
            max_tables: MAX_TABLES.read(section, problems),
            memory_reservation: MEMORY_RESERVATION.read(section, problems),
            table_reservation: TABLE_RESERVATION.read(section, problems),
            instance_bytes: INSTANCE_BYTES.read(section, problems),
            stack_bytes: stack_bytes.and_then(|bytes| usize::try_from(bytes).ok()),
            component_bytes: COMPONENT_BYTES.read(section, problems),
            source_bytes: SOURCE_BYTES.read(section, problems),
            epoch_tick: EPOCH_TICK.read(section, problems),
            activations_at_once: ACTIVATIONS_AT_ONCE.read(section, problems),
            activations_per_second: ACTIVATIONS_PER_SECOND.read(section, problems),
            copy_on_write: section.boolean("copy_on_write", problems),
            tiered_compilation: section.boolean("tiered_compilation", problems),
            http_roots: read_http_roots(section, context, problems),
            http_roots_file: section
                // Into problems that nobody sees: what is wrong with this key has just been reported.
                .text("http_roots", &mut Problems::default())
                .map(|path| context.path(&path)),
            name_servers: read_name_servers(section, problems),
        }
    }
}

/// Complains about actors that there would be no room for.
pub(super) fn check(
    section: &Section<'_>,
    runtime: &RuntimeSection,
    actors: &[(ActorSection, ActorSpans)],
    problems: &mut Problems,
) {
    let guests = actors
        .iter()
        .map(|(actor, _)| actor)
        .filter(|actor| matches!(actor.code, Code::Module(_)));
    let guests = guests.map(|actor| actor.count).fold(0, u32::saturating_add);
    if let Some(max_guests) = runtime.max_guests.filter(|max_guests| *max_guests < guests)
        && let Some(value) = section.value("max_guests")
    {
        problems.error(
            value.span(),
            format!("`max_guests` is {max_guests}, and [[actors]] starts {guests} guests"),
            format!("expected at least {guests}, and more for those that guests spawn"),
        );
    }
}

/// Addresses, with a port or without.
fn read_name_servers(section: &Section<'_>, problems: &mut Problems) -> Vec<SocketAddr> {
    let texts = section.texts("name_servers", problems);
    if let Some(further) = texts.get(MOST_NAME_SERVERS) {
        let message = format!("`name_servers` has more than {MOST_NAME_SERVERS} servers");
        problems.error(further.span(), message, "leave out this one and those after it");
    }
    let mut servers = Vec::new();
    for text in texts {
        let address = text.get_ref();
        let alone = address
            .parse::<IpAddr>()
            .map(|address| SocketAddr::new(address, NAME_PORT));
        match alone.or_else(|_| address.parse::<SocketAddr>()) {
            Ok(server) => servers.push(server),
            Err(_) => problems.error(
                text.span(),
                "an element of `name_servers` is not an address",
                "expected an address, with a port or without: `10.0.0.2`, `127.0.0.1:5353`, `[fd00::2]:53`",
            ),
        }
    }
    servers
}
