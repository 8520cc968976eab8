//! What a file is checked against besides itself.

use std::env::VarError;
use std::path::Path;

use crate::guest::HostInterfaces;

/// See the module.
pub(crate) struct ReadContext<'a> {
    /// Relative paths start here.
    pub(super) folder: &'a Path,
    /// The native actors of the program.
    pub(super) natives: &'a [&'a str],
    /// The interfaces that the program adds for guests.
    pub(super) interfaces: &'a HostInterfaces,
    /// The environment.
    pub(super) variable: &'a dyn Fn(&str) -> Result<String, VarError>,
}
