//! Text that comes from a guest, made fit for errors and logs.

pub(crate) use crate::directory::tidy;
