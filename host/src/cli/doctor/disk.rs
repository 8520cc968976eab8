//! The folders that a node keeps things in: whether it may write there, and how much room there is.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statfs, statvfs};

use super::finding::Finding;
use crate::cli::units::bytes;
use crate::config::NodeConfig;
use crate::files::{self, Owner};
use crate::guest::EngineConfig;
use crate::host::{cache_dir, check_state_folder, state_folder};

/// Free space below which the next checkpoints or components may not fit.
const LITTLE: u64 = 1 << 30;

/// Free space that is as good as none.
const NONE: u64 = 64 << 20;

/// File systems that are in memory, and those that are on other machines, by the numbers that Linux gives them.
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
const ELSEWHERE: [u64; 4] = [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x517b];

pub(super) fn examine(config: &NodeConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let state = state_folder(config);
    if let Err(error) = check_state_folder(config) {
        findings.push(
            Finding::fail("state-folder", "the state folder", error)
                .because("states and deployed components are kept there"),
        );
    } else if let Some(folder) = &state {
        findings.extend(examine_folder("state-folder", folder));
        findings.extend(file_system(folder));
    }
    if config.modules.is_empty() {
        // Nothing is compiled.
        return findings;
    }
    match cache_dir(&config.runtime) {
        None => findings.push(
            Finding::warn("cache-folder", "the cache", "there is no folder for it")
                .because("every start compiles every component anew")
                .mend("write `cache_dir = \"…\"` into [runtime], or set the variable HOME"),
        ),
        Some(folder) => {
            findings.extend(examine_folder("cache-folder", &folder));
            let most = config
                .runtime
                .cache_bytes
                .unwrap_or(EngineConfig::default().cache_bytes);
            findings.extend(state.and_then(|state| shared(&state, &folder, most)));
        }
    }
    findings
}

/// The folder, or the nearest one above it that is there.
fn existing(folder: &Path) -> PathBuf {
    let there = folder.ancestors().find(|above| above.is_dir());
    there
        .filter(|path| !path.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
        .to_owned()
}

fn examine_folder(check: &'static str, folder: &Path) -> Vec<Finding> {
    let there = existing(folder);
    let subject = folder.display();
    if access(&there, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let what = format!("{} can't be written to by this user", there.display());
        return vec![
            Finding::fail(check, subject, what).mend("run as the user of the node, or give the folder to that user"),
        ];
    }
    let mut findings = Vec::new();
    if there == folder
        && let Err(unguarded) = files::check_writers(folder, Owner::Ours)
    {
        findings.push(
            Finding::fail(check, &subject, unguarded)
                .because("who can write there decides what the node runs")
                .mend(format!("`chmod go-w {}`", folder.display())),
        );
    }
    let Ok(space) = statvfs(&there) else { return findings };
    findings.push(free_space(check, folder, space.f_bavail.saturating_mul(space.f_frsize)));
    findings
}

fn free_space(check: &'static str, folder: &Path, free: u64) -> Finding {
    let (subject, what) = (
        folder.display(),
        format!("it can be written to, and {} are free", bytes(free)),
    );
    let finding = match free {
        ..NONE => Finding::fail(check, subject, what),
        NONE..LITTLE => Finding::warn(check, subject, what),
        _ => return Finding::ok(check, subject, what),
    };
    finding
        .because("what doesn't fit isn't kept")
        .mend("make room, or choose a folder on another disk")
}

/// What kind of disk it is.
fn file_system(folder: &Path) -> Option<Finding> {
    let kind = u64::try_from(statfs(existing(folder)).ok()?.f_type).ok()?;
    let subject = folder.display();
    if IN_MEMORY.contains(&kind) {
        let finding = Finding::warn("state-folder", subject, "it is in memory, not on a disk");
        return Some(
            finding
                .because("what is kept there is gone when the machine restarts")
                .mend(CHOOSE),
        );
    }
    if ELSEWHERE.contains(&kind) {
        let finding = Finding::warn("state-folder", subject, "it is on another machine's disk");
        return Some(
            finding
                .because("locks and syncs there may not be what they promise")
                .mend(CHOOSE),
        );
    }
    None
}

const CHOOSE: &str = "choose a folder on a local disk with `state_dir` in [runtime]";

/// A cache that grows is not to take the room of states.
fn shared(state: &Path, cache: &Path, most: u64) -> Option<Finding> {
    let (state, cache) = (existing(state), existing(cache));
    if state.metadata().ok()?.dev() != cache.metadata().ok()?.dev() {
        return None;
    }
    let space = statvfs(&cache).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    (free < most).then(|| {
        let what = format!(
            "the cache may grow to {}, {} are free, and states are on the same disk",
            bytes(most),
            bytes(free)
        );
        Finding::warn("cache-folder", "the cache", what)
            .mend("lower `cache_bytes` in [runtime], or keep the two on different disks")
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn a_disk_that_fills_up_is_found_before_it_is_full() {
        let level = |free| free_space("state-folder", Path::new("/srv"), free).level;
        assert_eq!(
            (level(2 << 30), level(500 << 20), level(1 << 20)),
            (Level::Ok, Level::Warn, Level::Fail)
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_judged_by_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(existing(&folder.path().join("a/b")), folder.path());
    }
}
