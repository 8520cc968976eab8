//! What an actor may do and may take, and when it is restarted: data from the configuration, and the decisions about it.
//!
//! `grants` has what an actor may reach, and `limits` what it may take; `denied` has the words for what was refused, and `restart`
//! decides after a failure. A `Profile` is all that one actor was given.
//!
//! Nothing here knows WebAssembly, an instance or an actor that runs: what a grant or a limit means for these is up to the floors above.
//! Begin with `grants/mod.rs`, then the table of limits in `limits.rs`.

pub(crate) mod denied;
pub(crate) mod grants;
pub(crate) mod http_trust;
pub(crate) mod limits;
pub(crate) mod profile;
pub(crate) mod reserved_names;
pub(crate) mod restart;
pub(crate) mod text;
