//! What ractor doesn't have, in the form that both worlds share. Each world adds what it does.

pub(crate) mod child;
#[cfg(feature = "reload")]
pub(crate) mod portable;
#[cfg(feature = "reload")]
pub(crate) mod reload;
pub(crate) mod trace;
