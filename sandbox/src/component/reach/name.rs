//! The names of functions, as people wrote them.

use crate::policy::text::tidy;

/// The number of bytes of a function's name that are shown.
const SHOWN: usize = 128;

/// A function's name, as its author wrote it where that is known, in one line and not too long.
pub(crate) fn function_name(name: &str) -> String {
    // Without the hash that tells versions of a crate apart.
    match rustc_demangle::try_demangle(name) {
        Ok(name) => tidy(&format!("{name:#}"), SHOWN).into_owned(),
        Err(_) => tidy(name, SHOWN).into_owned(),
    }
}
