//! Two sessions run against each other on virtual time.

mod handshake;
mod identity;
mod interest;
mod pair;
mod simulation;
mod sync;
