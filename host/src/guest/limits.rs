//! What one guest may take of the host, by name.

use std::time::Duration;

use wasmtime::ResourceLimiter;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The limits of one guest. Every field names its unit and what happens when the guest reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, all memories of the instance together. Beyond it `memory.grow` fails, which most
    /// languages turn into a trap. No single memory can outgrow
    /// [`EngineConfig::memory_reservation`](super::EngineConfig::memory_reservation) either.
    pub memory_bytes: usize,
    /// Table elements, all tables together. Beyond it `table.grow` fails.
    pub table_elements: usize,
    /// Core instances that the component may consist of. Beyond it the actor does not start.
    pub core_instances: usize,
    /// Live resource handles (WASI streams, pollables, ...). Beyond it the guest traps.
    pub handles: usize,
    /// Time on a thread for handling one message. Beyond it the guest traps. Waiting for a reply or for a timer does
    /// not count. Its resolution is [`EngineConfig::epoch_tick`](super::EngineConfig::epoch_tick).
    pub cpu_per_message: Duration,
    /// Bytes of one message or reply, variant and arguments together. A larger one from the guest is refused with
    /// `too-large`; a larger one to the guest is dropped with a warning. The default fits, with its envelope, into
    /// the 16 MiB that every node accepts as one frame.
    pub message_bytes: usize,
    /// Calls that the guest has put off answering. Beyond it the newest is dropped, so that its caller hears at once.
    pub deferred_replies: usize,
    /// The longest that a call of the guest waits, whatever timeout it asked for. Beyond it the call fails with
    /// `timeout`.
    pub call_wait: Duration,
    /// Process groups that the actor may be in. Beyond it the guest traps.
    pub groups: usize,
    /// Bytes of one name: of an actor, a group, a scope. Beyond it an actor does not start, a guest traps.
    pub name_bytes: usize,
    /// Bytes of one log event or one line of output. The rest is cut off and said to be.
    pub log_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * MIB,
            table_elements: 100_000,
            core_instances: 256,
            handles: 4096,
            cpu_per_message: Duration::from_secs(10),
            message_bytes: 15 * MIB,
            deferred_replies: 1024,
            call_wait: Duration::from_secs(300),
            groups: 1024,
            name_bytes: 255,
            log_bytes: 8 * KIB,
        }
    }
}

/// A limit that was reached, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// See [`Limits::memory_bytes`].
    #[error("its limit of {0} bytes of memory (memory_bytes)")]
    Memory(usize),
    /// See [`Limits::table_elements`].
    #[error("its limit of {0} table elements (table_elements)")]
    TableElements(usize),
    /// See [`Limits::cpu_per_message`].
    #[error("its limit of {0:?} of processor time for one message (cpu_per_message)")]
    Cpu(Duration),
    /// See [`Limits::groups`].
    #[error("its limit of {0} process groups (groups)")]
    Groups(usize),
    /// See [`Limits::name_bytes`].
    #[error("its limit of {0} bytes for a name (name_bytes)")]
    NameBytes(usize),
}

/// Holds one store to its [`Limits`] on memory and tables, and remembers the last refusal: a guest that is refused
/// memory usually traps with something as vague as `unreachable`.
#[derive(Debug)]
pub(super) struct Limiter {
    memory: Budget,
    tables: Budget,
    core_instances: usize,
    refused: Option<Limit>,
}

#[derive(Debug)]
struct Budget {
    used: usize,
    limit: usize,
}

/// What a guest asks for, in bytes or elements.
struct Growth {
    current: usize,
    desired: usize,
    maximum: Option<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Granted,
    /// Beyond the limit.
    Refused,
    /// Beyond the module's own maximum, or the engine's: it fails whatever is answered, and must not be counted.
    Impossible,
}

impl Limiter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory: Budget::new(limits.memory_bytes),
            tables: Budget::new(limits.table_elements),
            core_instances: limits.core_instances,
            refused: None,
        }
    }

    pub(super) fn refused(&self) -> Option<Limit> {
        self.refused
    }
}

impl Budget {
    fn new(limit: usize) -> Self {
        Self { used: 0, limit }
    }

    fn grow(&mut self, growth: &Growth) -> Verdict {
        if growth.maximum.is_some_and(|maximum| growth.desired > maximum) {
            return Verdict::Impossible;
        }
        let used = self.used.saturating_add(growth.desired.saturating_sub(growth.current));
        if used > self.limit {
            return Verdict::Refused;
        }
        self.used = used;
        Verdict::Granted
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let verdict = self.memory.grow(&Growth {
            current,
            desired,
            maximum,
        });
        if verdict == Verdict::Refused {
            self.refused = Some(Limit::Memory(self.memory.limit));
        }
        Ok(verdict == Verdict::Granted)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let verdict = self.tables.grow(&Growth {
            current,
            desired,
            maximum,
        });
        if verdict == Verdict::Refused {
            self.refused = Some(Limit::TableElements(self.tables.limit));
        }
        Ok(verdict == Verdict::Granted)
    }

    fn instances(&self) -> usize {
        self.core_instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::unwrap_used, reason = "a test")]
    fn all_memories_share_one_budget() {
        let limits = Limits {
            memory_bytes: 3 * 65_536,
            ..Limits::default()
        };
        let mut limiter = Limiter::new(&limits);
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(limiter.memory_growing(0, 2 * 65_536, None).unwrap());
        assert_eq!(limiter.refused(), None);
        assert!(!limiter.memory_growing(65_536, 2 * 65_536, None).unwrap());
        assert_eq!(limiter.refused(), Some(Limit::Memory(3 * 65_536)));
    }

    #[test]
    #[expect(clippy::unwrap_used, reason = "a test")]
    fn growth_beyond_the_modules_own_maximum_is_not_counted() {
        let mut limiter = Limiter::new(&Limits::default());
        assert!(!limiter.table_growing(0, 20, Some(10)).unwrap());
        assert_eq!(limiter.tables.used, 0);
    }
}
