//! What one guest may take of the host, by name: a table with one row for each limit, from which everything about it comes.

mod table;

use std::time::Duration;

pub use table::{LimitRow, LimitSlot};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

// A row is what is bounded, the key in node.toml (which is the field of [`Limits`] too), its kind, its default, what happens beyond
// it, and how it is named where a guest has reached it. `table` says what comes of that; docs/limits.md shows it.
table::limits! {
    of_one {
        /// Linear memory, all memories of the guest together. No single one can outgrow `memory_reservation` of `[runtime]` either.
        memory_bytes: Size = 64 * MIB,
            beyond "memory does not grow, which most languages turn into a trap",
            reached Memory "bytes of memory";
        /// Elements of all tables together.
        table_elements: Count = 100_000,
            beyond "tables do not grow",
            reached TableElements "table elements";
        /// Core instances that the component consists of.
        core_instances: Count = 256,
            beyond "the actor does not start",
            reached CoreInstances "core instances";
        /// Linear memories that all core instances have together.
        memories: Count = 16,
            beyond "the actor does not start",
            reached Memories "memories";
        /// Tables that all core instances have together.
        tables: Count = 128,
            beyond "the actor does not start",
            reached Tables "tables";
        /// Open files, sockets, streams and other resources.
        handles: Count = 4096,
            beyond "the guest traps",
            reached Handles "live handles";
        /// Time on a thread for one message. Waiting for a reply or a timer does not count. The resolution is half of `epoch_tick` of
        /// `[runtime]`.
        cpu_per_message: Time = Duration::from_secs(10),
            beyond "the guest traps",
            reached Cpu "of processor time for one message";
        /// Time for one message, with everything that the guest waits for.
        message_time: Time = Duration::from_secs(3600),
            beyond "the guest fails",
            reached MessageTime "for one message, waits included";
        /// Time for each callback of a start or a stop (making the instance, its description, `pre_start`, `post_stop`), with everything
        /// that the guest waits for.
        lifecycle_time: Time = Duration::from_secs(60),
            beyond "the guest fails",
            reached LifecycleTime "for starting or stopping, waits included";
        /// One message, variant and arguments together. The default fits, with its envelope, into the 16 MiB that every node accepts as
        /// one frame.
        message_bytes: Size = 15 * MIB,
            beyond "a message from the guest is refused with `too-large`, and one to the guest is dropped",
            reached MessageBytes "bytes for one message";
        /// One reply, given or received.
        reply_bytes: Size = 15 * MIB,
            beyond "a reply that the guest gives is refused with `too-large`, or dropped if a callback returned it; the call whose reply \
                    it is fails with `too-large`",
            reached ReplyBytes "bytes for one reply";
        /// Messages that wait to be handled and, counted apart, changes in process groups that the actor monitors.
        mailbox_messages: Count = 100_000,
            beyond "`mailbox_full` says what happens to a message; a change in a group is dropped and counted as a dead letter",
            reached MailboxMessages "waiting messages";
        /// Bytes of the messages that wait to be handled, with some two hundred for each. A message that is larger by itself is still
        /// taken into an empty mailbox. As many bytes of replies to `requests.ask` may wait beside them; beyond it, an ask fails with
        /// `overloaded`.
        mailbox_bytes: Size = 64 * MIB,
            beyond "`mailbox_full` says what happens",
            reached MailboxBytes "bytes of waiting messages";
        /// What happens to a message that finds the mailbox full. `wait`: guests of this node that send wait for up to their `send_wait`,
        /// everything else is refused. `reject`: everything is refused. `drop-oldest`: the messages that have waited longest make room.
        mailbox_full: WhenFull = WhenFull::Wait;
        /// The longest that a message of the guest waits for room: in a mailbox of this node, or among what waits for another node.
        send_wait: Wait = Duration::from_secs(10),
            beyond "the cast, or the call, fails with `overloaded`",
            reached SendWait "of waiting for room in a mailbox";
        /// Calls that the guest has put off answering.
        deferred_replies: Count = 1024,
            beyond "the newest is dropped, so that its caller learns of it at once",
            reached DeferredReplies "calls put off";
        /// Calls that the guest has sent with `requests.ask` and whose outcomes it has not been given.
        asks: Count = 1024,
            beyond "a new one is refused with `too-many`",
            reached Asks "outstanding asks";
        /// The longest that a call of the guest waits, whatever timeout it asked for, and that the start of a child may take.
        call_wait: Time = Duration::from_secs(300),
            beyond "the call fails with `timeout`",
            reached CallWait "for one call";
        /// Process groups that the actor is in or monitors.
        groups: Count = 1024,
            beyond "the guest traps",
            reached Groups "process groups";
        /// Timers that run, and as many bytes of their messages as `mailbox_bytes`. One whose message waits for a native actor still
        /// counts.
        timers: Count = 1024,
            beyond "a new one is refused with `too-many`",
            reached Timers "timers";
        /// Reminders of an entity.
        reminders: Count = 64,
            beyond "a new one is refused with `too-many`",
            reached Reminders "reminders";
        /// Bytes of the ids and messages of an entity's reminders. They are in memory while it is active.
        reminder_bytes: Size = 256 * KIB,
            beyond "a new one is refused with `too-large`",
            reached ReminderBytes "bytes of reminders";
        /// Living descendants of one actor that no guest spawned. A child counts until its parent has been told of its end.
        children: Count = 256,
            beyond "a new one is refused with `too-many`, as is one that would leave too few places of `max_guests` to others",
            reached Children "children";
        /// Actors that the guest monitors. One counts until the guest has been told of its end.
        monitors: Count = 1024,
            beyond "a further one is refused with `too-many`",
            reached Monitors "monitored actors";
        /// HTTP requests that are outstanding: from when one is sent until all of its response was read or given up.
        http_requests: Count = 16,
            beyond "a new one fails with `connection-limit-reached`",
            reached HttpRequests "outstanding HTTP requests";
        /// The body of one HTTP request.
        http_request_bytes: Size = 15 * MIB,
            beyond "the request fails with `HTTP-request-body-size`",
            reached HttpRequestBytes "bytes for the body of an HTTP request";
        /// The body of one HTTP response.
        http_response_bytes: Size = 15 * MIB,
            beyond "reading it fails with `HTTP-response-body-size`",
            reached HttpResponseBytes "bytes for the body of an HTTP response";
        /// The headers of one HTTP request, as the host holds them, and of one response, with its first line. Each set of headers takes a
        /// handle, so that the host holds no more than this for each of `handles`.
        http_header_bytes: Size = 16 * KIB,
            beyond "a guest that makes them traps, and a response fails with `HTTP-response-header-section-size`",
            reached HttpHeaderBytes "bytes of HTTP headers";
        /// The longest that an HTTP request waits for its connection; then, while it is sent, for the first byte of its response; then for
        /// each further one. A guest may ask for less.
        http_wait: Time = Duration::from_secs(60),
            beyond "the request fails with `connection-timeout` or `connection-read-timeout`",
            reached HttpWait "of waiting for an HTTP server";
        /// The state that is handed from old code to new, or kept.
        state_bytes: Size = 64 * MIB,
            beyond "a reload fails, and the old code goes on";
        /// The name of an actor, a group or a scope.
        name_bytes: Size = 255,
            beyond "an actor does not start, and a guest traps",
            reached NameBytes "bytes for a name";
        /// One log event, or one line of output.
        log_bytes: Size = 8 * KIB,
            beyond "the rest is cut off, and the log says so";
        /// Log events and lines of output in one second, with what the host logs of the actor's limits. After a pause a burst may have
        /// twice as many.
        log_rate: Rate = 1000,
            beyond "they are dropped, and their number is logged at most once a second",
            reached LogRate "log events a second";
    }
    log_rate_of_family {
        /// As `log_rate`, of the family.
        family_log_rate: Rate = 4 * log_rate,
            beyond "they are dropped and counted",
            reached FamilyLogRate "log events a second";
    }
    of_family {
        /// The memories of the family, with the arguments that its members were started with and the lists of directories that they are
        /// reading. While an actor is reloaded, its old and its new code both count.
        family_memory_bytes: Size = 16 * memory_bytes,
            beyond "memory does not grow, no further child starts, and no directory is listed",
            shared Memory "bytes of memory";
        /// Bytes of the messages and of the replies to `requests.ask` that wait for any of the family, and of the messages that its timers
        /// will send.
        family_mailbox_bytes: Size = 4 * mailbox_bytes,
            beyond "its mailboxes are full, a further timer is refused, and an ask whose reply comes fails with `overloaded`",
            shared MailboxBytes "bytes of waiting messages";
        /// Timers of the family.
        family_timers: Count = 4 * timers,
            beyond "a new one is refused with `too-many`",
            shared Timers "timers";
        /// Actors that the members of the family monitor.
        family_monitors: Count = 4 * monitors,
            beyond "a further one is refused with `too-many`",
            shared Monitors "monitored actors";
        /// Process groups that the members of the family are in or monitor, each membership by itself.
        family_groups: Count = 4 * groups,
            beyond "the guest traps, or the child does not start",
            shared Groups "process groups";
        /// Calls that the members of the family have put off answering.
        family_deferred_replies: Count = 4 * deferred_replies,
            beyond "the newest is dropped",
            shared DeferredReplies "calls put off";
        /// Calls that the members of the family have sent with `requests.ask` and whose outcomes they have not been given.
        family_asks: Count = 4 * asks,
            beyond "a new one is refused with `too-many`",
            shared Asks "outstanding asks";
        /// HTTP requests of the family that are outstanding.
        family_http_requests: Count = 4 * http_requests,
            beyond "a new one fails with `connection-limit-reached`",
            shared HttpRequests "outstanding HTTP requests";
        /// Open files, sockets, streams and other resources of the family: for each member the most that its instance has had at once, and
        /// one for each directory that it was granted.
        family_handles: Count = 4 * handles,
            beyond "the guest traps",
            shared Handles "live handles";
    }
    of_engine {
        /// See [`EngineConfig::memory_reservation`](crate::EngineConfig::memory_reservation).
        memory_reservation: u64, reached MemoryReservation "bytes for one memory";
        /// See [`EngineConfig::table_reservation`](crate::EngineConfig::table_reservation).
        table_reservation: usize, reached TableReservation "elements for one table";
        /// See [`EngineConfig::stack_bytes`](crate::EngineConfig::stack_bytes).
        stack_bytes: usize, reached Stack "bytes of stack";
        /// The places of [`Allocation::Pool`](crate::Allocation::Pool) that children of all actors together may take.
        max_guests: usize, reached ChildrenOfAll "children of all actors of this node together";
    }
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

impl WhenFull {
    /// All of them, by the names that `mailbox_full` has for them.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("wait", Self::Wait),
        ("reject", Self::Reject),
        ("drop-oldest", Self::DropOldest),
    ];
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
}
