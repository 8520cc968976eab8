//! What guests take of the host, counted against their limits, for one actor and for its family: memory, threads, log lines, names.
//!
//! `family` says who counts together and has what they share; `limiter` holds a store to its memory, and
//! `instance_memory` knows how much of that takes memory of the machine; `turns` shares the threads of the
//! runtime, and `pools` the look-ups of names and the threads for files; `log_rate` and `telemetry` say what is said of all that.
//!
//! Nothing here knows what a guest does with what it takes: imports, messages and components are unknown to this floor. Begin with
//! `family.rs` and `family/quota.rs`, then `turns/mod.rs`.

pub(crate) mod family;
pub(crate) mod handler_times;
pub(crate) mod instance_memory;
pub(crate) mod label;
pub(crate) mod limiter;
pub(crate) mod log_rate;
pub(crate) mod page_map;
mod page_scan;
pub(crate) mod pools;
pub(crate) mod reached;
pub(crate) mod tally;
pub(crate) mod taps;
pub(crate) mod telemetry;
pub(crate) mod thread_time;
pub(crate) mod turns;
