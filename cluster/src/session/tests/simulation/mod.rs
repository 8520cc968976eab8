//! Two nodes, several connections between them, a network that delays and breaks them, and no clock but the test's.
//!
//! Each run is drawn from a seed. The nodes decide with the very [`Registry`](crate::session::Registry) that the real
//! node has, and their ends ask it with the delays of mailboxes in between. A run that fails prints its seed:
//! `RACTOR_SIM_SEED=<seed> cargo test -p ractor-host-cluster simulation -- --nocapture` runs it alone and prints what happened;
//! `RACTOR_SIM_RUNS=<n>` sets how many runs there are, from that seed on, and `RACTOR_SIM_MINUTES=<n>` how long they go on.

mod actors;
mod check;
mod end;
mod model;
mod network;
mod runs;
mod scenario;
mod world;

/// Simulated time in microseconds from the start of a run.
type Time = u64;
