//! Whole clusters on virtual time.

/// Where the words are, for what is compiled elsewhere as well.
use crate as placement;

mod conformance;
mod simulation;
