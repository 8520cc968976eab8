//! One instance of a component: how it is linked and made, its exports, and what their outcomes mean.
//!
//! `engine`, `loading` and `code` make a module of a file, with one of the compilers in `backend`; `calls` makes an instance of that and calls its exports, `batch` and `casts`
//! with several messages at once, and `reload` for its state. `meter` polls a guest only when it is its turn, and on a budget.
//!
//! An instance that has failed is dropped. What becomes of its actor then isn't known here, nor is anything of ractor's callbacks.
//! Begin with `calls.rs`, then `meter.rs`; for the way from a file to a module, with `loading.rs`.

pub(crate) mod arrivals;
mod backend;
pub(crate) mod batch;
pub(crate) mod batch_export;
pub(crate) mod calls;
mod calls_export;
pub(crate) mod casts;
pub(crate) mod code;
pub(crate) mod contract_export;
pub(crate) mod describing;
pub(crate) mod engine;
pub(crate) mod error;
pub(crate) mod linking;
pub(crate) mod loading;
mod located;
pub(crate) mod meter;
pub(crate) mod module;
pub(crate) mod optional_interface;
mod places;
pub(crate) mod reload;
pub(crate) mod reload_exports;
mod replies_export;
pub(crate) mod source_lines;
mod spans;
mod ticker;
