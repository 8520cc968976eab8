//! What one guest may take of the host, by name.

mod common;

use std::time::Duration;

pub use common::Common;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The limits of one guest. Every field names its unit and what happens when the guest reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, all memories of the instance together. Beyond it `memory.grow` fails, which most
    /// languages turn into a trap. No single memory can outgrow
    /// [`EngineConfig::memory_reservation`](crate::EngineConfig::memory_reservation) either.
    pub memory_bytes: usize,
    /// Table elements, all tables together. Beyond it `table.grow` fails.
    pub table_elements: usize,
    /// Core instances that the component may consist of. Beyond it the actor does not start.
    pub core_instances: usize,
    /// Linear memories that all core instances together may have. Beyond it the actor does not start.
    pub memories: usize,
    /// Tables that all core instances together may have. Beyond it the actor does not start.
    pub tables: usize,
    /// Live resource handles (WASI streams, pollables, ...). Beyond it the guest traps.
    pub handles: usize,
    /// Time on a thread for handling one message. Beyond it the guest traps. Waiting for a reply or for a timer does
    /// not count. Its resolution is [`EngineConfig::epoch_tick`](crate::EngineConfig::epoch_tick).
    pub cpu_per_message: Duration,
    /// The longest that handling one message may take, with all that the guest waits for. Beyond it the guest fails.
    pub message_time: Duration,
    /// The longest that a guest may take to be instantiated, to describe itself, to start and to stop: each callback alone,
    /// with all that it waits for. Beyond it the guest fails.
    pub lifecycle_time: Duration,
    /// Bytes of one message, variant and arguments together. A larger one from the guest is refused with `too-large`; a
    /// larger one to the guest is dropped. The default fits, with its envelope, into the 16 MiB that every node accepts
    /// as one frame.
    pub message_bytes: usize,
    /// Bytes of the state that is handed from old code to new, or kept. Beyond it a reload fails and the old code goes on.
    pub state_bytes: usize,
    /// Bytes of one reply, given or received. A larger one that the guest gives is refused with `too-large` or, if the
    /// callback returned it, dropped; a larger one that it receives fails the call with `too-large`.
    pub reply_bytes: usize,
    /// Messages that wait to be handled. What happens beyond it is [`Limits::mailbox_full`]. Of changes in process groups
    /// that the actor monitors, too, no more may wait; those beyond it are dropped and counted as dead letters.
    pub mailbox_messages: usize,
    /// Bytes of the messages that wait to be handled, with some two hundred bytes for each. A message that is larger
    /// alone is still taken into an empty mailbox.
    pub mailbox_bytes: usize,
    /// What happens to a message that finds the mailbox full.
    pub mailbox_full: WhenFull,
    /// The longest that a message of the guest waits for room: in the mailbox of an actor of this node, or of what waits for
    /// another node. Beyond it the cast, or the call, fails with `overloaded`.
    pub send_wait: Duration,
    /// Calls that the guest has put off answering. Beyond it the newest is dropped, so that its caller hears at once.
    pub deferred_replies: usize,
    /// The longest that a call of the guest waits, whatever timeout it asked for. Beyond it the call fails with
    /// `timeout`. As long, at most, takes the start of a child.
    pub call_wait: Duration,
    /// Process groups that the actor may be in, and monitor, together. Beyond it the guest traps.
    pub groups: usize,
    /// Timers that run at once, and as many bytes of their messages as [`Limits::mailbox_bytes`]. One whose message waits
    /// for a native actor still counts. Beyond it a new one is refused with `too-many`.
    pub timers: usize,
    /// Children that live at once, with their children and so on: of all that descend from one actor that no guest spawned.
    /// One counts until its parent has heard of its end. Beyond it a new one is refused with `too-many`. So is one
    /// that would leave too little of [`Allocation::Pool`](crate::Allocation::Pool) to others.
    pub children: usize,
    /// Actors that the guest monitors at once. One counts until the guest has heard of its end. Beyond it a further one is
    /// refused with `too-many`.
    pub monitors: usize,
    /// HTTP requests that are outstanding at once: from when one is sent until all of its response was read or given up.
    /// Beyond it a new one fails with `connection-limit-reached`.
    pub http_requests: usize,
    /// Bytes of the body of one HTTP request. Beyond it the request fails with `HTTP-request-body-size`.
    pub http_request_bytes: usize,
    /// Bytes of the body of one response. Beyond it the guest's reading fails with `HTTP-response-body-size`.
    pub http_response_bytes: usize,
    /// Bytes of the headers of one HTTP request, as the host holds them, and of one response, with its first line. Beyond it
    /// a guest traps, a response fails with `HTTP-response-header-section-size`. Each set of headers takes a handle, so that
    /// the host holds no more than this for each of [`Limits::handles`].
    pub http_header_bytes: usize,
    /// The longest that an HTTP request waits for its connection, then, while it is sent, for the first byte of its response,
    /// then for each further one, whatever the guest asked for. Beyond it the request fails with `connection-timeout` or
    /// `connection-read-timeout`.
    pub http_wait: Duration,
    /// Bytes of one name: of an actor, a group, a scope. Beyond it an actor does not start, a guest traps.
    pub name_bytes: usize,
    /// Bytes of one log event or one line of output. The rest is cut off and said to be.
    pub log_bytes: usize,
    /// Log events and lines of output in one second, with what the host logs of the actor's limits. Beyond it they are
    /// dropped, and their number is logged with the first that is not, at most once a second. After a pause a burst may
    /// have twice as many.
    pub log_rate: u32,
    /// As [`Limits::log_rate`], of the actor and all its descendants together. None for 4 times that of one.
    pub family_log_rate: Option<u32>,
    /// As [`Limits::memory_bytes`], of the actor and all its descendants together, with their start arguments and
    /// the lists of directories that they are reading. Beyond it `memory.grow` fails, no further child starts, and no directory is
    /// listed. None for 16 times that of one.
    pub family_memory_bytes: Option<usize>,
    /// Bytes of the messages that wait for the actor and all its descendants together, and of those that their timers will
    /// send. Beyond it a mailbox is full, and a timer refused. None for 4 times [`Limits::mailbox_bytes`].
    pub family_mailbox_bytes: Option<usize>,
    /// As [`Limits::timers`], of the actor and all its descendants together. None for 4 times that of one.
    pub family_timers: Option<usize>,
    /// As [`Limits::monitors`], of the actor and all its descendants together. None for 4 times that of one.
    pub family_monitors: Option<usize>,
    /// As [`Limits::groups`], of the actor and all its descendants together. None for 4 times that of one.
    pub family_groups: Option<usize>,
    /// As [`Limits::deferred_replies`], of the actor and all its descendants together. None for 4 times that of one.
    pub family_deferred_replies: Option<usize>,
    /// As [`Limits::http_requests`], of the actor and all its descendants together. None for 4 times that of one.
    pub family_http_requests: Option<usize>,
    /// As [`Limits::handles`], of the actor and all its descendants together: the most that each instance has had at once, and one
    /// for each directory that it was granted. Beyond it the guest traps. None for 4 times that of one.
    pub family_handles: Option<usize>,
}

