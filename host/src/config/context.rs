//! What a file is checked against besides itself.

use std::env::VarError;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use crate::guest::HostInterfaces;

/// See the module.
pub(crate) struct ReadContext<'a> {
    /// Relative paths start here, but for those of files that are included.
    pub(super) folder: &'a Path,
    /// Those files, and where they are in the text.
    pub(super) included: &'a [(PathBuf, Range<usize>)],
    /// The native actors of the program.
    pub(super) natives: &'a [&'a str],
    /// The native entities of the program.
    pub(super) entities: &'a [&'a str],
    /// The interfaces that the program adds for guests.
    pub(super) interfaces: &'a HostInterfaces,
    /// The environment.
    pub(super) variable: &'a dyn Fn(&str) -> Result<String, VarError>,
}

impl ReadContext<'_> {
    /// The folder of the file that has this place.
    pub(super) fn folder_of(&self, at: usize) -> &Path {
        let mut included = self.included.iter();
        let found = included.find(|(_, range)| range.start <= at && at <= range.end);
        found.map_or(self.folder, |(file, _)| file.parent().unwrap_or(Path::new("")))
    }

    /// A path as it is meant by the file that has it.
    pub(super) fn path(&self, written: &Spanned<&str>) -> PathBuf {
        self.folder_of(written.span().start).join(written.get_ref())
    }
}
