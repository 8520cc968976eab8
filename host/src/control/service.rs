//! What the control actor has done: by whatever it is that runs the node.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::message::{OtherNode, Status};
use crate::directory::BoxFuture;
use crate::guest::{Digest, Mode};
use crate::supervision::reload::ReloadReport;

/// A reload that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReloadRequest {
    pub(crate) module: String,
    /// The uploaded component that takes its place; none for what the module's own file has now.
    pub(crate) component: Option<(PathBuf, Digest)>,
    /// What becomes of the state; none for what each actor can and may.
    pub(crate) mode: Option<Mode>,
    /// Actors that can't be reloaded keep their code, and the others don't go back for it.
    pub(crate) mixed: bool,
    /// Also if the new code says that it is another actor, or has an older state.
    pub(crate) force: bool,
    /// Only say what would be done.
    pub(crate) dry_run: bool,
}

impl ReloadRequest {
    /// With what the module's own file has now.
    pub(crate) fn from_file(module: &str) -> Self {
        Self {
            module: module.to_owned(),
            ..Self::default()
        }
    }
}

/// The node behind its control actor. Whatever fails, fails with a reason for people.
pub(crate) trait Service: Send + Sync + 'static {
    /// What runs here.
    fn status(&self) -> BoxFuture<'_, Status>;

    /// The nodes that there are sessions with.
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<OtherNode>, String>>;

    /// Replaces the code of a module, and reports how that went.
    fn reload(&self, request: ReloadRequest) -> BoxFuture<'_, Result<ReloadReport, String>>;

    /// Goes back to the version before, and reports how that went.
    fn rollback(&self, module: String) -> BoxFuture<'_, Result<ReloadReport, String>>;

    /// The components that are in use, or may be gone back to.
    fn components(&self) -> BTreeSet<Digest>;
}