/// What happens to a message that finds a mailbox full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// A guest of this node that sends it waits for room, up to [`Limits::send_wait`]. From elsewhere it is refused.
    Wait,
    /// It is refused: a guest hears `overloaded`, a caller that its call failed, and it is counted as a dead letter.
    Reject,
    /// The messages that have waited the longest make room for it, and are counted as dead letters.
    DropOldest,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * MIB,
            table_elements: 100_000,
            core_instances: 256,
            memories: 16,
            tables: 128,
            handles: 4096,
            cpu_per_message: Duration::from_secs(10),
            message_time: Duration::from_secs(3600),
            lifecycle_time: Duration::from_secs(60),
            message_bytes: 15 * MIB,
            state_bytes: 64 * MIB,
            reply_bytes: 15 * MIB,
            mailbox_messages: 100_000,
            mailbox_bytes: 64 * MIB,
            mailbox_full: WhenFull::Wait,
            send_wait: Duration::from_secs(10),
            deferred_replies: 1024,
            call_wait: Duration::from_secs(300),
            groups: 1024,
            timers: 1024,
            children: 256,
            monitors: 1024,
            http_requests: 16,
            http_request_bytes: 15 * MIB,
            http_response_bytes: 15 * MIB,
            http_header_bytes: 16 * KIB,
            http_wait: Duration::from_secs(60),
            name_bytes: 255,
            log_bytes: 8 * KIB,
            log_rate: 1000,
            family_log_rate: None,
            family_memory_bytes: None,
            family_mailbox_bytes: None,
            family_timers: None,
            family_monitors: None,
            family_groups: None,
            family_deferred_replies: None,
            family_http_requests: None,
            family_handles: None,
        }
    }
}

