//! `[control]`: who may ask what of this node from elsewhere.

use super::context::ReadContext;
use super::problem::Problems;
use super::secret::{Presence, SecretKey, SecretKeys, SecretPlace};
use super::section::{Keys, Section};
use crate::control::{ControlKey, Role};

pub(super) const KEYS: Keys = Keys {
    known: &[
        "key_file",
        "key_env",
        "operate_key_file",
        "operate_key_env",
        "observe_key_file",
        "observe_key_env",
    ],
    explained: &[
        (
            "key",
            "the key itself can't be written here: write `key_file = \"…\"`, or name an environment variable with \
             `key_env = \"…\"`",
        ),
        ("cookie_file", "the cookie lets nobody deploy: write `key_file = \"…\"`"),
        (
            "deploy_key_file",
            "the key that lets people deploy is `key_file = \"…\"`",
        ),
    ],
};

/// Where the key of a role is. That to deploy comes first: it includes the others.
const PLACES: [(Role, SecretKeys); 3] = [
    (
        Role::Deploy,
        SecretKeys {
            file: "key_file",
            variable: "key_env",
            what: "the deploy key",
            example: "RACTOR_DEPLOY_KEY",
            mistaken: &["key"],
            presence: Presence::Optional,
        },
    ),
    (
        Role::Operate,
        SecretKeys {
            file: "operate_key_file",
            variable: "operate_key_env",
            what: "the key to operate",
            example: "RACTOR_OPERATE_KEY",
            mistaken: &[],
            presence: Presence::Optional,
        },
    ),
    (
        Role::Observe,
        SecretKeys {
            file: "observe_key_file",
            variable: "observe_key_env",
            what: "the key to observe",
            example: "RACTOR_OBSERVE_KEY",
            mistaken: &[],
            presence: Presence::Optional,
        },
    ),
];

/// The checked `[control]` table.
#[derive(Clone, Debug)]
pub struct ControlSection {
    /// At least one, those that allow more before those that allow less.
    pub keys: Vec<RoleKey>,
}

/// The key of one role.
#[derive(Clone, Debug)]
pub struct RoleKey {
    /// What those may do who have it.
    pub role: Role,
    /// The key.
    pub key: ControlKey,
    /// Where that came from.
    pub place: SecretPlace,
}

impl ControlSection {
    pub(super) fn read(section: &Section<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Option<Self> {
        let mut keys: Vec<RoleKey> = Vec::new();
        let is_named = |places: &SecretKeys| !section.lacks(places.file) || !section.lacks(places.variable);
        let lacks_all = !PLACES.iter().any(|(_, places)| is_named(places));
        for (role, mut places) in PLACES {
            if lacks_all && role == Role::Deploy {
                places.presence = Presence::Required;
            }
            let Some(place) = places.read(section, problems) else {
                continue;
            };
            let Some(key) = read_key(&place, context, problems) else {
                continue;
            };
            if let Some(same) = keys.iter().find(|other| other.key == key.key) {
                let message = format!("{} is that of the role `{}`, too", places.what, same.role);
                problems.error(
                    place.span(),
                    message,
                    "make one of its own: whoever has it could do all that the other allows",
                );
                continue;
            }
            keys.push(RoleKey { role, ..key });
        }
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// The key that allows the most.
    pub(crate) fn strongest(&self) -> Option<&ControlKey> {
        self.keys.first().map(|entry| &entry.key)
    }
}

fn read_key(place: &SecretKey<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Option<RoleKey> {
    let key = match place {
        SecretKey::File(file) => ControlKey::from_file(&context.path(file)),
        SecretKey::Variable(variable) => {
            let name = *variable.get_ref();
            ControlKey::from_variable(name, (context.variable)(name))
        }
    };
    match key {
        Ok(key) => Some(RoleKey {
            role: Role::Observe,
            key,
            place: place.resolved(context),
        }),
        Err(error) => {
            let help = place.help(error.is_not_found(), error.help(), context);
            problems.error(place.span(), error.to_string(), help);
            None
        }
    }
}
