//! What a node does with those who may not come in, and how it tells them from those who may.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod certificates;
mod handshakes;
mod logs;
mod node;
mod reload;
mod tls;
