//! What an operator sees of a node.

pub mod telemetry;
