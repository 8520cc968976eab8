//! The names of functions, as people wrote them.

use std::fmt::{self, Write as _};

use crate::policy::text::tidy;

/// The number of bytes of a function's name that are shown.
const SHOWN: usize = 128;

/// A function's name, as its author wrote it where that is known, in one line and not too long.
pub(crate) fn function_name(name: &str) -> String {
    // Without the hash that tells versions of a crate apart.
    match rustc_demangle::try_demangle(name) {
        Ok(name) => {
            let mut beginning = Beginning(String::new());
            // An error says that there is more than is shown.
            let _cut = write!(beginning, "{name:#}").is_err();
            tidy(&beginning.0, SHOWN).into_owned()
        }
        Err(_) => tidy(name, SHOWN).into_owned(),
    }
}

/// The beginning of a text, a little more than what is shown: a few bytes can stand for a name of a million.
struct Beginning(String);

impl fmt::Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        if self.0.len() > 2 * SHOWN {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}
