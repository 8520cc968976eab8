//! As whom this process asks the system for a file.

/// The user and the groups of a process.
#[derive(Debug)]
pub(crate) struct ProcessIds {
    pub(crate) user: u32,
    pub(crate) groups: Vec<u32>,
}

impl ProcessIds {
    /// Of this one.
    pub(crate) fn this() -> Self {
        let mut groups = rustix::process::getgroups().unwrap_or_default();
        // The list of supplementary groups need not include the effective one.
        groups.push(rustix::process::getegid());
        Self {
            user: rustix::process::geteuid().as_raw(),
            groups: groups.into_iter().map(rustix::process::Gid::as_raw).collect(),
        }
    }
}
