//! What an actor may do and may take, and when it is restarted: data from the configuration, and the decisions about it.

pub(crate) mod denied;
pub(crate) mod grants;
pub(crate) mod http_trust;
pub(crate) mod limits;
pub(crate) mod profile;
pub(crate) mod reserved_names;
pub(crate) mod restart;
pub(crate) mod text;
