//! From the bytes of a file to checked and compiled code, before anything of it is linked or runs.
//!
//! `format`, `complexity` and `needs` look at the bytes alone, so that what is refused costs no compilation; `cache` keeps what was
//! compiled; `imports`, `interfaces` and `capabilities` say what a component asks of the host, and `reach` which of that it could come to call;
//! `assembly` is how a component is put together; `description` is what an actor says of itself.
//!
//! Nothing here knows an instance, its store, or what the imports do. Begin with `error.rs`, which has every reason for refusing a
//! component, then `cache.rs`. The order of the checks is in `instance/code.rs`.

pub(crate) mod assembly;
pub(crate) mod bindings;
pub(crate) mod cache;
pub(crate) mod cache_key;
pub(crate) mod capabilities;
pub(crate) mod complexity;
pub(crate) mod contract;
pub(crate) mod description;
pub(crate) mod engine_config;
pub(crate) mod error;
pub(crate) mod foreign;
pub(crate) mod format;
pub(crate) mod imports;
pub(crate) mod interfaces;
pub(crate) mod lines;
pub(crate) mod machine;
pub(crate) mod needs;
pub(crate) mod reach;
pub(crate) mod source;
