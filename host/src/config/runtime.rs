//! `[runtime]`: how guests are run.

use std::path::PathBuf;

use super::Context;
use super::problem::Problems;
use super::section::{Keys, Section};

pub(super) const KEYS: Keys = Keys {
    known: &["cache_dir"],
    explained: &[],
};

/// The checked `[runtime]` table.
#[derive(Clone, Debug, Default)]
pub struct RuntimeSection {
    /// Where compiled code is kept; none for the default, a folder of the user's cache directory.
    pub cache_dir: Option<PathBuf>,
}

impl RuntimeSection {
    pub(super) fn read(section: &Section<'_>, context: &Context<'_>, problems: &mut Problems) -> Self {
        let cache_dir = section.text("cache_dir", problems);
        if let Some(dir) = &cache_dir
            && dir.get_ref().is_empty()
        {
            problems.error(
                dir.span(),
                "`cache_dir` is empty",
                "expected the path of a folder, or leave it out",
            );
        }
        Self {
            cache_dir: cache_dir.map(|dir| context.folder.join(dir.get_ref())),
        }
    }
}
