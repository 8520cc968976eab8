//! A PostgreSQL of a test's own, in a folder and at a port that nobody else uses.
//!
//! It ends with the test's process, however that ends: a shell waits for the end of its standard input, which only this process holds open.
#![expect(clippy::panic, reason = "a harness says that a test failed by panicking")]

mod pooler;

use std::fs;
use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process, test_kill_process};
use tempfile::TempDir;

pub use pooler::{POOLER_VARIABLE, Pooler};

/// Names the folder with the programs, if they are to be looked for nowhere else.
pub const VARIABLE: &str = "RACTOR_TEST_POSTGRES";

/// Where Debian and its kin have them.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The longest time that a server takes to come up or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// `nobody`, for a test that is run by root: PostgreSQL refuses to be root's.
const NOBODY: u32 = 65_534;

/// Runs a server until it ends. If standard input ends before that, so do the server and its folder; the line `leave` leaves both.
const SHELL: &str = r#"
{ "$1"/postgres -D "$2" >>"$2"/log 2>&1; : >"$2"/over; } &
read -r line
[ "$line" = leave ] || kill -QUIT "$(head -n 1 "$2"/postmaster.pid)" 2>/dev/null
wait
[ "$line" = "" ] && rm -rf "$3" 2>/dev/null
"#;

/// The folder with `initdb` and `postgres`; none, with a line that says so, where there are none.
///
/// # Panics
/// There are none, and this is CI: what is done with PostgreSQL is to be tested there.
#[track_caller]
pub fn programs() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let found = match named {
        Some(folder) => Some(folder).filter(|folder| is_complete(folder)),
        None => in_path().or_else(|| newest_in(Path::new(DEBIAN))),
    };
    if found.is_none() {
        not_there(&format!(
            "no PostgreSQL (initdb, postgres) in {VARIABLE}, PATH or {DEBIAN}/*/bin"
        ));
    }
    found
}

/// Says why something isn't tested.
///
/// # Panics
/// This is CI, where it has to be.
#[track_caller]
fn not_there(why: &str) {
    if std::env::var_os("CI").is_some() {
        panic!("{why}");
    }
    writeln!(std::io::stderr(), "NOT TESTED: {why}").ok();
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
}

fn in_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut folders = std::env::split_paths(&path);
    let found = folders.find(|folder| is_complete(folder))?;
    // A link leads to the folder with what belongs to it.
    let program = found.join("postgres").canonicalize().ok()?;
    program.parent().map(Path::to_path_buf)
}

fn newest_in(folder: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(folder).ok()?.flatten();
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let numbered = versions.filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin"))));
    numbered.filter(|(_, bin)| is_complete(bin)).max().map(|(_, bin)| bin)
}

/// A server. Dropping it ends it and removes what it had.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    shell: Option<Child>,
    /// A folder for its log of changes, if that is elsewhere because the data are on a disk of its own.
    log_folder: Option<TempDir>,
}

impl Server {
    /// Makes a server and starts it. None, with a line that says so, where there is no PostgreSQL.
    ///
    /// # Panics
    /// It doesn't start; or there is no PostgreSQL, and this is CI.
    #[track_caller]
    pub fn start() -> Option<Self> {
        programs().map(Self::start_by)
    }

    /// The same, with the programs of this folder.
    ///
    /// # Panics
    /// It doesn't start.
    #[track_caller]
    pub fn start_by(programs: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("ractor-postgres-").tempdir();
        let folder = must("making a folder", folder.map(TempDir::keep));
        Self::start_in(programs, folder, None)
    }

    /// The same, with its tables on a disk of this many bytes, a tmpfs, which [`Server::fill`] fills. None, with a line that says so, where this
    /// process may not mount one.
    ///
    /// # Panics
    /// As [`Server::start`], and where it may not mount one and this is CI.
    #[track_caller]
    pub fn start_on_disk(bytes: u64) -> Option<Self> {
        // First: where there are none, nothing is left behind.
        let programs = programs()?;
        let prefixed = || tempfile::Builder::new().prefix("ractor-postgres-").tempdir();
        let folder = must("making a folder", prefixed().map(TempDir::keep));
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={bytes},mode=0700"), "tmpfs"])
            .arg(&folder);
        let mounted = mount.output();
        if !mounted.as_ref().is_ok_and(|ended| ended.status.success()) {
            let why = "what a full disk does to PostgreSQL: no tmpfs can be mounted";
            if std::env::var_os("CI").is_some() {
                panic!("{why}: {mounted:?}");
            }
            writeln!(std::io::stderr(), "NOT TESTED: {why}").ok();
            fs::remove_dir(&folder).ok();
            return None;
        }
        let log_folder = must("making a folder", prefixed());
        must(
            "giving the folder away",
            chown(log_folder.path(), Some(NOBODY), Some(NOBODY)),
        );
        Some(Self::start_in(programs, folder, Some(log_folder)))
    }

