//! Connections: how one is made and looked at before it is used, and how many there are.

mod pauses;
mod pool;
mod session;

pub(crate) use pauses::Pauses;
pub(crate) use pool::Pool;
pub(crate) use session::Session;

use tokio_postgres::types::{ToSql, Type};

/// A parameter of a statement, with the type that the text of the statement expects.
pub(crate) type Parameter = (Box<dyn ToSql + Send + Sync>, Type);

/// A statement that can be sent: one text, whose name the server forgets at once, because a pooler may send the next one elsewhere.
pub(crate) struct Query {
    pub(crate) text: &'static str,
    pub(crate) parameters: Vec<Parameter>,
}