/// A limit that was reached, with its value. Displayed as "its limit of …" with the name that it has in node.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// See [`Limits::memory_bytes`].
    #[error("its limit of {0} bytes of memory (memory_bytes)")]
    Memory(usize),
    /// See [`Limits::table_elements`].
    #[error("its limit of {0} table elements (table_elements)")]
    TableElements(usize),
    /// See [`Limits::core_instances`].
    #[error("its limit of {0} core instances (core_instances)")]
    CoreInstances(usize),
    /// See [`Limits::memories`].
    #[error("its limit of {0} memories (memories)")]
    Memories(usize),
    /// See [`Limits::tables`].
    #[error("its limit of {0} tables (tables)")]
    Tables(usize),
    /// See [`EngineConfig::memory_reservation`](crate::EngineConfig::memory_reservation).
    #[error("its limit of {0} bytes for one memory (memory_reservation)")]
    MemoryReservation(u64),
    /// See [`EngineConfig::table_reservation`](crate::EngineConfig::table_reservation).
    #[error("its limit of {0} elements for one table (table_reservation)")]
    TableReservation(usize),
    /// See [`Limits::handles`].
    #[error("its limit of {0} live handles (handles)")]
    Handles(usize),
    /// See [`EngineConfig::stack_bytes`](crate::EngineConfig::stack_bytes).
    #[error("its limit of {0} bytes of stack (stack_bytes)")]
    Stack(usize),
    /// See [`Limits::cpu_per_message`].
    #[error("its limit of {0:?} of processor time for one message (cpu_per_message)")]
    Cpu(Duration),
    /// See [`Limits::message_time`].
    #[error("its limit of {0:?} for one message, waits included (message_time)")]
    MessageTime(Duration),
    /// See [`Limits::lifecycle_time`].
    #[error("its limit of {0:?} for starting or stopping, waits included (lifecycle_time)")]
    LifecycleTime(Duration),
    /// See [`Limits::message_bytes`].
    #[error("its limit of {0} bytes for one message (message_bytes)")]
    MessageBytes(usize),
    /// See [`Limits::reply_bytes`].
    #[error("its limit of {0} bytes for one reply (reply_bytes)")]
    ReplyBytes(usize),
    /// See [`Limits::mailbox_messages`].
    #[error("its limit of {0} waiting messages (mailbox_messages)")]
    MailboxMessages(usize),
    /// See [`Limits::mailbox_bytes`].
    #[error("its limit of {0} bytes of waiting messages (mailbox_bytes)")]
    MailboxBytes(usize),
    /// See [`Limits::send_wait`].
    #[error("its limit of {0:?} of waiting for room in a mailbox (send_wait)")]
    SendWait(Duration),
    /// See [`Limits::deferred_replies`].
    #[error("its limit of {0} calls put off (deferred_replies)")]
    DeferredReplies(usize),
    /// See [`Limits::call_wait`].
    #[error("its limit of {0:?} for one call (call_wait)")]
    CallWait(Duration),
    /// See [`Limits::groups`].
    #[error("its limit of {0} process groups (groups)")]
    Groups(usize),
    /// See [`Limits::timers`].
    #[error("its limit of {0} timers (timers)")]
    Timers(usize),
    /// See [`Limits::children`].
    #[error("its limit of {0} children (children)")]
    Children(usize),
    /// The places of [`Allocation::Pool`](crate::Allocation::Pool) that children of all actors together may take.
    #[error("its limit of {0} children of all actors of this node together (max_guests)")]
    ChildrenOfAll(usize),
    /// See [`Limits::monitors`].
    #[error("its limit of {0} monitored actors (monitors)")]
    Monitors(usize),
    /// See [`Limits::http_requests`].
    #[error("its limit of {0} outstanding HTTP requests (http_requests)")]
    HttpRequests(usize),
    /// See [`Limits::http_request_bytes`].
    #[error("its limit of {0} bytes for the body of an HTTP request (http_request_bytes)")]
    HttpRequestBytes(usize),
    /// See [`Limits::http_response_bytes`].
    #[error("its limit of {0} bytes for the body of an HTTP response (http_response_bytes)")]
    HttpResponseBytes(usize),
    /// See [`Limits::http_header_bytes`].
    #[error("its limit of {0} bytes of HTTP headers (http_header_bytes)")]
    HttpHeaderBytes(usize),
    /// See [`Limits::http_wait`].
    #[error("its limit of {0:?} of waiting for an HTTP server (http_wait)")]
    HttpWait(Duration),
    /// See [`Limits::name_bytes`].
    #[error("its limit of {0} bytes for a name (name_bytes)")]
    NameBytes(usize),
    /// See [`Limits::log_rate`].
    #[error("its limit of {0} log events a second (log_rate)")]
    LogRate(u32),
    /// See [`Limits::family_log_rate`].
    #[error("its family's limit of {0} log events a second (family_log_rate)")]
    FamilyLogRate(u32),
    /// What its family may have together: see [`Common`].
    #[error("its family's limit of {1} {unit} ({key})", unit = .0.unit(), key = .0.key())]
    OfFamily(Common, usize),
}

