//! What a guest can do to the node that runs it, to the actors beside it and to the node's links: nothing.
//!
//! Each guest of `tests/guests/hostile` does one thing that a bug or an enemy would do. It runs on a node of
//! `ractor-host run` beside an actor that has done no harm, and what is seen of the node is seen from another one.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that fails should panic")]

mod callbacks;
mod family;
mod grants;
mod guests;
mod imports;
mod messages;
mod resources;
mod swarm;
mod victims;
mod wasi;
