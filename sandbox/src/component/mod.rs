//! From the bytes of a file to checked and compiled code, before anything of it is linked or runs.

pub(crate) mod bindings;
pub(crate) mod cache;
pub(crate) mod cache_key;
pub(crate) mod capabilities;
pub(crate) mod complexity;
pub(crate) mod description;
pub(crate) mod engine_config;
pub(crate) mod error;
pub(crate) mod foreign;
pub(crate) mod format;
pub(crate) mod imports;
pub(crate) mod interfaces;
pub(crate) mod machine;
pub(crate) mod needs;
pub(crate) mod source;