impl Limit {
    /// How much it is, of those that bound what an instance has when it starts.
    pub(crate) const fn amount(&self) -> Option<u64> {
        match self {
            Self::Memory(amount)
            | Self::TableElements(amount)
            | Self::CoreInstances(amount)
            | Self::Memories(amount)
            | Self::Tables(amount) => Some(*amount as u64),
            _ => None,
        }
    }

    /// The name that it has in node.toml, and in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory_bytes",
            Self::TableElements(_) => "table_elements",
            Self::CoreInstances(_) => "core_instances",
            Self::Memories(_) => "memories",
            Self::Tables(_) => "tables",
            Self::MemoryReservation(_) => "memory_reservation",
            Self::TableReservation(_) => "table_reservation",
            Self::Handles(_) => "handles",
            Self::Stack(_) => "stack_bytes",
            Self::Cpu(_) => "cpu_per_message",
            Self::MessageTime(_) => "message_time",
            Self::LifecycleTime(_) => "lifecycle_time",
            Self::MessageBytes(_) => "message_bytes",
            Self::ReplyBytes(_) => "reply_bytes",
            Self::MailboxMessages(_) => "mailbox_messages",
            Self::MailboxBytes(_) => "mailbox_bytes",
            Self::SendWait(_) => "send_wait",
            Self::DeferredReplies(_) => "deferred_replies",
            Self::CallWait(_) => "call_wait",
            Self::Groups(_) => "groups",
            Self::Timers(_) => "timers",
            Self::Children(_) => "children",
            Self::ChildrenOfAll(_) => "max_guests",
            Self::Monitors(_) => "monitors",
            Self::HttpRequests(_) => "http_requests",
            Self::HttpRequestBytes(_) => "http_request_bytes",
            Self::HttpResponseBytes(_) => "http_response_bytes",
            Self::HttpHeaderBytes(_) => "http_header_bytes",
            Self::HttpWait(_) => "http_wait",
            Self::NameBytes(_) => "name_bytes",
            Self::LogRate(_) => "log_rate",
            Self::FamilyLogRate(_) => "family_log_rate",
            Self::OfFamily(of, _) => of.key(),
        }
    }
}
