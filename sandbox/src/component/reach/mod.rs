//! Which functions of the host a component could come to call, by following its calls from what the host calls on.
//!
//! A world says what a component imports, and a language that links its whole library in imports much that its program never
//! calls. So the code is read: calls, calls through tables (to every function of the type that is in the table), and what the modules
//! and components of the file hand to each other. What isn't found can't be called. What is found need not ever be: an interpreter has
//! all of its library in tables, and which of it its program uses can't be told from outside.

mod graph;
mod module;
mod name;
#[cfg(test)]
mod tests;
mod walk;

use self::graph::Graph;
use self::walk::Walk;
use super::assembly::Outline;
use super::complexity::TooComplex;

pub(crate) use self::name::function_name;

/// A function of the host that a component could come to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostCall {
    pub(crate) interface: String,
    pub(crate) function: String,
    pub(crate) through: Through,
    /// The names of the functions that call it, innermost first, as far as they are known.
    pub(crate) by: Vec<String>,
}

/// What a component could come to call.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) calls: Vec<HostCall>,
    /// The language that it has an interpreter of, if that is known.
    pub(crate) interpreter: Option<&'static str>,
}

/// How a call can come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Through {
    /// From what the host calls, by nothing but calls.
    Calls,
    /// Through pointers to functions too, such as those of an interpreter's tables.
    Pointers,
}

/// The calls of a component were not followed to their ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotFollowed {
    #[error(transparent)]
    TooComplex(#[from] TooComplex),
    /// They are too many.
    #[error("it has more code, or hands more of it on, than is followed")]
    TooMuch,
    /// The code is not as it should be.
    #[error("its code can't be read: {0}")]
    Unreadable(#[from] wasmparser::BinaryReaderError),
}

/// What a component could come to call. It takes a second for one of many megabytes, and some memory.
///
/// # Errors
/// There is more to follow than is worth it, or there is something in the code that isn't known.
pub(crate) fn of(bytes: &[u8]) -> Result<Reach, NotFollowed> {
    within(bytes, walk::MOST_WORK)
}

fn within(bytes: &[u8], work: usize) -> Result<Reach, NotFollowed> {
    let outline = Outline::of(bytes);
    let graph = Graph::of(bytes, &outline)?;
    Ok(Reach {
        calls: Walk::new(&graph, work).calls()?,
        interpreter: graph.interpreter(),
    })
}
