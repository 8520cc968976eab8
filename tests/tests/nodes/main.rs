//! Nodes of `ractor-host` as their users meet them: the command line, guests that stock programs talk to, and one actor
//! that behaves alike wherever it runs.

mod arguments;
mod asked;
mod capabilities;
mod ceilings;
mod cli;
mod configuration;
mod counter_everywhere;
mod given_up;
mod guests_and_stock;
mod here;
mod http;
mod kitchen_c;
mod kitchen_go;
mod kitchen_py;
mod kitchen_rs;
mod kitchen_ts;
mod languages;
mod lifecycle;
mod lost_logs;
mod many_guests;
mod one_name;
mod outputs;
mod parity_everywhere;
mod pending_handlers;
mod signals;
mod tls;
mod tls_and_stock;
#[path = "../../examples/parity_node/world.rs"]
mod world;
