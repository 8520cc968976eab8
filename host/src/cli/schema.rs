//! `schema`: what an editor completes and checks node.toml by. `init` and `new` put it beside the files that name it, so that an editor
//! finds it without a network.

use std::io::Write as _;
use std::process::ExitCode;

use super::failure::Failure;
use super::output;

/// It is kept in `docs/`, where editors that read this repository find it.
pub(super) const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/node-toml.schema.json"));

/// The name of the file, which the first line of a new node.toml leads to.
pub(super) const SCHEMA_FILE: &str = "node-toml.schema.json";

pub(super) fn schema() -> Result<ExitCode, Failure> {
    output::write(|out| out.write_all(SCHEMA.as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}
