//! Two sessions run against each other on virtual time.

mod handshake;
mod pair;
mod simulation;
mod sync;

pub(crate) use simulation::Random;
