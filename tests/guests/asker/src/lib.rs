//! An actor that waits for replies and timers without standing still, as its callers' scripts say. It is written against the WIT, with
//! the smallest executor that does: every handler that isn't done is polled after each callback.
//!
//! The variant `do` has a script: steps with `;` between them, of words with spaces. Sent as a call, it is answered at the end with what
//! its steps have noted.

#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(target_family = "wasm")]
mod executor;
#[cfg(target_family = "wasm")]
mod exports;
#[cfg(target_family = "wasm")]
mod script;
