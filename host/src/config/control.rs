//! `[control]`: who may deploy code to this node from elsewhere.

use super::context::ReadContext;
use super::problem::Problems;
use super::secret::{SecretKey, SecretKeys, SecretPlace};
use super::section::{Keys, Section};
use crate::control::DeployKey;

pub(super) const KEYS: Keys = Keys {
    known: &["key_file", "key_env"],
    explained: &[
        (
            "key",
            "the key itself can't be written here: write `key_file = \"…\"`, or name an environment variable with \
             `key_env = \"…\"`",
        ),
        ("cookie_file", "the cookie lets nobody deploy: write `key_file = \"…\"`"),
    ],
};

/// The checked `[control]` table.
#[derive(Clone, Debug)]
pub struct ControlSection {
    /// The key whose holders may deploy.
    pub key: DeployKey,
    /// Where that came from.
    pub key_place: SecretPlace,
}

impl ControlSection {
    pub(super) fn read(section: &Section<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Option<Self> {
        let keys = SecretKeys {
            file: "key_file",
            variable: "key_env",
            what: "the deploy key",
            example: "RACTOR_DEPLOY_KEY",
            mistaken: &["key"],
        };
        let place = keys.read(section, problems)?;
        let (span, key) = match &place {
            SecretKey::File(file) => (file.span(), DeployKey::from_file(&context.folder.join(file.get_ref()))),
            SecretKey::Variable(variable) => {
                let name = *variable.get_ref();
                (
                    variable.span(),
                    DeployKey::from_variable(name, (context.variable)(name)),
                )
            }
        };
        match key {
            Ok(key) => Some(Self {
                key,
                key_place: place.resolved(context),
            }),
            Err(error) => {
                let help = place.help(error.is_not_found(), error.help(), context);
                problems.error(span, error.to_string(), help);
                None
            }
        }
    }
}
