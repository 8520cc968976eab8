//! Three nodes, and a network that comes apart and together again.

use ractor_host_tests::peer::Peer;
use ractor_host_tests::proxy::{Proxy, Weather};

use crate::node;

/// So that a partition is noticed soon.
const SILENCE: &str = "2000";

/// Three nodes, each connected to each through a proxy, each with one actor in the group `all`.
struct Three {
    nodes: [Peer; 3],
    /// From the second to the first, from the third to the first, and from the third to the second.
    network: [Proxy; 3],
}

impl Three {
    fn start() -> Self {
        let start = |name: &str, dials: &[&Proxy]| {
            let actor = format!("{name}-worker:all");
            let mut options = vec!["--silence".to_owned(), SILENCE.to_owned(), "--actor".to_owned(), actor];
            for proxy in dials {
                options.extend(["--peer".to_owned(), proxy.address()]);
            }
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            node(name, &options)
        };
        let first = start("first", &[]);
        let second_first = Proxy::to(first.address());
        let second = start("second", &[&second_first]);
        let third_first = Proxy::to(first.address());
        let third_second = Proxy::to(second.address());
        let third = start("third", &[&third_first, &third_second]);
        Self {
            nodes: [first, second, third],
            network: [second_first, third_first, third_second],
        }
    }

    /// Waits until the nodes see these members: of each node, the names of the nodes whose workers it sees.
    #[track_caller]
    fn wait_all_see(&mut self, seen: [&[&str]; 3]) {
        for ((node, own), seen) in self.nodes.iter_mut().zip(["first", "second", "third"]).zip(seen) {
            let mut members: Vec<String> = seen
                .iter()
                .map(|name| match *name == own {
                    true => format!("local:{name}-worker"),
                    false => format!("remote:{name}-worker@{name}@localhost"),
                })
                .collect();
            members.sort();
            node.wait("members all", &members.join(" "));
        }
    }
}

const WHOLE: [&[&str]; 3] = [&["first", "second", "third"]; 3];

#[test]
fn a_node_that_was_cut_off_is_in_all_groups_again_when_the_network_heals() {
    let mut three = Three::start();
    three.wait_all_see(WHOLE);
    let [_, third_first, third_second] = &three.network;
    for way in [third_first, third_second] {
        way.set(Weather::Frozen);
    }
    three.wait_all_see([&["first", "second"], &["first", "second"], &["third"]]);
    let [_, third_first, third_second] = &three.network;
    for way in [third_first, third_second] {
        way.set(Weather::Fair);
    }
    three.wait_all_see(WHOLE);
    calls_go_everywhere(&mut three);
}

#[test]
fn when_every_link_was_cut_all_groups_are_whole_again_everywhere() {
    let mut three = Three::start();
    three.wait_all_see(WHOLE);
    for way in &three.network {
        way.set(Weather::Frozen);
    }
    three.wait_all_see([&["first"], &["second"], &["third"]]);
    for way in &three.network {
        way.cut();
        way.set(Weather::Fair);
    }
    three.wait_all_see(WHOLE);
    calls_go_everywhere(&mut three);
}

fn calls_go_everywhere(three: &mut Three) {
    for node in &mut three.nodes {
        for worker in ["first-worker", "second-worker", "third-worker"] {
            assert_eq!(node.run(&format!("echo {worker} 10")), "10", "{worker}");
        }
    }
}