    /// Fills the disk of [`Server::start_on_disk`], until the file that is returned is removed.
    ///
    /// # Panics
    /// The disk takes more than this process can write.
    #[track_caller]
    pub fn fill(&self) -> PathBuf {
        let path = self.folder.join("ballast");
        let mut file = must("making a file", fs::File::create(&path));
        let full = (0..1_000_000).find_map(|_| file.write_all(&[7; 4_096]).err());
        assert_eq!(
            full.map(|error| error.kind()),
            Some(ErrorKind::StorageFull),
            "the disk isn't full"
        );
        path
    }

    #[track_caller]
    fn start_in(programs: PathBuf, folder: PathBuf, log_folder: Option<TempDir>) -> Self {
        must(
            "opening the folder to its owner",
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)),
        );
        if getuid().is_root() {
            must("giving the folder away", chown(&folder, Some(NOBODY), Some(NOBODY)));
        }
        let data = folder.join("data");
        let mut initdb = as_nobody(&programs.join("initdb"), &programs);
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        initdb.arg(&data).current_dir(&folder);
        if let Some(elsewhere) = &log_folder {
            initdb.arg("--waldir").arg(elsewhere.path().join("wal"));
        }
        let made = must("starting initdb", initdb.output());
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut server = Self {
            programs,
            folder,
            port: free_port(),
            shell: None,
            log_folder,
        };
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nport = {}\nshared_buffers = 16MB\n",
            server.port
        );
        server.configure(&settings);
        server.run();
        server
    }

    /// Adds lines to its configuration. They hold from its next start, or [`Server::reload`].
    ///
    /// # Panics
    /// The file can't be written.
    #[track_caller]
    pub fn configure(&self, lines: &str) {
        let file = fs::OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"));
        let written = file.and_then(|mut file| file.write_all(lines.as_bytes()));
        must("configuring the server", written);
    }

    /// Takes TLS from its next start, with this certificate and its key in PEM.
    ///
    /// # Panics
    /// The files can't be written.
    #[track_caller]
    pub fn encrypt(&self, certificate: &str, key: &str) {
        for (name, content) in [("server.crt", certificate), ("server.key", key)] {
            let file = self.data().join(name);
            must("writing a certificate", fs::write(&file, content));
            let private = fs::Permissions::from_mode(0o600);
            must("keeping a key private", fs::set_permissions(&file, private));
            if getuid().is_root() {
                must("giving a file away", chown(&file, Some(NOBODY), Some(NOBODY)));
            }
        }
        self.configure("ssl = on\n");
    }

    /// Reads the configuration again.
    ///
    /// # Panics
    /// It isn't running.
    #[track_caller]
    pub fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// `postgres://USER@127.0.0.1:PORT/DATABASE`, which needs no password.
    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it again, at the same port.
    ///
    /// # Panics
    /// It doesn't start.
    #[track_caller]
    pub fn run(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.launch();
            match self.wait_ready(deadline) {
                Ok(()) => return,
                // What was killed may not be gone altogether yet.
                Err(log) if Instant::now() > deadline => panic!("PostgreSQL doesn't start: {log}"),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn over(&self) -> PathBuf {
        self.data().join("over")
    }

    fn launch(&mut self) {
        fs::remove_file(self.over()).ok();
        let mut shell = as_nobody(Path::new("/bin/sh"), &self.programs);
        shell.args(["-c", SHELL, "sh"]);
        shell.args([&self.programs, &self.data(), &self.folder]);
        shell.current_dir(&self.folder).stdin(Stdio::piped());
        self.shell = Some(must("starting PostgreSQL", shell.spawn()));
    }

    fn wait_ready(&mut self, deadline: Instant) -> Result<(), String> {
        loop {
            let status = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            let is_ready = status.lines().nth(7).is_some_and(|line| line.trim() == "ready");
            if is_ready && self.is_alive() && TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            if self.over().exists() {
                self.ended();
                return Err(self.log());
            }
            assert!(Instant::now() < deadline, "PostgreSQL isn't ready: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.data().join("log")).unwrap_or_default()
    }

    /// Ends it as the power does: no process of it lives on, and nothing is written any more.
    ///
    /// # Panics
    /// It isn't running.
    #[track_caller]
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended();
    }

    /// Ends it in order. What is on its way is undone.
    ///
    /// # Panics
    /// It isn't running.
    #[track_caller]
    pub fn stop(&mut self) {
        self.signal(Signal::INT);
        self.ended();
    }

    /// From its next start it is a standby of a primary that nobody has.
    ///
    /// # Panics
    /// The file can't be written.
    #[track_caller]
    pub fn become_standby(&self) {
        let signal = self.data().join("standby.signal");
        must("making a standby", fs::write(&signal, ""));
        if getuid().is_root() {
            must("giving a file away", chown(&signal, Some(NOBODY), Some(NOBODY)));
        }
    }

    /// Lets it hang: connections stay, and nothing is answered.
    ///
    /// # Panics
    /// It isn't running.
    #[track_caller]
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        for child in self.children() {
            kill_process(child, Signal::STOP).ok();
        }
    }

    /// Ends [`Server::pause`].
    ///
    /// # Panics
    /// It isn't running.
    #[track_caller]
    pub fn resume(&self) {
        for child in self.children() {
            kill_process(child, Signal::CONT).ok();
        }
        self.signal(Signal::CONT);
    }

    fn children(&self) -> Vec<Pid> {
        let Some(postmaster) = self.postmaster() else {
            return Vec::new();
        };
        let parent = postmaster.as_raw_nonzero().to_string();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let is_child = |path: PathBuf| {
            let status = fs::read_to_string(path.join("stat")).ok()?;
            // After the name, which ends with the last parenthesis: the state and the parent.
            let parent_of = status.rsplit_once(')')?.1.split_whitespace().nth(1)?.to_owned();
            (parent_of == parent).then(|| path.file_name()?.to_str()?.parse().ok())?
        };
        processes
            .filter_map(|entry| Pid::from_raw(is_child(entry.path())?))
            .collect()
    }

    #[track_caller]
    fn ended(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            // The folder stays.
            let told = shell.stdin.take().map(|mut stdin| stdin.write_all(b"leave\n"));
            assert!(
                matches!(told, Some(Ok(()))),
                "the shell of the server is gone: {told:?}"
            );
            must("waiting for PostgreSQL", shell.wait());
        }
        fs::remove_file(self.data().join("postmaster.pid")).ok();
    }

    #[track_caller]
    fn signal(&self, signal: Signal) {
        let Some(pid) = self.postmaster() else {
            panic!("PostgreSQL isn't running: {}", self.log());
        };
        must(
            "signalling PostgreSQL",
            kill_process(pid, signal).map_err(std::io::Error::from),
        );
    }

    fn postmaster(&self) -> Option<Pid> {
        let status = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        Pid::from_raw(status.lines().next()?.trim().parse().ok()?)
    }

    fn is_alive(&self) -> bool {
        self.postmaster().is_some_and(|pid| test_kill_process(pid).is_ok())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            shell.wait().ok();
        }
        if self.log_folder.is_some() {
            Command::new("umount").arg(&self.folder).output().ok();
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                writeln!(std::io::stderr(), "{} is left: {error}", self.folder.display()).ok();
            }
            _ => {}
        }
    }
}

/// The libraries beside programs that were unpacked and not installed: `usr/lib/NAME-OF-THE-MACHINE`. Those of servers are three folders below
/// `usr/lib`, and others one below `usr`.
fn libraries(programs: &Path) -> Option<PathBuf> {
    let beside = programs.parent().map(|usr| usr.join("lib"));
    let lib = match programs.ancestors().nth(3) {
        Some(lib) if lib.ends_with("usr/lib") => lib.to_path_buf(),
        _ => beside?,
    };
    let name = format!("{}-linux-gnu", std::env::consts::ARCH);
    Some(lib.join(name)).filter(|folder| lib != Path::new("/usr/lib") && folder.is_dir())
}

/// A command that isn't root's.
fn as_nobody(program: &Path, programs: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(libraries) = libraries(programs) {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    if getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

#[track_caller]
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    must("finding a port", address).port()
}

#[track_caller]
fn must<T>(what: &str, result: std::io::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}
