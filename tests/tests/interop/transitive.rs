//! Three nodes in transitive mode: who connects to one of two connected nodes is soon connected to both.

use ractor_host_tests::peer::Kind::{DropIn, Stock};
use ractor_host_tests::peer::{Kind, Peer};

const NAMES: [&str; 3] = ["hub", "edge", "newcomer"];

/// Makes a test of each behaviour for each cast: who the hub is, who the node that it knows, who the newcomer.
macro_rules! casts {
    ($($cast:ident: $hub:expr, $edge:expr, $newcomer:expr;)*) => {
        $(
            mod $cast {
                use super::*;

                #[test]
                fn the_newcomer_dials_the_hub() {
                    let mut nodes = start([$hub, $edge, $newcomer]);
                    let [hub, edge, newcomer] = &mut nodes;
                    link(edge, hub);
                    newcomer.run(&format!("connect {}", hub.address()));
                    is_whole(nodes);
                }

                #[test]
                fn the_hub_dials_the_newcomer() {
                    let mut nodes = start([$hub, $edge, $newcomer]);
                    let [hub, edge, newcomer] = &mut nodes;
                    link(hub, edge);
                    hub.run(&format!("connect {}", newcomer.address()));
                    is_whole(nodes);
                }
            }
        )*
    };
}

casts!(
    all_stock: Stock, Stock, Stock;
    we_join_stock: Stock, Stock, DropIn;
    stock_joins_stock_and_us: Stock, DropIn, Stock;
    we_join_stock_and_us: Stock, DropIn, DropIn;
    stock_joins_us_and_stock: DropIn, Stock, Stock;
    we_join_us_and_stock: DropIn, Stock, DropIn;
    stock_joins_us: DropIn, DropIn, Stock;
    we_join_us: DropIn, DropIn, DropIn;
);

/// Three nodes that don't know each other. Each has a counter of its name in the group `all`, and in its scope `workshop`.
fn start(kinds: [Kind; 3]) -> [Peer; 3] {
    let mut names = NAMES.into_iter();
    kinds.map(|kind| {
        let name = names.next().expect("as many names as kinds");
        let mut node = Peer::start(
            kind,
            name,
            &["--mode", "transitive", "--actor", &format!("{name}:all:7")],
        );
        node.run(&format!("join all {name} workshop"));
        node
    })
}

fn link(dialler: &mut Peer, listener: &mut Peer) {
    dialler.run(&format!("connect {}", listener.address()));
    let (one, other) = (dialler.name().to_owned(), listener.name().to_owned());
    dialler.wait_session(&other);
    listener.wait_session(&one);
}

/// Each has one session with each of the others, sees everybody in the groups, and reaches everybody.
fn is_whole(mut nodes: [Peer; 3]) {
    for (node, name) in nodes.iter_mut().zip(NAMES) {
        let mut sessions: Vec<String> = others(name).map(|other| format!("{other}@localhost=ready")).collect();
        sessions.sort();
        node.wait("sessions", &sessions.join(" "));
        let mut members: Vec<String> = others(name).map(|other| format!("remote:{other}")).collect();
        members.push(format!("local:{name}"));
        members.sort();
        for group in ["all", "all workshop"] {
            node.wait(&format!("members {group}"), &members.join(" "));
        }
    }
    for (node, name) in nodes.iter_mut().zip(NAMES) {
        for other in others(name) {
            assert_eq!(node.run(&format!("call all/{other} Name")), other);
        }
        // Its own counter calls both others.
        assert_eq!(node.run(&format!("call all/{name} SumOf all")), "14");
    }
}

fn others(name: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    NAMES.into_iter().filter(move |other| *other != name)
}
