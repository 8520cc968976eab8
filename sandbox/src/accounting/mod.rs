//! What guests take of the host, counted against their limits: memory, threads, log lines, names; for one actor and for its family.

pub(crate) mod family;
pub(crate) mod label;
pub(crate) mod limiter;
pub(crate) mod log_rate;
pub(crate) mod pools;
pub(crate) mod reached;
pub(crate) mod telemetry;
pub(crate) mod turns;
