//! Looking at nodes and steering them: the commands of an operator, on the node's own machine and from elsewhere, and its admin HTTP.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod adding_up;
mod admin;
mod apply;
mod apply_nodes;
mod by_http;
mod cluster_links;
mod collector;
mod figures;
mod going_back;
mod here;
mod http;
mod init;
mod leaving;
mod live;
mod local;
mod logs;
mod manners;
mod operator;
mod otlp;
mod otlp_secure;
mod returning;
mod roles;
mod rotating;
mod schemas;
mod snapshots;
mod steering;
mod top;
mod traces;
mod views;
