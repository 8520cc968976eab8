//! Five nodes and their PostgreSQL.

use std::fs;
use std::path::PathBuf;
use std::thread;

use postgres_server::Server;

use crate::caller::Caller;
use crate::member::Member;

const NAMES: [&str; 5] = ["alpha", "beta", "gamma", "delta", "epsilon"];

/// Those that have a clock of their own.
const WITH_CLOCK: [usize; 2] = [1, 3];

/// Room for the tables, in bytes.
const DISK: u64 = 128 << 20;

/// See the module.
pub(crate) struct Cluster {
    pub(crate) members: Vec<Member>,
    /// After the nodes: they end first.
    pub(crate) server: Server,
    has_disk: bool,
    /// What fills the disk.
    ballast: Option<PathBuf>,
}

impl Cluster {
    /// None where there is no PostgreSQL.
    pub(crate) fn start() -> Option<Self> {
        let on_disk = Server::start_on_disk(DISK);
        let has_disk = on_disk.is_some();
        let server = on_disk.or_else(Server::start)?;
        let store_at = format!("127.0.0.1:{}", server.port());
        let mut members: Vec<Member> = NAMES.iter().map(|name| Member::new(name, &store_at)).collect();
        for at in WITH_CLOCK {
            members[at].has_own_clock();
        }
        // The first one compiles the module, and the others find it compiled.
        let (first, others) = members.split_first_mut()?;
        first.start();
        thread::scope(|scope| {
            for member in others {
                scope.spawn(move || member.start());
            }
        });
        Some(Self {
            members,
            server,
            has_disk,
            ballast: None,
        })
    }

    /// A client of each node.
    pub(crate) fn callers(&self) -> Vec<Caller> {
        self.members.iter().map(Member::caller).collect()
    }

    /// Fills the disk of the store, if it has one of its own.
    pub(crate) fn fill_disk(&mut self) {
        if self.has_disk {
            self.ballast = Some(self.server.fill());
        }
    }

    /// Makes room again.
    pub(crate) fn make_room(&mut self) {
        if let Some(ballast) = self.ballast.take() {
            fs::remove_file(ballast).expect("the ballast is there");
        }
    }
}
