//! A small disk that a test can fill: a tmpfs. Only root can have one.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted tmpfs. Dropping it unmounts it.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// A disk of this many bytes at a folder, which is made. None, with a line that says so, where this process may not mount
    /// one.
    ///
    /// # Panics
    /// It can't be had, and this is CI: what a full disk does is to be tested there.
    #[track_caller]
    pub fn mount(folder: PathBuf, bytes: u64) -> Option<Self> {
        let mounted = fs::create_dir_all(&folder)
            .map_err(|error| error.to_string())
            .and_then(|()| {
                let mut mount = Command::new("mount");
                mount.args(["-t", "tmpfs", "-o", &format!("size={bytes},mode=0700"), "tmpfs"]);
                let ended = mount.arg(&folder).output().map_err(|error| error.to_string())?;
                if ended.status.success() {
                    Ok(())
                } else {
                    Err(String::from_utf8_lossy(&ended.stderr).into_owned())
                }
            });
        match mounted {
            Ok(()) => Some(Self { folder }),
            Err(reason) if std::env::var_os("CI").is_some() => panic!("no tmpfs can be mounted: {reason}"),
            Err(reason) => {
                eprintln!(
                    "NOT TESTED: what a full disk does; no tmpfs can be mounted: {}",
                    reason.trim()
                );
                None
            }
        }
    }

    /// A path on it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Fills it to the last byte.
    ///
    /// # Panics
    /// It doesn't become full.
    #[track_caller]
    pub fn fill(&self) {
        let filling = self.filling();
        let written: std::io::Result<()> = File::create(&filling).and_then(|mut file| {
            loop {
                file.write_all(&[0; 4096])?;
            }
        });
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {}
            other => panic!("filling {}: {other:?}", filling.display()),
        }
    }

    /// Makes room again.
    ///
    /// # Panics
    /// It was not filled.
    #[track_caller]
    pub fn make_room(&self) {
        if let Err(error) = fs::remove_file(self.filling()) {
            panic!("making room: {error}");
        }
    }

    fn filling(&self) -> PathBuf {
        self.folder.join("filling")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.folder);
    }
}

/// Also while something on it is open.
fn unmount(folder: &Path) {
    match Command::new("umount").arg("--lazy").arg(folder).status() {
        Ok(status) if status.success() => {}
        other => eprintln!("unmounting {}: {other:?}", folder.display()),
    }
}
