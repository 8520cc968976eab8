//! Three nodes: `ledger` runs the guest that is written to, `east` and `west` write to it, `west` also to an actor on `east`, and
//! the guest sends on to that actor what `east` asks it to. Every connection goes through a proxy.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use ractor_host_tests::cli::{end, message};
use ractor_host_tests::disk::Disk;
use ractor_host_tests::host::{HostNode, NodeFolder};
use ractor_host_tests::peer::Peer;
use ractor_host_tests::process::{Signal, Stream};
use ractor_host_tests::proxy::{Proxy, Weather};
use ractor_host_tests::random::Random;
use ractor_host_tests::{COOKIE, programs, wait};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::history::{Burst, Disturbance, Entry, Outcome, Receiver, Step, Stopped};

const LEDGER: &str = include_str!("ledger.wat");
const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// In milliseconds, after which the writers hold a node for dead. Longer than [`PAUSE`], also on a busy machine.
const SILENCE: &str = "4000";
/// The time for which the node of the ledger stands still.
const PAUSE: Duration = Duration::from_millis(300);

/// Messages of a burst.
const BURST: u64 = 200;
/// The number of messages of a burst of which one is a call.
const CALLS: u64 = 7;
/// The longest time between the beginning of the bursts and what goes wrong, in milliseconds.
const LATEST: usize = 60;

/// Room for the states, in bytes.
const DISK: u64 = 16 << 20;

/// Who sends to whom.
const EAST: Route = Route::new(1, Receiver::Ledger);
const WEST: Route = Route::new(2, Receiver::Ledger);
const RELAYED: Route = Route::new(3, Receiver::Recorder);
const ACROSS: Route = Route::new(4, Receiver::Recorder);

/// One sender and one receiver.
#[derive(Clone, Copy)]
struct Route {
    sender: u8,
    receiver: Receiver,
}

impl Route {
    const fn new(sender: u8, receiver: Receiver) -> Self {
        Self { sender, receiver }
    }

    /// The receiver's name as a writer knows it.
    fn target(self) -> &'static str {
        match self.receiver {
            Receiver::Ledger => "ledger@ledger@localhost",
            Receiver::Recorder => "recorder@east@localhost",
        }
    }
}

