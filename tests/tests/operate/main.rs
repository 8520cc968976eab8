//! Looking at nodes and steering them: the commands of an operator, on the node's own machine and from elsewhere, and its admin HTTP.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod admin;
mod apply;
mod figures;
mod http;
mod leaving;
mod local;
mod logs;
mod operator;
mod roles;
mod steering;
mod views;
