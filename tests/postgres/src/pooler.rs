//! A pooler between clients and a server.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::getuid;
use tempfile::TempDir;

use crate::{NOBODY, PATIENCE, Server, as_nobody, free_port, must, not_there};

/// Names the program, if it is to be looked for nowhere else.
pub const POOLER_VARIABLE: &str = "RACTOR_TEST_PGBOUNCER";

/// Where Debian has it, which isn't in everybody's path.
const DEBIAN: &str = "/usr/sbin/pgbouncer";

/// Runs it until standard input ends.
const SHELL: &str = r#"
"$1" "$2"/pgbouncer.ini >>"$2"/log 2>&1 &
pooler=$!
read -r line
kill "$pooler" 2>/dev/null
wait
"#;

/// PgBouncer in transaction mode: each transaction gets whichever connection is free. Dropping it ends it.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    shell: Option<Child>,
    folder: TempDir,
}

impl Pooler {
    /// Starts one in front of this server. None, with a line that says so, where there is no PgBouncer.
    ///
    /// # Panics
    /// It doesn't start; or there is none, and this is CI.
    #[track_caller]
    pub fn start(server: &Server) -> Option<Self> {
        let program = program()?;
        let prefixed = tempfile::Builder::new().prefix("ractor-pgbouncer-").tempdir();
        let folder = must("making a folder", prefixed);
        let port = free_port();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 8\n",
            server.port()
        );
        must(
            "writing settings",
            fs::write(folder.path().join("pgbouncer.ini"), settings),
        );
        if getuid().is_root() {
            must(
                "giving the folder away",
                chown(folder.path(), Some(NOBODY), Some(NOBODY)),
            );
        }
        let mut shell = as_nobody(Path::new("/bin/sh"), program.parent().unwrap_or(&program));
        shell.args(["-c", SHELL, "sh"]).arg(&program).arg(folder.path());
        shell.current_dir(folder.path()).stdin(Stdio::piped());
        let pooler = Self {
            port,
            shell: Some(must("starting PgBouncer", shell.spawn())),
            folder,
        };
        pooler.wait_ready();
        Some(pooler)
    }

    #[track_caller]
    fn wait_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "PgBouncer doesn't start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// As that of a server.
    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            shell.wait().ok();
        }
    }
}

/// The program; none, with a line that says so, where there is none.
#[track_caller]
fn program() -> Option<PathBuf> {
    let named = std::env::var_os(POOLER_VARIABLE).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).map(|folder| folder.join("pgbouncer"));
    let places = match named {
        Some(program) => vec![program],
        None => folders.chain([PathBuf::from(DEBIAN)]).collect(),
    };
    let found = places.into_iter().find(|program| program.is_file());
    if found.is_none() {
        not_there(&format!("no PgBouncer in {POOLER_VARIABLE}, PATH or {DEBIAN}"));
    }
    found
}
