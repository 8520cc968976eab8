//! Projects of guests: what `ractor-host new` writes, and what `build` and `test` make of it.
//!
//! A project is a folder with one manifest, which tells its language: see [`Language`]. Everything that this crate puts there besides
//! what [`create`] writes is in `.ractor-host/`, which can be deleted at any time, and in `build/`, where the component is:
//!
//! - `.ractor-host/sdk/LANGUAGE`: the SDK, which the project refers to by relative paths. The program carries it, so nothing is
//!   downloaded for it.
//! - `.ractor-host/tools/NAME-DIGEST`: the tools of one language, in the versions and with the hashes that the program pins. The
//!   variable `RACTOR_HOST_CACHE` names another folder for these, which projects can share.
//! - `.ractor-host/tools/NAME`: a link to the folder in use.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")
)]

mod bindgen;
mod build;
mod create;
mod error;
mod files;
mod language;
mod project;
mod run;
mod sdk;
mod test;
mod tools;

pub use self::bindgen::{Audience, Interface, bindgen};
pub use self::build::{Built, Live, Outcome, build, build_source};
pub use self::create::{Created, create};
pub use self::error::ProjectError;
pub use self::language::{Language, UnknownLanguage};
pub use self::project::Project;
pub use self::test::test;

/// What guests that are no projects are built with: for `cargo xtask`.
#[doc(hidden)]
pub mod parts {
    pub use crate::build::{Debugging, c::STACK, component};
    pub use crate::tools::{C, GO, Pins, Toolset};
}

/// Every file of the SDKs, by its path in the repository: for `cargo xtask package`.
#[doc(hidden)]
pub fn embedded() -> &'static [(&'static str, &'static [u8])] {
    sdk::FILES
}

/// Where it is told what is being done: one line for each step that takes a while.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);
