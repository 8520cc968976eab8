//! What a file is checked against besides itself.

use std::env::VarError;
use std::path::Path;

/// See the module.
pub(crate) struct ReadContext<'a> {
    /// Relative paths start here.
    pub(super) folder: &'a Path,
    /// The native actors of the program.
    pub(super) natives: &'a [&'a str],
    /// The environment.
    pub(super) variable: &'a dyn Fn(&str) -> Result<String, VarError>,
}
