//! How an engine is set up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::complexity::Complexity;
use crate::policy::limits::Limits;

/// The stack that the host's functions get, in bytes, when a guest that has used up its own calls them.
const HOST_STACK: usize = 1536 << 10;

/// Linear memories for each guest of a pool, at least. Most guests are one module with one memory; a component around QuickJS
/// has two. A pool of address space costs little, so it is sized for what may be deployed later.
pub const POOL_MEMORIES: u32 = 3;

/// Tables for each guest of a pool, at least.
pub const POOL_TABLES: u32 = 8;

/// How an engine is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineConfig {
    /// Where compiled code is kept between runs. Must belong to this user alone. None: it is not kept.
    pub cache_dir: Option<PathBuf>,
    /// The file with the key that says which compiled code was compiled here. It is made if it isn't there, and is not to be in
    /// `cache_dir`. Engines with another key have entries of their own. None: nothing can be kept.
    pub cache_key: Option<PathBuf>,
    /// Bytes of compiled code that are kept there, of all nodes that share the folder. Beyond it, what other engines made and
    /// then what was used longest ago is given up; what a node runs stays. What there is no room for isn't kept.
    pub cache_bytes: u64,
    /// The longest that a guest runs before it gives way; it may do so after half of it. Half of it is the resolution of
    /// [`Limits::cpu_per_message`](crate::Limits::cpu_per_message). At least a millisecond.
    pub epoch_tick: Duration,
    /// Where instances come from.
    pub allocation: Allocation,
    /// Address space that is reserved for one linear memory, in bytes. No memory can outgrow it.
    pub memory_reservation: u64,
    /// Elements that room is reserved for in one table. No table can outgrow it.
    pub table_reservation: usize,
    /// Linear memories of the pool, of all guests together, as far as the machine has room for them. None for
    /// [`POOL_MEMORIES`] for each guest.
    pub max_memories: Option<u32>,
    /// Tables of the pool, of all guests together. None for [`POOL_TABLES`] for each guest.
    pub max_tables: Option<u32>,
    /// What the host keeps of one guest's functions, globals and the like, in bytes: see
    /// [`Needs::instance_bytes`](crate::Needs::instance_bytes). A component that needs more is not loaded.
    pub instance_bytes: u64,
    /// What a module may take while it describes itself, on an instance that is no actor.
    pub description_limits: Limits,
    /// The stack of a guest, in bytes: how deep its functions may call each other. Beyond it the guest traps.
    pub stack_bytes: usize,
    /// The largest component file that is loaded, in bytes.
    pub component_bytes: u64,
    /// The largest source file that a component runs, in bytes.
    pub source_bytes: u64,
    /// How soon a component that was never compiled can run.
    pub compilation: Compilation,
    /// How hard a component may be to compile.
    pub complexity: Complexity,
    /// Whether the guests of a module share the pages of its initial memory until they write to them. It saves large guests
    /// memory and time, but takes twice the memory mappings: see [`Machine`](crate::Machine).
    pub copy_on_write: bool,
    /// The servers that are asked for the names that guests look up; none for those of `/etc/resolv.conf`.
    pub name_servers: Vec<SocketAddr>,
}

impl EngineConfig {
    /// The stack of a guest with what the host's functions get of it, in bytes.
    pub(crate) fn stack_with_host(&self) -> usize {
        Self::with_host_stack(self.stack_bytes)
    }

    /// The same, for another stack.
    pub(crate) fn with_host_stack(stack_bytes: usize) -> usize {
        stack_bytes.saturating_add(HOST_STACK)
    }
}

/// How soon a component that was never compiled can run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compilation {
    /// When its optimized code is ready.
    #[default]
    Optimized,
    /// When a baseline compiler is done with it, which takes a fraction of the time and makes slower code. Whoever loads it asks for
    /// the optimized code then: see [`Modules::tier_up`](crate::Modules::tier_up). What the cache has is optimized at once.
    Tiered {
        /// The size of a component from which this is done, in bytes. A smaller one is optimized at once, too.
        smallest: usize,
    },
}

impl Compilation {
    /// The usual one in tiers: what is smaller is optimized while a person blinks.
    pub const TIERED: Self = Self::Tiered { smallest: 512 << 10 };
}

/// How well code is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Quickly, function by function as it is written.
    Baseline,
    /// As well as it can be.
    Optimized,
}

/// Where instances come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// Each instance is mapped when it is made and unmapped when it ends. No limit on their number but the system's.
    OnDemand,
    /// Instances take slots of a pool that is reserved once: several times faster to make and to end.
    Pool {
        /// How many guests can live at once. Each reserves address space for its memories. [`Machine::room`](crate::Machine::room) says how
        /// many fit. Children are refused where they would leave too few for the most actors that there were at once
        /// without a guest as parent, and an eighth for what lives for a moment.
        guests: u32,
    },
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            cache_key: None,
            cache_bytes: 2 << 30,
            epoch_tick: Duration::from_millis(5),
            allocation: Allocation::Pool { guests: 1000 },
            memory_reservation: 64 << 20,
            table_reservation: 100_000,
            max_memories: None,
            max_tables: None,
            instance_bytes: 4 << 20,
            description_limits: Limits::default(),
            stack_bytes: 512 << 10,
            component_bytes: 256 << 20,
            source_bytes: 1 << 20,
            compilation: Compilation::Optimized,
            complexity: Complexity::default(),
            copy_on_write: true,
            name_servers: Vec::new(),
        }
    }
}
