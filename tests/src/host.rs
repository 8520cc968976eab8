//! A node of `ractor-host run`, from a node.toml that a test writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::peer::wait_ready;
use crate::process::Process;
use crate::{COOKIE, programs};

/// A folder with a node.toml and what it refers to.
#[derive(Debug)]
pub struct NodeFolder {
    folder: TempDir,
}

impl NodeFolder {
    /// Writes the file and, beside it, `cookie`.
    ///
    /// # Panics
    /// The file system doesn't take them.
    #[track_caller]
    pub fn new(node_toml: &str, cookie: &str) -> Self {
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(error) => panic!("making a folder for a node: {error}"),
        };
        let this = Self { folder };
        this.write("node.toml", node_toml);
        this.write("cookie", cookie);
        // Anybody else who can read the cookie could join; a careful host refuses such a file.
        keep_private(&this.path("cookie"));
        this
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into it.
    ///
    /// # Panics
    /// The file system doesn't take it.
    #[track_caller]
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        if let Err(error) = fs::write(self.path(name), content) {
            panic!("writing {name}: {error}");
        }
    }
}

impl NodeFolder {
    /// Writes a file into it that only its owner can read.
    ///
    /// # Panics
    /// The file system doesn't take it.
    #[track_caller]
    pub fn write_private(&self, name: &str, content: impl AsRef<[u8]>) {
        self.write(name, content);
        keep_private(&self.path(name));
    }
}

/// A running `ractor-host run`.
#[derive(Debug)]
pub struct HostNode {
    // Before the folder: the process ends first.
    process: Process,
    name: String,
    address: String,
    folder: NodeFolder,
}

impl HostNode {
    /// Starts a node with this name, listening where the system chooses, with the usual cookie. `rest` is the rest of
    /// its node.toml, beginning within `[node]`.
    #[track_caller]
    pub fn start(name: &str, rest: &str) -> Self {
        Self::start_with_cookie(name, COOKIE, rest)
    }

    /// Starts a node, and waits until it is ready.
    #[track_caller]
    pub fn start_with_cookie(name: &str, cookie: &str, rest: &str) -> Self {
        Self::start_with(name, cookie, rest, &[])
    }

    /// As [`Self::start`], with these files named by variables of its environment.
    #[track_caller]
    pub fn start_in(name: &str, rest: &str, variables: &[(&str, &Path)]) -> Self {
        Self::start_with(name, COOKIE, rest, variables)
    }

    #[track_caller]
    fn start_with(name: &str, cookie: &str, rest: &str, variables: &[(&str, &Path)]) -> Self {
        Self::start_by(name, cookie, rest, |mut command| {
            let label = format!("{name} (ractor-host run)");
            Process::start(&label, command.envs(variables.iter().copied()))
        })
    }

    /// Starts a node in the way of the test, which makes a process, with its stdout in a pipe, of the command.
    #[track_caller]
    pub fn start_by(name: &str, cookie: &str, rest: &str, start: impl FnOnce(Command) -> Process) -> Self {
        let folder = NodeFolder::new(&node_toml(name, rest), cookie);
        let mut process = start(run(&folder.path("node.toml")));
        let (name, address) = wait_ready(&mut process);
        Self {
            process,
            name,
            address,
            folder,
        }
    }

    /// Kills it, and starts the same node again with other actors: `rest` is as for [`Self::start`].
    #[track_caller]
    pub fn crash_and_restart(&mut self, rest: &str) {
        self.process.kill();
        let name = self.name.split('@').next().unwrap_or_default();
        let listen = format!("listen = \"{}\"", self.address);
        let toml = node_toml(name, rest).replace("listen = \"127.0.0.1:0\"", &listen);
        self.folder.write("node.toml", toml);
        let label = format!("{name} (ractor-host run, again)");
        self.process = Process::start(&label, &mut run(&self.folder.path("node.toml")));
        wait_ready(&mut self.process);
    }

    /// Its full name, `name@hostname`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The file with its cookie.
    pub fn cookie_file(&self) -> PathBuf {
        self.folder.path("cookie")
    }

    /// A file of its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    /// Its process, to signal it and to read its log.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// Makes a file one that only its owner can read.
#[track_caller]
pub fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let private = fs::Permissions::from_mode(0o600);
        if let Err(error) = fs::set_permissions(path, private) {
            panic!("making {} private: {error}", path.display());
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// The usual beginning of a node.toml, and `rest`.
pub fn node_toml(name: &str, rest: &str) -> String {
    format!("[node]\nname = \"{name}\"\nlisten = \"127.0.0.1:0\"\ncookie_file = \"cookie\"\n{rest}")
}

/// The part of a node.toml that runs one guest counter in a group, under a name.
#[track_caller]
pub fn guest_counter(name: &str, group: &str, start: u64) -> String {
    counter_of(&programs::guest("counter"), name, group, start)
}

/// The same with a counter in this component.
pub fn counter_of(path: &Path, name: &str, group: &str, start: u64) -> String {
    format!("[modules.counter]\npath = {path:?}\n") + &another_counter(name, group, start)
}

/// The part of a node.toml that runs another one, after [`guest_counter`].
pub fn another_counter(name: &str, group: &str, start: u64) -> String {
    // One that fails is gone, as every other counter of the tests.
    let actor = format!("name = \"{name}\"\nmodule = \"counter\"\ngroups = [\"{group}\"]\nrestart = \"temporary\"\n");
    // It sums whichever group it is asked to.
    format!("\n[[actors]]\n{actor}arguments = \"u64:{start}\"\ncapabilities = {{ messages = [\"*\"] }}\n")
}

/// The command `ractor-host run FILE`.
#[track_caller]
pub fn run(node_toml: &Path) -> Command {
    let mut command = programs::ractor_host();
    command.arg("run").arg(node_toml);
    command
}
