//! Nodes of `ractor-host` as their users meet them: the command line, guests that stock programs talk to, and one actor
//! that behaves alike wherever it runs.

mod capabilities;
mod ceilings;
mod cli;
mod counter_everywhere;
mod guests_and_stock;
mod here;
mod http;
mod languages;
mod lifecycle;
mod many_guests;
mod parity_everywhere;
mod tls;
mod tls_and_stock;
#[path = "../../examples/parity_node/world.rs"]
mod world;
