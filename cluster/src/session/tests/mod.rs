//! Two sessions run against each other on virtual time.

mod handshake;
mod identity;
mod pair;
mod simulation;
mod sync;
