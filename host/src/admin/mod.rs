//! The admin HTTP: whether the node is well, its metrics, and the operations of the command line as JSON.
//!
//! One more face of the `RequestWorker` of `control`, which does what is asked. What is here decides who asks
//! (`guard`), bounds what they may take (`server`, `body`), and turns requests and answers into HTTP (`operations`, `problem`).

mod answers;
mod body;
mod guard;
mod health;
mod openapi;
mod operations;
mod problem;
mod refusals;
mod routes;
mod scrape;
mod server;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod token;

pub use token::{AdminToken, TokenError};

pub(crate) use server::{AdminServer, AdminSetup};
pub(crate) use state::{AdminNode, Health};
pub(crate) use token::Tokens;
