//! `[control]`: who may replace the code of this node from elsewhere.

use super::Context;
use super::problem::Problems;
use super::section::{Keys, Section};
use crate::control::DeployKey;

pub(super) const KEYS: Keys = Keys {
    known: &["key_file"],
    explained: &[
        ("key", "the key itself can't be written here: write `key_file = \"…\"`"),
        ("cookie_file", "the cookie lets nobody deploy: write `key_file = \"…\"`"),
    ],
};

/// The checked `[control]` table.
#[derive(Clone, Debug)]
pub struct ControlSection {
    /// Who has this may deploy.
    pub key: DeployKey,
}

impl ControlSection {
    pub(super) fn read(section: &Section<'_>, context: &Context<'_>, problems: &mut Problems) -> Option<Self> {
        let file = section.required_text("key_file", "\"deploy.key\"", problems)?;
        match DeployKey::from_file(&context.folder.join(file.get_ref())) {
            Ok(key) => Some(Self { key }),
            Err(error) => {
                problems.error(file.span(), error.to_string(), error.help());
                None
            }
        }
    }
}
