//! The names of functions, as people wrote them.

use std::fmt::{self, Write};

use crate::policy::text::tidy;

/// The number of bytes of a function's name that are shown.
const SHOWN: usize = 128;

/// The number of bytes of a function's name that are written out. A name that repeats itself is short, and what it stands for can be a
/// megabyte.
const WRITTEN: usize = 8 * SHOWN;

/// A function's name, as its author wrote it where that is known, in one line and not too long.
pub(crate) fn function_name(name: &str) -> String {
    // Without the hash that tells versions of a crate apart.
    match rustc_demangle::try_demangle(name) {
        Ok(name) => {
            let mut written = Beginning::default();
            if write!(written, "{name:#}").is_err() {
                // What is shown of it is there by then.
                written.0.push('…');
            }
            tidy(&written.0, SHOWN).into_owned()
        }
        Err(_) => tidy(name, SHOWN).into_owned(),
    }
}

/// The beginning of what is written, up to the piece that reaches [`WRITTEN`].
#[derive(Default)]
struct Beginning(String);

impl Write for Beginning {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0.push_str(piece);
        if self.0.len() < WRITTEN {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}
