//! `schema`: what an editor completes and checks node.toml by.

use std::io::Write as _;
use std::process::ExitCode;

use super::failure::Failure;
use super::output;

/// It is kept in `docs/`, where editors that read this repository find it.
const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/node-toml.schema.json"));

pub(super) fn schema() -> Result<ExitCode, Failure> {
    output::write(|out| out.write_all(SCHEMA.as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}
