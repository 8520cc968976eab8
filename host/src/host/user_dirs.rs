//! The folders that a user has for programs, as the XDG base directory specification has them.

use std::path::PathBuf;

/// The name of this program's folder in each of them.
const PROGRAM: &str = "ractor-host";

/// Where what can be made again is kept: `$XDG_CACHE_HOME` or `~/.cache`. None if the user has no home.
pub(super) fn cache() -> Option<PathBuf> {
    folder("XDG_CACHE_HOME", ".cache")
}

/// Where what can't be made again is kept: `$XDG_STATE_HOME` or `~/.local/state`. None if the user has no home.
pub(super) fn state() -> Option<PathBuf> {
    folder("XDG_STATE_HOME", ".local/state")
}

/// Where what lives no longer than the user's session is kept: `$XDG_RUNTIME_DIR`, or `/run/user/UID` if that is there, or else a folder of the
/// user's own in `/tmp`. Who makes one there first under the user's name keeps the user from having it, and can do no more: see
/// [`check_writers`](crate::files::check_writers).
#[cfg(unix)]
pub(super) fn runtime() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let user = rustix::process::geteuid().as_raw();
    let is_there = |folder: &PathBuf| folder.is_dir();
    let of_session = named.or_else(|| Some(PathBuf::from(format!("/run/user/{user}"))).filter(is_there));
    let of_session = of_session.map(|folder| folder.join(PROGRAM));
    of_session.or_else(|| {
        let shared = Some(PathBuf::from("/tmp")).filter(is_there)?;
        // A link would have somebody else choose which folder of the user it is.
        Some(shared.join(format!("{PROGRAM}-{user}"))).filter(|folder| !folder.is_symlink())
    })
}

/// The folder that the variable names, or this one in the user's home. A path that is not absolute is none, says the specification.
fn folder(variable: &str, in_home: &str) -> Option<PathBuf> {
    let absolute = |variable| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let user = absolute(variable).or_else(|| Some(absolute("HOME")?.join(in_home)))?;
    Some(user.join(PROGRAM))
}
