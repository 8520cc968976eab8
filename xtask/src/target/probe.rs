//! Looks at the toolchain in use: which rustc it is, and whether it can compile guests.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::Run;
use crate::workspace::GUEST_TARGET;

/// A file beside libraries that were built here. It holds the version line of the rustc that they were built for:
/// when rustc is updated in place they stay behind and no longer fit.
pub(super) const MARKER: &str = "built-from-source-for.txt";

/// The rustc that cargo uses here.
pub(super) struct Toolchain {
    /// `1.95.0`, `1.97.0-nightly`, …
    pub(super) release: String,
    /// The whole version line, with the commit.
    pub(super) version: String,
    /// Where the libraries of the guest target belong, whether there or not.
    pub(super) libraries: PathBuf,
}

/// Why the target can't be used yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Nothing is installed.
    Absent,
    /// It was built here for another rustc.
    Outdated,
}

impl Toolchain {
    /// Asks rustc. `directory` decides the toolchain where rustup manages several.
    pub(super) fn find(directory: &Path) -> Result<Self> {
        let rustc = |arguments: &[&str]| {
            let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            Run::new(program)
                .within(directory)
                .args(arguments)
                .capture()
                .context("cannot ask rustc")
        };
        let described = rustc(&["-vV"])?;
        let libraries = rustc(&["--print", "target-libdir", "--target", GUEST_TARGET])
            .with_context(|| format!("this rustc does not know {GUEST_TARGET}; 1.82 is the first that does"))?;
        Ok(Self {
            release: field(&described, "release: ")
                .context("`rustc -vV` names no release")?
                .to_owned(),
            version: described.lines().next().unwrap_or_default().to_owned(),
            libraries: libraries.trim().into(),
        })
    }

    /// What has to be done before the target can be used, if anything.
    pub(super) fn missing(&self) -> Result<Option<Missing>> {
        if !holds_std(&self.libraries) {
            return Ok(Some(Missing::Absent));
        }
        let marker = self.libraries.join(MARKER);
        match fs::read_to_string(&marker) {
            Ok(built_for) if built_for.trim() == self.version => Ok(None),
            Ok(_) => Ok(Some(Missing::Outdated)),
            // Installed by rustup or a distribution, which keep it in step with rustc.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", marker.display())),
        }
    }

    /// Removes libraries that were built here for another rustc, so that others can take their place.
    pub(super) fn remove_own(&self) -> Result<()> {
        fs::remove_dir_all(&self.libraries).with_context(|| format!("cannot replace {}", self.libraries.display()))
    }

    /// An error if the target isn't usable after an installation that reported success.
    pub(super) fn expect_installed(&self) -> Result<()> {
        match self.missing()? {
            None => Ok(()),
            Some(missing) => bail!("it was installed, but for the rustc in use {missing}"),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Absent => "it is not there",
            Self::Outdated => "what is there was built for another rustc",
        })
    }
}

fn holds_std(libraries: &Path) -> bool {
    fs::read_dir(libraries).into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `missing` says about a library folder with these files (name, contents).
    fn check(files: &[(&str, &str)], expected: Option<Missing>) -> Result<()> {
        let folder = tempfile::tempdir()?;
        for (name, contents) in files {
            fs::write(folder.path().join(name), contents)?;
        }
        let toolchain = Toolchain {
            release: "1.95.0".into(),
            version: "rustc 1.95.0 (abc 2026-04-14)".into(),
            libraries: folder.path().into(),
        };
        assert_eq!(toolchain.missing()?, expected, "{files:?}");
        Ok(())
    }

    #[test]
    fn tells_a_usable_target_from_a_missing_or_outdated_one() -> Result<()> {
        let std = ("libstd-0123.rlib", "");
        check(&[], Some(Missing::Absent))?;
        check(&[("libcore-0123.rlib", "")], Some(Missing::Absent))?;
        check(&[("libstd-0123.rmeta", "")], Some(Missing::Absent))?;
        check(&[std], None)?;
        check(&[std, (MARKER, "rustc 1.95.0 (abc 2026-04-14)\n")], None)?;
        check(
            &[std, (MARKER, "rustc 1.94.0 (def 2026-03-01)\n")],
            Some(Missing::Outdated),
        )
    }
}
