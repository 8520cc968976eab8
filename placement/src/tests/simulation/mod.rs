//! Clusters of nodes, a store, and a network between them, with everything that may fail, and no clock but the test's.
//!
//! Each run is drawn from a seed. A run that fails prints it: `RACTOR_SIM_SEED=<seed> cargo test -p ractor-host-placement
//! simulation::runs -- --nocapture` runs it alone and prints what happened; `RACTOR_SIM_RUNS=<n>` sets how many runs there are from that
//! seed on, and `RACTOR_SIM_MINUTES=<n>` how long they go on.

mod acts;
mod check;
mod conformance;
mod entity;
mod host;
mod mutations;
mod network;
mod node;
mod random;
mod runs;
mod scenario;
mod store;
mod world;

/// Simulated time in nanoseconds from the start of a run.
type Time = u64;

/// One second.
const SECOND: Time = 1_000_000_000;

/// One millisecond.
const MILLISECOND: Time = 1_000_000;
