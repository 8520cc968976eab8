//! Messages as people and programs write them: who they are for, and arguments that become bytes by what the actor says of itself.
//!
//! The command line writes arguments as words, the admin HTTP as JSON. Both end in the same encodings, and what is wrong with an
//! argument is found before anything is sent.

mod argument;
mod encoding;
mod json;
mod typed;

pub(crate) use argument::Argument;
pub(crate) use encoding::Encoding;
pub(crate) use json::{decode, encode};
pub(crate) use typed::{MessageKind, ReplyEncoding, Typed, TypingError, described, undescribed};
