//! What goes wrong: one thing or two at a time, chosen by the seed.

use std::thread;
use std::time::{Duration, Instant};

use ractor_host_tests::proxy::{Proxy, Side, Weather};
use ractor_host_tests::random::Random;

use crate::cluster::Cluster;
use crate::member::LEASE;

/// Names the faults that there are to be, in place of all, separated by commas.
const VARIABLE: &str = "RACTOR_TEST_FAULTS";

/// The time for which a fault lasts, in milliseconds, if it is not to be longer than a lease, and if it is: others take a node's shards two
/// seconds behind the end of its lease.
const SHORT_MS: (usize, usize) = (800, 2_600);
const LONG_MS: (usize, usize) = (1_000 * (LEASE as usize + 3), 1_000 * (LEASE as usize + 5));
/// Of this many faults one is short.
const SHORT_ONES: usize = 4;

/// The pause between faults, in milliseconds. At times it is too short for everything to be as before.
const CALM_MS: (usize, usize) = (500, 5_000);

/// The seconds by which a clock goes wrong: back and forth, by less and by more than anything lasts that nodes keep for a time.
const OFFSETS: [i64; 6] = [-86_400, -900, -2, 2, 900, 86_400];

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A node is killed, and started again.
    Kill,
    /// It is stopped in order, and started again.
    Stop,
    /// It stands still.
    Pause,
    /// What it sends to the store doesn't arrive until the fault is over, and then does.
    StoreUnheard,
    /// What the store answers doesn't arrive until then.
    StoreSilent,
    /// Nothing passes between the two, and connections end.
    StoreCut,
    /// What other nodes send by the connections that they have dialled doesn't arrive until then.
    PeersUnheard,
    /// What it sends by these doesn't.
    PeersSilent,
    /// Nothing passes by these, and they end.
    PeersCut,
    /// The wall clock of a node is set.
    Clock,
    /// The store is stopped in order, and started again.
    StoreStop,
    /// It is killed, and started again.
    StoreKill,
    /// It hangs.
    StorePause,
    /// Its disk is full.
    StoreFull,
}

/// All, by the names that they have in [`VARIABLE`].
const ALL: [(&str, Fault); 14] = [
    ("kill", Fault::Kill),
    ("stop", Fault::Stop),
    ("pause", Fault::Pause),
    ("store-unheard", Fault::StoreUnheard),
    ("store-silent", Fault::StoreSilent),
    ("store-cut", Fault::StoreCut),
    ("peers-unheard", Fault::PeersUnheard),
    ("peers-silent", Fault::PeersSilent),
    ("peers-cut", Fault::PeersCut),
    ("clock", Fault::Clock),
    ("store-stop", Fault::StoreStop),
    ("store-kill", Fault::StoreKill),
    ("store-pause", Fault::StorePause),
    ("store-full", Fault::StoreFull),
];

/// The faults that there are to be.
pub(crate) fn faults() -> Vec<Fault> {
    let Ok(named) = std::env::var(VARIABLE) else {
        return ALL.map(|(_, fault)| fault).to_vec();
    };
    let fault = |name: &str| {
        let found = ALL.iter().find(|(known, _)| *known == name);
        found.map_or_else(
            || {
                panic!(
                    "{VARIABLE}={named}: there is no fault {name:?}; there are {:?}",
                    ALL.map(|(name, _)| name)
                )
            },
            |(_, fault)| *fault,
        )
    };
    named.split(',').map(fault).collect()
}

impl Fault {
    /// True if it befalls the store, where there is one at a time.
    fn is_of_the_store(self) -> bool {
        matches!(
            self,
            Self::StoreStop | Self::StoreKill | Self::StorePause | Self::StoreFull
        )
    }
}

/// A fault, and the node that it befalls.
type Befallen = (Fault, usize);

/// Lets things go wrong until this time, and ends with a cluster that is whole.
pub(crate) fn run(cluster: &mut Cluster, faults: &[Fault], random: &mut Random, end: Instant) {
    let started = Instant::now();
    let mut left: Vec<Fault> = Vec::new();
    thread::sleep(between(CALM_MS, random));
    while Instant::now() < end {
        let mut next = || {
            if left.is_empty() {
                left = faults.to_vec();
            }
            left.swap_remove(random.below(left.len()))
        };
        let (first, second) = (next(), next());
        let node = random.below(cluster.members.len());
        let other = (node + 1 + random.below(cluster.members.len() - 1)) % cluster.members.len();
        let mut befallen = vec![(first, node)];
        let both_of_the_store = first.is_of_the_store() && second.is_of_the_store();
        if random.below(2) == 0 && !both_of_the_store {
            befallen.push((second, other));
        } else {
            left.push(second);
        }
        let range = if random.below(SHORT_ONES) == 0 {
            SHORT_MS
        } else {
            LONG_MS
        };
        let time = between(range, random);
        let names: Vec<_> = befallen
            .iter()
            .map(|(fault, node)| (fault, cluster.members[*node].name()))
            .collect();
        println!("{:.1?}: {names:?} for {time:?}", started.elapsed());
        for befallen in &befallen {
            begin(cluster, *befallen, random);
        }
        thread::sleep(time);
        for befallen in befallen {
            over(cluster, befallen);
        }
        thread::sleep(between(CALM_MS, random));
    }
    println!("{:.1?}: nothing goes wrong any more", started.elapsed());
}

fn between((least, most): (usize, usize), random: &mut Random) -> Duration {
    Duration::from_millis((least + random.below(most - least)) as u64)
}

fn begin(cluster: &mut Cluster, (fault, node): Befallen, random: &mut Random) {
    let member = &mut cluster.members[node];
    match fault {
        Fault::Kill => member.kill(),
        Fault::Stop => member.stop(),
        Fault::Pause => member.process().freeze(),
        Fault::StoreUnheard => member.store.set_from(Side::Dialler, Weather::Frozen),
        Fault::StoreSilent => member.store.set_from(Side::Node, Weather::Frozen),
        Fault::StoreCut => cut(&member.store),
        Fault::PeersUnheard => member.peers.set_from(Side::Dialler, Weather::Frozen),
        Fault::PeersSilent => member.peers.set_from(Side::Node, Weather::Frozen),
        Fault::PeersCut => cut(&member.peers),
        Fault::Clock => {
            let offset = OFFSETS[random.below(OFFSETS.len())];
            let with_clock = cluster.members.iter().filter(|member| member.set_clock(offset)).count();
            println!("the clocks of {with_clock} nodes are {offset} s off");
        }
        Fault::StoreStop => cluster.server.stop(),
        Fault::StoreKill => cluster.server.kill(),
        Fault::StorePause => cluster.server.pause(),
        Fault::StoreFull => cluster.fill_disk(),
    }
}

fn over(cluster: &mut Cluster, (fault, node): Befallen) {
    let member = &mut cluster.members[node];
    match fault {
        Fault::Kill | Fault::Stop => member.start(),
        Fault::Pause => member.process().thaw(),
        Fault::StoreUnheard | Fault::StoreSilent | Fault::StoreCut => member.store.set(Weather::Fair),
        Fault::PeersUnheard | Fault::PeersSilent | Fault::PeersCut => member.peers.set(Weather::Fair),
        Fault::Clock => {}
        Fault::StoreStop | Fault::StoreKill => cluster.server.run(),
        Fault::StorePause => cluster.server.resume(),
        Fault::StoreFull => cluster.make_room(),
    }
}

fn cut(proxy: &Proxy) {
    proxy.set(Weather::Frozen);
    proxy.cut();
}
