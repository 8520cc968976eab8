//! Reload under load: numbered messages keep coming from everywhere while the code is replaced again and again, and every one
//! is handled once and in the order of its sender.
//!
//! `RACTOR_RELOADS` says how many reloads there are of each actor in all, `RACTOR_RELOAD_SEED` where the choices of the test
//! begin.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that fails should panic"
)]

mod versions;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use ractor_host::NodeServer;
use ractor_host::guest::{
    Allocation, Engine, EngineConfig, Grants, GuestOptions, ModuleSource, Modules, Profile, spawn,
};
use ractor_host::node::{NodeConnectionMode, listen_addr};
use ractor_host::supervision::reload::{Outcome, Reload, Verdict, reload, rollback};
use ractor_host_tests::COOKIE;
use ractor_host_tests::peer::Peer;

const MODULE: &str = "ledger";
const GROUP: &str = "ledgers";
/// Who sends, in the order of their numbers.
const NATIVE: u8 = 1;
const REMOTE: u8 = 2;
const GUEST: u8 = 3;
const SENDERS: [u8; 3] = [NATIVE, REMOTE, GUEST];
/// Messages of each sender between two waits for all of them to be handled.
const BURST: u64 = 40;

struct Idle;

impl Actor for Idle {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// A small generator of choices: the same seed, the same choices.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |value| value.parse().unwrap())
}

#[test]
fn every_message_is_handled_once_and_in_order_while_the_code_changes() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(load()).await.unwrap() });
}

async fn load() {
    let reloads = number("RACTOR_RELOADS", 60);
    let seed = number("RACTOR_RELOAD_SEED", 1);
    println!("{reloads} reloads of each actor, seed {seed}");
    let node = Node::start().await;
    let traffic = tokio::spawn(node.traffic());
    let mut random = Random(seed);
    let (mut done, mut last, mut versions_seen) = (0, 1, std::collections::BTreeSet::new());
    while done < reloads {
        let mut plan = Reload::of(MODULE);
        plan.probation_messages = u32::try_from(random.below(3)).unwrap();
        plan.probation_time = Duration::from_millis(random.below(20));
        let report = if random.below(5) == 0 && done > 0 {
            rollback(&node.modules, plan).await.unwrap()
        } else {
            // Some of the versions fail, at a step that leaves the old one unharmed or that brings it back.
            let bad = random.below(8) == 0;
            last = 1 + (last + random.below(5)) % 6;
            plan.file = Some(if bad {
                node.versions.bad(usize::try_from(random.below(3)).unwrap())
            } else {
                node.versions.good(usize::try_from(last - 1).unwrap())
            });
            if bad {
                // Who gives up the old instance before the new code has handled a message, is left with the new code.
                plan.probation_messages = plan.probation_messages.max(1);
                plan.probation_time = Duration::from_secs(30);
            }
            reload(&node.modules, plan).await.unwrap()
        };
        let failed = report.verdict == Verdict::RolledBack;
        let reloaded = |outcome: &Outcome| matches!(outcome, Outcome::Reloaded { .. });
        assert!(
            failed || report.actors.iter().all(|actor| reloaded(&actor.outcome)),
            "seed {seed}: {report:?}"
        );
        done += u64::from(!report.actors.is_empty());
        if done % 8 == 0 {
            versions_seen.insert(node.version().await);
        }
    }
    node.stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let sent = traffic.await.unwrap();
    let state = node.settled(sent).await;
    println!("{done} reloads, {sent} messages of each sender, versions {versions_seen:?}");
    assert_eq!(
        state.violations, 0,
        "seed {seed}: lost, repeated or out of order: {state:?}"
    );
    for sender in SENDERS {
        assert_eq!(
            state.last[usize::from(sender)],
            sent,
            "seed {seed}: of sender {sender}: {state:?}"
        );
    }
    assert_eq!(state.count, sent * SENDERS.len() as u64, "seed {seed}: {state:?}");
    assert!(versions_seen.len() > 1, "the versions do change: {versions_seen:?}");
}

/// A node in this process with two guests of one module: one counts what it is sent, the other one sends.
struct Node {
    modules: Modules,
    versions: versions::Files,
    ledger: ActorCell,
    sender: ActorCell,
    remote: Arc<std::sync::Mutex<Peer>>,
    stop: Arc<std::sync::atomic::AtomicBool>,
}

/// What the ledger has.
#[derive(Debug)]
struct State {
    count: u64,
    violations: u64,
    last: Vec<u64>,
}

