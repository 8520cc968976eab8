//! An actor that is reloaded in tests: its first version.

pub mod actor;
pub mod state;

use ractor::reload::Reload;

pub use crate::actor::{Tally, TallyMsg};

impl Reload for Tally {}

ractor::export!(Tally, reload, state_version = 1);
