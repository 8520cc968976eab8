//! `[actors.limits]` and `[defaults.limits]`: what guests may take of the host.

use std::time::Duration;

use super::actor::known;
use super::problem::Problems;
use super::section::{Keys, Section};
use crate::guest::{Limits, WhenFull};

pub(super) const KEYS: Keys = Keys {
    known: &[
        "memory_bytes",
        "table_elements",
        "core_instances",
        "memories",
        "tables",
        "handles",
        "cpu_per_message",
        "message_time",
        "lifecycle_time",
        "message_bytes",
        "reply_bytes",
        "mailbox_messages",
        "mailbox_bytes",
        "mailbox_full",
        "send_wait",
        "deferred_replies",
        "call_wait",
        "groups",
        "timers",
        "children",
        "monitors",
        "http_requests",
        "http_request_bytes",
        "http_response_bytes",
        "http_header_bytes",
        "http_wait",
        "state_bytes",
        "name_bytes",
        "log_bytes",
        "log_rate",
        "family_log_rate",
        "family_memory_bytes",
        "family_mailbox_bytes",
        "family_timers",
        "family_monitors",
        "family_groups",
        "family_deferred_replies",
        "family_http_requests",
        "family_handles",
    ],
    explained: &[
        ("memory", "write `memory_bytes = \"64MiB\"`"),
        (
            "max_memories",
            "all guests share them: it belongs to the table `[runtime]`",
        ),
        (
            "max_tables",
            "all guests share them: it belongs to the table `[runtime]`",
        ),
        ("cpu", "write `cpu_per_message = \"10s\"`"),
        ("timeout", "write `call_wait = \"5m\"`"),
        (
            "stack_bytes",
            "all guests have the same: it belongs to the table `[runtime]`",
        ),
        ("stack", "write `stack_bytes` into the table `[runtime]`"),
    ],
};

/// The keys of `[defaults]`.
pub(super) const DEFAULTS: Keys = Keys {
    known: &["limits"],
    explained: &[(
        "capabilities",
        "they are granted to one actor at a time: write `[actors.capabilities]`",
    )],
};

/// What `mailbox_full` may be.
const WHEN_FULL: [(&str, WhenFull); 3] = [
    ("wait", WhenFull::Wait),
    ("reject", WhenFull::Reject),
    ("drop-oldest", WhenFull::DropOldest),
];

/// The largest size: a tebibyte.
const LARGEST: u64 = 1 << 40;

/// The largest number of anything that is counted.
const MOST: u32 = 1_000_000_000;

/// Reads the table; what it leaves out is as in `base`.
pub(super) fn read(section: &Section<'_>, base: &Limits, problems: &mut Problems) -> Limits {
    let mut read = Reader { section, problems };
    let mailbox_full = read.when_full().unwrap_or(base.mailbox_full);
    Limits {
        memory_bytes: read.size("memory_bytes", base.memory_bytes),
        table_elements: read.count("table_elements", base.table_elements),
        core_instances: read.count("core_instances", base.core_instances),
        memories: read.count("memories", base.memories),
        tables: read.count("tables", base.tables),
        handles: read.count("handles", base.handles),
        cpu_per_message: read.time("cpu_per_message", base.cpu_per_message),
        message_time: read.time("message_time", base.message_time),
        lifecycle_time: read.time("lifecycle_time", base.lifecycle_time),
        message_bytes: read.size("message_bytes", base.message_bytes),
        reply_bytes: read.size("reply_bytes", base.reply_bytes),
        mailbox_messages: read.count("mailbox_messages", base.mailbox_messages),
        mailbox_bytes: read.size("mailbox_bytes", base.mailbox_bytes),
        mailbox_full,
        send_wait: read.duration("send_wait", base.send_wait),
        deferred_replies: read.count("deferred_replies", base.deferred_replies),
        call_wait: read.time("call_wait", base.call_wait),
        groups: read.count("groups", base.groups),
        timers: read.count("timers", base.timers),
        children: read.count("children", base.children),
        monitors: read.count("monitors", base.monitors),
        http_requests: read.count("http_requests", base.http_requests),
        http_request_bytes: read.size("http_request_bytes", base.http_request_bytes),
        http_response_bytes: read.size("http_response_bytes", base.http_response_bytes),
        http_header_bytes: read.size("http_header_bytes", base.http_header_bytes),
        http_wait: read.time("http_wait", base.http_wait),
        state_bytes: read.size("state_bytes", base.state_bytes),
        name_bytes: read.size("name_bytes", base.name_bytes),
        log_bytes: read.size("log_bytes", base.log_bytes),
        log_rate: read.number("log_rate").unwrap_or(base.log_rate),
        family_log_rate: read.number("family_log_rate").or(base.family_log_rate),
        family_memory_bytes: read.size_if("family_memory_bytes").or(base.family_memory_bytes),
        family_mailbox_bytes: read.size_if("family_mailbox_bytes").or(base.family_mailbox_bytes),
        family_timers: read.count_if("family_timers").or(base.family_timers),
        family_monitors: read.count_if("family_monitors").or(base.family_monitors),
        family_groups: read.count_if("family_groups").or(base.family_groups),
        family_deferred_replies: read
            .count_if("family_deferred_replies")
            .or(base.family_deferred_replies),
        family_http_requests: read.count_if("family_http_requests").or(base.family_http_requests),
        family_handles: read.count_if("family_handles").or(base.family_handles),
    }
}

struct Reader<'a, 'd> {
    section: &'a Section<'d>,
    problems: &'a mut Problems,
}

impl Reader<'_, '_> {
    fn size(&mut self, key: &str, default: usize) -> usize {
        self.size_if(key).unwrap_or(default)
    }

    fn size_if(&mut self, key: &str) -> Option<usize> {
        let size = self.section.size(key, 0..=LARGEST, self.problems);
        size.and_then(|size| usize::try_from(size).ok())
    }

    fn count(&mut self, key: &str, default: usize) -> usize {
        self.count_if(key).unwrap_or(default)
    }

    fn count_if(&mut self, key: &str) -> Option<usize> {
        self.number(key).and_then(|number| usize::try_from(number).ok())
    }

    fn number(&mut self, key: &str) -> Option<u32> {
        self.section.value(key)?;
        self.section.integer(key, 0..=MOST, self.problems)
    }

    fn duration(&mut self, key: &str, default: Duration) -> Duration {
        self.section.duration(key, self.problems).unwrap_or(default)
    }

    /// A duration that can't be nothing.
    fn time(&mut self, key: &str, default: Duration) -> Duration {
        let time = self.duration(key, default);
        if let (true, Some(value)) = (time.is_zero(), self.section.value(key)) {
            let message = format!("`{key}` is no time");
            self.problems.error(value.span(), message, "expected for example `10s`");
            return default;
        }
        time
    }

    fn when_full(&mut self) -> Option<WhenFull> {
        let text = self.section.text("mailbox_full", self.problems)?;
        let names = WHEN_FULL.map(|(name, _)| name);
        let name = known(&text, "`mailbox_full` can't be `{}`", &names, "", self.problems)?;
        let found = WHEN_FULL.iter().find(|(known, _)| *known == name);
        found.map(|(_, when_full)| *when_full)
    }
}
