//! `[actors.limits]` and `[defaults.limits]`: what guests may take of the host. The keys, their kinds and their defaults are the rows
//! of [`Limits`].

use super::choice::chosen;
use super::problem::Problems;
use super::section::{Keys, Section};
use crate::guest::{LimitSlot, Limits, WhenFull};

pub(super) const KEYS: Keys = Keys {
    known: Limits::KEYS,
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

/// The largest size: a tebibyte.
pub(super) const LARGEST: u64 = 1 << 40;

/// The largest number of anything that is counted.
pub(super) const MOST: u32 = 1_000_000_000;

/// Reads the table; what it leaves out is as in `base`.
pub(super) fn read(section: &Section<'_>, base: &Limits, problems: &mut Problems) -> Limits {
    let mut limits = base.clone();
    for (row, slot) in limits.rows_mut() {
        if section.value(row.key).is_some() {
            read_limit(row.key, slot, section, problems);
        }
    }
    limits
}

/// Reads one limit that the file has. One with a mistake stays as it is.
fn read_limit(key: &str, slot: LimitSlot<'_>, section: &Section<'_>, problems: &mut Problems) {
    match slot {
        LimitSlot::Size(limit) => set(limit, size(key, section, problems)),
        LimitSlot::SizeOfFamily(limit) => set(limit, size(key, section, problems).map(Some)),
        LimitSlot::Count(limit) => set(limit, count(key, section, problems)),
        LimitSlot::CountOfFamily(limit) => set(limit, count(key, section, problems).map(Some)),
        LimitSlot::Rate(limit) => set(limit, section.integer(key, 0..=MOST, problems)),
        LimitSlot::RateOfFamily(limit) => set(limit, section.integer(key, 0..=MOST, problems).map(Some)),
        LimitSlot::Time(limit) => set(limit, section.time(key, problems)),
        LimitSlot::Wait(limit) => set(limit, section.duration(key, problems)),
        LimitSlot::WhenFull(limit) => set(limit, chosen(key, &WhenFull::NAMES, section, problems)),
    }
}

fn set<T>(limit: &mut T, read: Option<T>) {
    if let Some(read) = read {
        *limit = read;
    }
}

fn size(key: &str, section: &Section<'_>, problems: &mut Problems) -> Option<usize> {
    let size = section.size(key, 0..=LARGEST, problems);
    size.and_then(|size| usize::try_from(size).ok())
}

fn count(key: &str, section: &Section<'_>, problems: &mut Problems) -> Option<usize> {
    let number = section.integer(key, 0..=MOST, problems);
    number.and_then(|number| usize::try_from(number).ok())
}
