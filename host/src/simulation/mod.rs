//! Whole nodes, three and more, in one thread and no time: the code that ships, under one seeded scheduler.
//!
//! A run is drawn from its seed: who starts, who sends what to whom, and what goes wrong. Computers lose their power, change their
//! addresses and have their clocks set, processes are killed, frozen and stopped in order, guests fail at messages, disks fill up, fail,
//! and forget what was not synced, wires are slow, break or fall silent, names lead nowhere, and strangers without the cookie answer in a
//! peer's place. Operators reload the modules of processes with versions that are good, fail or don't take the state over, and end and
//! start actors meanwhile. At the end everything is well again, and what was promised must have been kept: `history` says what that
//! is, and `verdict` what holds after a reload. What is deployed is not recorded: a process that starts runs the first version.
//!
//! What runs here is what runs in a node: `session`, its registry and the wire's codec; a link with its outbox, its calls and their
//! wakers; the connector's machine; a guest's mailbox; the schedule of checkpoints, the writer's queue and the database down to
//! redb; restarts and who shares them; the rollout of a reload, and new code on trial; the order of a stop and of the ends of actors.
//! What is not here, because ractor spawns by itself and has its tables for the whole process, or because it is a socket, is the glue around these: `NodeServer`, `NodeSession`, stand-ins, the readers and
//! writers of sockets, and the guest's instance, in whose place an actor keeps a list. Tests under tokio's paused clock and tests of
//! processes have that.
//!
//! A run that fails prints its seed. `RACTOR_SIM_SEED=<seed> cargo test -p ractor-host --lib whole_nodes` runs it alone and prints what
//! happened; `RACTOR_SIM_RUNS=<n>` sets how many there are, `RACTOR_SIM_MINUTES=<n>` how long they go on.

mod asking;
mod checks;
mod code;
mod computer;
mod dialling;
mod disk;
mod event;
mod failing;
mod guest;
mod history;
mod keeper;
mod link;
mod network;
mod operators;
mod plan;
mod process;
mod rollouts;
mod routing;
mod runs;
mod sessions;
mod stop;
mod verdict;
mod world;

/// Simulated time in microseconds from the start of a run.
type Time = u64;

/// One millisecond.
const MILLI: Time = 1_000;

/// One second.
const SECOND: Time = 1_000_000;
