//! Whole clusters on virtual time.

mod simulation;
