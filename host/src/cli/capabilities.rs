//! What an actor may do, as `check` says it.

use std::io::{self, Write};

use crate::guest::{Granted, Grants};

/// One line for each thing that is granted, or one that says that nothing is.
pub(super) fn write_grants(out: &mut impl Write, grants: &Grants) -> io::Result<()> {
    let all = grants.in_words();
    for Granted { verb, objects } in &all {
        writeln!(out, "    may {verb} {}", objects.join(", "))?;
    }
    if all.is_empty() {
        writeln!(out, "    may reach nothing but its supervisor and its children")?;
    }
    Ok(())
}
