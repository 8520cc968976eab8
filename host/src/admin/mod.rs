//! The admin HTTP: whether the node is well, its metrics, the operations of the command line as JSON, and a dashboard.
//!
//! One more face of the `RequestWorker` of `control`, which does what is asked. What is here decides who asks
//! (`guard`), bounds what they may take (`server`, `places`, `body`), and turns requests and answers into HTTP (`operations`, `operating`, `traces`,
//! `checkpoints`, `applying`, `problem`). `feed` is the node live, and `page` looks at all of it in a browser.

mod answers;
mod applying;
mod body;
mod checkpoints;
mod feed;
mod guard;
mod health;
mod openapi;
mod operating;
mod operations;
mod page;
mod places;
mod problem;
mod query;
mod refusals;
mod routes;
mod scrape;
mod segment;
mod server;
mod state;
mod stream;
mod streaming;
#[cfg(test)]
mod tests;
mod token;
mod traces;

pub use token::{AdminToken, TokenError};

pub(crate) use feed::Feed;
pub(crate) use server::{AdminServer, AdminSetup};
pub(crate) use state::{AdminNode, Health, Proofs, ProofsInForce};
pub(crate) use token::Tokens;
