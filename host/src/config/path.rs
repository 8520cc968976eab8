//! What to say of a file or a folder that is not there.

use std::path::{Path, PathBuf};

/// Where it was looked for, and what is not expanded in it: `written` is what the file has, `folder` where relative paths
/// start.
pub(crate) fn missing(written: &str, folder: &Path) -> String {
    if written == "~" || written.starts_with("~/") {
        let rest = written.strip_prefix('~').unwrap_or_default();
        return format!("`~` is not expanded: write `${{HOME}}{rest}`");
    }
    if let Some(name) = bare_variable(written) {
        return format!("`${name}` is not expanded: write `${{{name}}}`");
    }
    if Path::new(written).is_absolute() {
        return "expected the path of a file or folder that is there".to_owned();
    }
    format!(
        "looked for it in {}, the folder of this file",
        absolute(folder).display()
    )
}

/// The first `$NAME` without braces.
fn bare_variable(text: &str) -> Option<&str> {
    text.match_indices('$').find_map(|(at, _)| {
        let rest = text.get(at + 1..)?;
        let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        let name = rest.get(..end.unwrap_or(rest.len()))?;
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            .then_some(name)
    })
}

fn absolute(folder: &Path) -> PathBuf {
    let folder = if folder == Path::new("") {
        Path::new(".")
    } else {
        folder
    };
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_expand_is_said_to_be_left_as_it_is() {
        let folder = Path::new("/etc/node");
        for (written, expected) in [
            ("~/a.wasm", "`~` is not expanded: write `${HOME}/a.wasm`"),
            ("$HOME/b.wasm", "`$HOME` is not expanded: write `${HOME}`"),
            ("lib/$ARCH.wasm", "`$ARCH` is not expanded: write `${ARCH}`"),
            ("/a.wasm", "expected the path of a file or folder that is there"),
            ("a$.wasm", "looked for it in /etc/node, the folder of this file"),
            ("~a", "looked for it in /etc/node, the folder of this file"),
        ] {
            assert_eq!(missing(written, folder), expected, "{written}");
        }
    }
}