impl Node {
    async fn start() -> Self {
        let versions = versions::Files::write();
        let engine = Engine::new(EngineConfig {
            allocation: Allocation::Pool { guests: 64 },
            memory_reservation: 16 << 20,
            ..EngineConfig::default()
        })
        .unwrap();
        let modules = Modules::default();
        let first = engine.load(&source(&versions.good(0))).await.unwrap();
        modules.insert(first.clone());
        let (supervisor, _) = Actor::spawn(None, Idle, ()).await.unwrap();
        let options = |name: &str, groups: &[&str]| GuestOptions {
            name: Some(name.to_owned()),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            profile: Arc::new(Profile {
                grants: Arc::new(Grants::of_actors()),
                ..Profile::default()
            }),
            modules: modules.clone(),
            ..GuestOptions::default()
        };
        let ledger = spawn(&first, options("ledger", &[GROUP]), supervisor.get_cell())
            .await
            .unwrap();
        let sender = spawn(&first, options("ledger-sender", &[]), supervisor.get_cell())
            .await
            .unwrap();
        let server = NodeServer::new(
            0,
            COOKIE.to_owned(),
            "reloading".to_owned(),
            "localhost".to_owned(),
            None,
            Some(NodeConnectionMode::Isolated),
        )
        .with_listen_addr(std::net::Ipv4Addr::LOCALHOST.into());
        let (server, _) = Actor::spawn(None, server, ()).await.unwrap();
        let address = listen_addr(&server).await.unwrap().to_string();
        let remote = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_test-node"));
            command.args(["--name", "far", "--cookie", COOKIE, "--peer", &address]);
            let mut remote = Peer::start_program("far (test-node)", &mut command);
            remote.wait(&format!("members {GROUP}"), "remote:ledger@reloading@localhost");
            remote
        });
        Self {
            modules: modules.clone(),
            versions,
            ledger: ledger.cell,
            sender: sender.cell,
            remote: Arc::new(std::sync::Mutex::new(remote.await.unwrap())),
            stop: Arc::default(),
        }
    }

    /// Keeps numbered messages coming until it is stopped. Gives how many each sender has sent.
    fn traffic(&self) -> impl Future<Output = u64> + Send + use<> {
        let (ledger, sender) = (self.ledger.clone(), self.sender.clone());
        let (remote, stop) = (self.remote.clone(), self.stop.clone());
        async move {
            let mut sent = 0;
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                let far = remote.clone();
                let from = sent + 1;
                let far = tokio::task::spawn_blocking(move || {
                    far.lock()
                        .unwrap()
                        .run(&format!("note ledger@reloading@localhost {REMOTE} {from} {BURST}"))
                });
                for number in from..from + BURST {
                    cast(&ledger, "note", &[&[NATIVE][..], &number.to_le_bytes()].concat());
                    cast(&sender, "kick", &[&[GUEST][..], GROUP.as_bytes()].concat());
                    tokio::time::sleep(Duration::from_micros(100)).await;
                }
                far.await.unwrap();
                sent += BURST;
            }
            sent
        }
    }

    async fn version(&self) -> u64 {
        word(&call(&self.ledger, "get").await, 1)
    }

    /// What the ledger has once it has this many messages of each sender, or once nothing comes any more.
    async fn settled(&self, sent: u64) -> State {
        let mut quiet = 0;
        let mut before = u64::MAX;
        loop {
            let state = call(&self.ledger, "what").await;
            let state = State {
                count: word(&state, 0),
                violations: word(&state, 3),
                last: (0..16).map(|sender| word(&state, 4 + sender)).collect(),
            };
            let all = SENDERS.iter().all(|sender| state.last[usize::from(*sender)] >= sent);
            quiet = if state.count == before { quiet + 1 } else { 0 };
            if all || quiet > 100 {
                return state;
            }
            before = state.count;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn source(path: &Path) -> ModuleSource {
    ModuleSource {
        name: MODULE.to_owned(),
        path: path.to_owned(),
        digest: None,
        source: None,
    }
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at * 8..][..8].try_into().unwrap())
}

fn cast(actor: &ActorCell, variant: &str, args: &[u8]) {
    actor
        .send_serialized(SerializedMessage::Cast {
            variant: variant.to_owned(),
            args: args.to_vec(),
            metadata: None,
        })
        .unwrap();
}

async fn call(actor: &ActorCell, variant: &str) -> Vec<u8> {
    // A call at which new code fails that has acted is lost; these don't act.
    let (port, reply) = tokio::sync::oneshot::channel();
    actor
        .send_serialized(SerializedMessage::Call {
            variant: variant.to_owned(),
            args: Vec::new(),
            reply: port.into(),
            metadata: None,
        })
        .unwrap();
    tokio::time::timeout(Duration::from_secs(60), reply)
        .await
        .unwrap()
        .unwrap()
}