/// See the module.
pub(crate) struct Cluster {
    east: Peer,
    west: Peer,
    network: [Proxy; 3],
    ledger: HostNode,
    /// None where this process may not mount one: then no disk is ever full.
    disk: Option<Disk>,
    /// After what is in it.
    folder: NodeFolder,
    /// The number of each sender's next message.
    next: [u64; 5],
    version: u8,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let folder = NodeFolder::new("", COOKIE);
        folder.write_private("deploy.key", KEY);
        folder.write("ledger.wasm", component(0));
        let disk = Disk::mount(folder.path("disk"), DISK);
        let ledger = HostNode::start("ledger", &toml(&folder, disk.as_ref()));
        let east_ledger = Proxy::to(ledger.address());
        let east = writer("east", &[&east_ledger]);
        let west_ledger = Proxy::to(ledger.address());
        let west_east = Proxy::to(east.address());
        let west = writer("west", &[&west_ledger, &west_east]);
        let mut cluster = Self {
            east,
            west,
            network: [east_ledger, west_ledger, west_east],
            ledger,
            disk,
            folder,
            next: [1; 5],
            version: 0,
        };
        cluster.east.run("recorder recorder recorders");
        cluster.settle();
        cluster
    }

    /// Messages from everybody to everybody while something goes wrong.
    pub(crate) fn step(&mut self, disturbance: Disturbance, random: &mut Random) -> Step {
        let begun = [
            self.begin(EAST, false),
            self.begin(WEST, false),
            self.begin(RELAYED, true),
            self.begin(ACROSS, false),
        ];
        thread::sleep(Duration::from_millis(random.below(LATEST) as u64));
        let disturbance = self.disturb(disturbance, random);
        let mut bursts: Vec<Burst> = begun.into_iter().map(|begun| self.end(begun)).collect();
        if disturbance == Disturbance::Partition {
            for writer in [&mut self.east, &mut self.west] {
                writer.wait("members ledgers", "");
            }
        }
        for proxy in &self.network {
            proxy.set(Weather::Fair);
        }
        self.settle();
        for route in [EAST, WEST, ACROSS] {
            self.finish(route, &mut bursts);
        }
        let reads = vec![
            (Receiver::Ledger, self.ledger_has()),
            (Receiver::Recorder, self.recorder_has()),
        ];
        Step {
            disturbance,
            bursts,
            reads,
        }
    }

    fn sender(&mut self, route: Route) -> &mut Peer {
        match route.sender {
            1 | 3 => &mut self.east,
            _ => &mut self.west,
        }
    }

    /// Has a burst begin, whose outcomes come later.
    fn begin(&mut self, route: Route, relayed: bool) -> (Route, u64, String) {
        let Route { sender, .. } = route;
        let from = self.take_numbers(route, BURST);
        let command = if relayed {
            format!("relay {} {sender} {from} {BURST} recorders", EAST.target())
        } else {
            format!("history {} {sender} {from} {BURST} {CALLS}", route.target())
        };
        self.sender(route).begin(&command);
        (route, from, command)
    }

    fn end(&mut self, (route, from, command): (Route, u64, String)) -> Burst {
        let answer = self.sender(route).answer(&command);
        burst(
            route,
            from,
            &answer.unwrap_or_else(|error| panic!("{command}: {error}")),
        )
    }

    fn take_numbers(&mut self, route: Route, count: u64) -> u64 {
        let next = &mut self.next[usize::from(route.sender)];
        let from = *next;
        *next += count;
        from
    }

    /// Calls until there is an answer: then all that was sent before has arrived, or never will.
    fn finish(&mut self, route: Route, bursts: &mut Vec<Burst>) {
        let what = format!("an answer to {} from {}", route.sender, route.target());
        let call = || {
            let from = self.take_numbers(route, 1);
            let command = format!("history {} {} {from} 1 1", route.target(), route.sender);
            let outcome = self.sender(route).run(&command);
            bursts.push(burst(route, from, &outcome));
            outcome
        };
        wait::until(&what, call, |outcome| outcome == "a");
    }

    /// Waits until everybody sees everybody.
    fn settle(&mut self) {
        self.east.wait("members ledgers", "remote:ledger@ledger@localhost");
        self.west.wait("members ledgers", "remote:ledger@ledger@localhost");
        self.west.wait("members recorders", "remote:recorder@east@localhost");
    }

    /// What really happened is known afterwards.
    fn disturb(&mut self, disturbance: Disturbance, random: &mut Random) -> Disturbance {
        match disturbance {
            Disturbance::Nothing => {}
            Disturbance::Pause => {
                self.ledger.process().freeze();
                thread::sleep(PAUSE);
                self.ledger.process().thaw();
            }
            Disturbance::Reload => self.reload(),
            Disturbance::FullDisk => {
                let Some(disk) = &self.disk else {
                    return Disturbance::Nothing;
                };
                disk.fill();
                thread::sleep(PAUSE);
                disk.make_room();
            }
            Disturbance::Cut => self.network.iter().for_each(Proxy::cut),
            Disturbance::Partition => self.network.iter().for_each(|proxy| proxy.set(Weather::Frozen)),
            Disturbance::Trap => {
                // Before anything is read: what fails later would be another step's.
                let from = self.ledger.process().lines(Stream::Stderr).len();
                let cookie = self.folder.path("cookie");
                message("cast", self.ledger.address(), &cookie, &["ledger", "trap"]).answer();
                let failed = |line: &str| line.contains("the actor failed");
                let process = self.ledger.process();
                process.wait_line(Stream::Stderr, from, "the failure", failed);
            }
            Disturbance::Kill => self.restart(),
            Disturbance::Stop(_) => return Disturbance::Stop(self.stop(random)),
        }
        disturbance
    }

    fn reload(&mut self) {
        self.version = (self.version + 1) % 10;
        let file = format!("ledger-{}.wasm", self.version);
        self.folder.write(&file, component(self.version));
        let mut command = programs::ractor_host();
        command.args(["reload", "ledger", "--node", self.ledger.address(), "--file"]);
        command.arg(self.folder.path(&file));
        command.arg("--cookie-file").arg(self.folder.path("cookie"));
        command.arg("--key-file").arg(self.folder.path("deploy.key"));
        end("ractor-host reload", &mut command).answer();
    }

    fn restart(&mut self) {
        let toml = toml(&self.folder, self.disk.as_ref());
        self.ledger.crash_and_restart(&toml);
    }

    /// Stops the ledger's node in order, sometimes on a full disk, and starts it again.
    fn stop(&mut self, random: &mut Random) -> Stopped {
        let full = self.disk.as_ref().filter(|_| random.below(3) == 0);
        if let Some(disk) = full {
            disk.fill();
        }
        self.ledger.process().signal(Signal::TERM);
        let code = self.ledger.process().wait_exit().code();
        if let Some(disk) = full {
            disk.make_room();
        }
        let stopped = match (code, full) {
            (Some(0), _) => Stopped::Kept,
            (Some(1), Some(_)) => Stopped::NotKept,
            other => panic!("a node that is stopped in order ends with {other:?}"),
        };
        self.restart();
        stopped
    }

    fn ledger_has(&self) -> Vec<Entry> {
        let rest = ["ledger", "all", "--reply", "bytes"];
        let called = message("call", self.ledger.address(), &self.folder.path("cookie"), &rest);
        let bytes: Vec<u8> = called
            .answer()
            .as_bytes()
            .chunks(2)
            .map(|digits| {
                let digits = std::str::from_utf8(digits).unwrap_or_default();
                u8::from_str_radix(digits, 16)
                    .unwrap_or_else(|error| panic!("{digits:?} in the ledger's reply: {error}"))
            })
            .collect();
        let (entries, []) = bytes.as_chunks::<9>() else {
            panic!("the ledger has {} bytes", bytes.len());
        };
        let number = |[_, number @ ..]: &[u8; 9]| u64::from_le_bytes(*number);
        entries.iter().map(|entry| (entry[0], number(entry))).collect()
    }

    fn recorder_has(&mut self) -> Vec<Entry> {
        let recorded = self.east.run("recorded recorder");
        let entry = |word: &str| {
            let (sender, number) = word.split_once(':')?;
            Some((sender.parse().ok()?, number.parse().ok()?))
        };
        let words = recorded.split_whitespace();
        let entries = words.map(|word| entry(word).unwrap_or_else(|| panic!("{word:?} is no entry")));
        entries.collect()
    }
}

