//! `/v1/spawn` and `/v1/apply`: actors besides those that run, one by one or as node.toml has them now.

use serde::Deserialize;

use crate::control::{Request, RequestId, Spawning};

/// A guest that is to start.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpawnBody {
    module: String,
    name: String,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
}

impl SpawnBody {
    pub(super) fn request(self) -> Request {
        Request::Spawn(Spawning {
            module: self.module,
            name: self.name,
            arguments: self.arguments,
            groups: self.groups,
        })
    }
}

/// Whether node.toml is applied, or only what that would do is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplyBody {
    id: Option<RequestId>,
    #[serde(default)]
    dry_run: bool,
}

impl ApplyBody {
    pub(super) fn request(self) -> Request {
        let Self { id, dry_run } = self;
        Request::Apply {
            id: id.unwrap_or_else(RequestId::random),
            dry_run,
        }
    }
}
