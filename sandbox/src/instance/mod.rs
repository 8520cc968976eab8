//! One instance of a component: how it is linked and made, its exports, and what their outcomes mean.

pub(crate) mod batch;
pub(crate) mod batch_export;
pub(crate) mod calls;
pub(crate) mod casts;
pub(crate) mod code;
pub(crate) mod describing;
pub(crate) mod engine;
pub(crate) mod error;
pub(crate) mod linking;
pub(crate) mod loading;
pub(crate) mod meter;
pub(crate) mod module;
pub(crate) mod optional_interface;
pub(crate) mod reload;
pub(crate) mod reload_exports;
pub(crate) mod ticker;