fn burst(Route { sender, receiver }: Route, from: u64, outcomes: &str) -> Burst {
    let outcome = |letter| match letter {
        's' => Outcome::Sent,
        'r' => Outcome::Refused,
        'a' => Outcome::Acknowledged,
        'u' => Outcome::Unanswered,
        'y' => Outcome::Relayed,
        other => panic!("{other:?} is no outcome"),
    };
    Burst {
        sender,
        receiver,
        from,
        outcomes: outcomes.chars().map(outcome).collect(),
    }
}

fn writer(name: &str, dials: &[&Proxy]) -> Peer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_test-node"));
    command.args(["--name", name, "--cookie", COOKIE, "--silence", SILENCE]);
    for proxy in dials {
        command.args(["--peer", &proxy.address()]);
    }
    Peer::start_program(&format!("{name} (test-node)"), &mut command)
}

/// The node of the ledger, beginning within `[node]`.
fn toml(folder: &NodeFolder, disk: Option<&Disk>) -> String {
    let state = disk.map_or_else(|| folder.path("state"), |disk| disk.path("state"));
    let (key, module) = (folder.path("deploy.key"), folder.path("ledger.wasm"));
    format!(
        "[control]\nkey_file = {key:?}\n[runtime]\nstate_dir = {state:?}\n[modules.ledger]\npath = {module:?}\n\
         [[actors]]\nname = \"ledger\"\nmodule = \"ledger\"\ngroups = [\"ledgers\"]\n\
         checkpoint = {{ every = \"20ms\", keep = 3 }}\ncapabilities = {{ messages = [\"*\"] }}\n"
    )
}

fn component(version: u8) -> Vec<u8> {
    let core = LEDGER.replace("{VERSION}", &version.to_string());
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    resolve.push_dir(wit).expect("the world is there");
    let world = "package test:fixture;\nworld w { include ractor:actor/reloadable-actor@0.1.0; }";
    let package = resolve.push_str("test.wit", world).expect("WIT");
    let world = resolve.select_world(&[package], Some("w")).expect("a world");
    let mut module = wat::parse_str(core).expect("WebAssembly text");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    let encoded = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.encode());
    encoded.expect("a component")
}
