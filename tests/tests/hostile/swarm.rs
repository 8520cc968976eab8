//! Families that spin, and families that wait for what never comes: whoever else is on the node notices little of them.

use std::ffi::OsStr;
use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ractor_host_tests::{COOKIE, cli, wait};
use tempfile::TempDir;

use crate::victims::{Victims, actor_with};

/// Children of each family, and families that look up names. There are more of them than a runtime has threads for work that
/// blocks, 512.
const CHILDREN: usize = 200;
const NAMES: [&str; 3] = ["names-1", "names-2", "names-3"];

/// Threads that all that hangs may take: those for the files of one family, and some of the node's own.
const MOST_THREADS: usize = 64;

/// A node with a server for names that never answers and a file that never opens, and guests that use them.
struct Hanging {
    folder: TempDir,
    /// Hears what is asked, and says nothing.
    silent: UdpSocket,
}

impl Hanging {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        // What guests are granted has nothing of the node's own.
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let fifo = data.join("hang");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        fs::write(data.join("greeting"), "hello").unwrap();
        for (name, text) in [("cookie", COOKIE), ("key", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self { folder, silent }
    }

    fn node(&self) -> Victims {
        let server = self.silent.local_addr().unwrap();
        let (folder, key) = (self.folder.path().join("data"), self.folder.path().join("key"));
        let state = self.folder.path().join("state");
        let mut actors = format!(
            "[runtime]\nname_servers = [\"{server}\"]\nstate_dir = {state:?}\nmax_guests = 1500\n\
             [control]\nkey_file = {key:?}\n"
        );
        let grants = format!(
            "messages = [\"*\"], spawn = [\"*\"], dns = [\"*\"], directories = [{{ host = {folder:?}, guest = \"/\" }}]"
        );
        let files = ["files"];
        for name in NAMES.iter().chain(&files) {
            actors += &actor_with("attacker", &grants).replacen("\"attacker\"", &format!("\"{name}\""), 1);
            actors += &format!("limits = {{ children = {CHILDREN} }}\n");
        }
        for name in ["spin-swarm", "directory-escape"] {
            actors += &actor_with(name, &grants);
        }
        let more = ["hanger", "infinite-loop", "spin-swarm", "directory-escape"];
        Victims::start("hang-swarm", &more, &actors)
    }

    /// `ractor-host VERB` at the node, with the key to it.
    #[track_caller]
    fn control(&self, victims: &Victims, verb: &str, rest: &[&str]) -> String {
        let (cookie, key) = (self.folder.path().join("cookie"), self.folder.path().join("key"));
        let node = [verb, "--node", victims.node.address()];
        let files = ["--cookie-file", text(&cookie), "--key-file", text(&key)];
        cli::ractor_host(&[&node, &files[..], rest].concat())
            .answer()
            .to_owned()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The names of a process's threads.
fn threads(id: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
    let names = tasks.map(|task| fs::read_to_string(task.path().join("comm")).unwrap_or_default());
    names.map(|name| name.trim_end().to_owned()).collect()
}

#[test]
fn families_that_hang_and_families_that_spin_keep_nobody_else_waiting() {
    let hanging = Hanging::new();
    let mut victims = hanging.node();
    let id = victims.node.process().id();
    for name in NAMES {
        victims.cast(name, "names");
    }
    victims.cast("files", "files");
    let (_, asked) = hanging.silent.recv_from(&mut [0; 512]).unwrap();
    assert!(asked.ip().is_loopback());
    let opening = |names: &Vec<String>| names.iter().filter(|name| OsStr::new(name) == "guest-files").count();
    wait::until("files to be opened", || threads(id), |names| opening(names) >= 4);
    let file_of_another = |victims: &mut Victims| {
        assert_eq!(victims.ask("directory-escape", "0rgreeting").as_deref(), Ok("hello"));
    };
    for _ in 0..5 {
        file_of_another(&mut victims);
        victims.are_unharmed();
    }
    // The threads that hang are those of one family, and no look-up has any.
    let names = threads(id);
    assert!(names.len() <= MOST_THREADS, "{} threads: {names:?}", names.len());

    victims.cast("spin-swarm", "now");
    for _ in 0..5 {
        file_of_another(&mut victims);
        victims.are_unharmed();
    }
    hanging.control(&victims, "status", &[]);
    hanging.control(&victims, "reload", &["witness"]);
    victims.are_unharmed();
}
