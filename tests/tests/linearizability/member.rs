//! One node of the cluster, behind two proxies: what other nodes dial it by, and what it dials the store by.

use std::fs;
use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};

use ractor_host_tests::COOKIE;
use ractor_host_tests::host::{self, NodeFolder, node_toml};
use ractor_host_tests::peer::wait_ready;
use ractor_host_tests::process::{Process, Signal};
use ractor_host_tests::programs;
use ractor_host_tests::proxy::Proxy;

use crate::caller::{Caller, TOKEN, TYPE};
use crate::faketime;

/// The variable that a node finds the URL of the store in.
const VARIABLE: &str = "RACTOR_TEST_STORE";

/// In seconds: the shortest that there is.
pub(crate) const LEASE: u64 = 3;

/// The shards of the type. Several of each node have no key of the test, and move all the same.
const SHARDS: u64 = 80;

/// See the module.
pub(crate) struct Member {
    // Before all that it uses: the process ends first.
    process: Option<Process>,
    name: String,
    store_url: String,
    admin_url: String,
    /// Where others reach it.
    pub(crate) peers: Proxy,
    /// Where it reaches the store.
    pub(crate) store: Proxy,
    /// The file with the offset of its clock, if it has one of its own.
    clock: Option<PathBuf>,
    folder: NodeFolder,
}

/// Where the ports are that nodes keep over restarts: below those that systems give to whoever dials.
const PORTS: RangeInclusive<u16> = 12_000..=31_999;

/// A port that nobody listens at now, and that nobody gets by chance while a node is down.
fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    // Other test programs look far from here, also those whose number is the next.
    let first = u16::try_from(std::process::id().wrapping_mul(7_919) % 20_000).unwrap_or_default();
    let count = PORTS.end() - PORTS.start() + 1;
    let port = || PORTS.start() + first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % count;
    let mut candidates = std::iter::repeat_with(port).take(usize::from(count));
    let free = candidates.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.expect("a port")
}

impl Member {
    /// One that isn't running yet. `store_at` is the address of PostgreSQL.
    pub(crate) fn new(name: &str, store_at: &str) -> Self {
        let (port, admin_port) = (free_port(), free_port());
        let peers = Proxy::to(&format!("127.0.0.1:{port}"));
        let store = Proxy::to(store_at);
        let folder = NodeFolder::new("", COOKIE);
        folder.write_private("token", TOKEN);
        let (advertise, token, module) = (peers.address(), folder.path("token"), programs::guest("vault"));
        let rest = format!(
            "[cluster]\nstore_env = \"{VARIABLE}\"\nadvertise = \"{advertise}\"\nlease = \"{LEASE}s\"\n\
             [runtime]\nstate_dir = \"state\"\n\
             [admin]\nlisten = '127.0.0.1:{admin_port}'\noperate_token_file = {token:?}\n\
             [modules.vault]\npath = {module:?}\n\
             [entities.{TYPE}]\nmodule = \"vault\"\nshards = {SHARDS}\npassivate_after = \"1s\"\n\
             capabilities = {{ messages = [\"entity:{TYPE}/*\"] }}\n"
        );
        let listen = format!("listen = \"127.0.0.1:{port}\"");
        let toml = node_toml(name, &rest).replace("listen = \"127.0.0.1:0\"", &listen);
        folder.write("node.toml", toml);
        Self {
            process: None,
            name: name.to_owned(),
            store_url: format!("postgres://postgres@{}/postgres", store.address()),
            admin_url: format!("http://127.0.0.1:{admin_port}"),
            peers,
            store,
            clock: None,
            folder,
        }
    }

    /// Has it start with a clock of its own, if that can be had.
    pub(crate) fn has_own_clock(&mut self) {
        if faketime::library().is_some() {
            self.clock = Some(self.folder.path("clock"));
            self.set_clock(0);
        }
    }

    /// Sets its clock this many seconds off. False if it has none of its own.
    pub(crate) fn set_clock(&self, offset: i64) -> bool {
        let Some(clock) = &self.clock else { return false };
        fs::write(clock, format!("{offset:+}s\n")).expect("the file of a clock");
        true
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::new(self.admin_url.clone())
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Starts it, and waits until it is ready.
    pub(crate) fn start(&mut self) {
        let mut command = host::run(&self.folder.path("node.toml"));
        command.env(VARIABLE, &self.store_url);
        if let (Some(library), Some(clock)) = (faketime::library(), &self.clock) {
            faketime::set_up(&mut command, library, clock);
        }
        let mut process = Process::start(&format!("{} (ractor-host run)", self.name), &mut command);
        wait_ready(&mut process);
        self.process = Some(process);
    }

    /// Its process, as long as it runs.
    pub(crate) fn process(&mut self) -> &mut Process {
        let name = &self.name;
        self.process.as_mut().unwrap_or_else(|| panic!("{name} isn't running"))
    }

    /// Ends it as a crash of the machine would.
    pub(crate) fn kill(&mut self) {
        self.process().kill();
    }

    /// Has it stop in order, which gives its shards away.
    pub(crate) fn stop(&mut self) {
        self.process().signal(Signal::TERM);
        let code = self.process().wait_exit().code();
        // 1 if it could not give everything away in time, because the store or another node is away as well.
        assert!(matches!(code, Some(0 | 1)), "{} ended with {code:?}", self.name);
    }
}
