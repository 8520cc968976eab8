//! The cluster layer against the published `ractor_cluster`, as separate processes: the stock node dials ours, ours
//! dials the stock one. The same behaviours are asked of two stock nodes first: what the published crate itself doesn't
//! do, nobody can be expected to.
//!
//! "Ours" is the stock peer's own source compiled on this project's crate, so these tests also are the drop-in promise.

use ractor_host_tests::peer::{Kind, Peer};

/// Makes a test of each behaviour for each pair of who dials whom.
macro_rules! behaviours {
    ($($behaviour:ident),* $(,)?) => {
        behaviours!(@pair stock_dials_stock, Kind::Stock, Kind::Stock, [$($behaviour),*]);
        behaviours!(@pair stock_dials_us, Kind::Stock, Kind::DropIn, [$($behaviour),*]);
        behaviours!(@pair we_dial_stock, Kind::DropIn, Kind::Stock, [$($behaviour),*]);
        behaviours!(@pair we_dial_us, Kind::DropIn, Kind::DropIn, [$($behaviour),*]);
    };
    (@pair $pair:ident, $dialler:expr, $listener:expr, [$($behaviour:ident),*]) => {
        mod $pair {
            use super::*;
            $(
                #[test]
                fn $behaviour() {
                    super::$behaviour($dialler, $listener);
                }
            )*
        }
    };
}

mod interest;
mod scopes;
mod simultaneous;
mod tls;
mod transitive;

behaviours!(
    casts_arrive_in_order,
    calls_are_answered,
    a_call_ends_with_its_timeout,
    actors_call_each_other_across_nodes,
    groups_follow_joins_and_leaves,
    an_actor_spawned_later_is_found,
    a_stopped_actor_disappears,
    a_killed_actor_disappears,
    a_failed_actor_disappears_and_its_node_lives,
    what_does_not_decode_harms_nobody_else,
    a_killed_dialler_disappears,
    a_killed_listener_disappears,
    a_wrong_cookie_makes_no_session,
);

/// Two connected nodes. Each has a counter named after its node, in a group named `NODE-group`; the counter is the first
/// actor of its process, so it has pid 0.
struct Pair {
    dialler: Peer,
    listener: Peer,
}

impl Pair {
    fn connect(dialler: Kind, listener: Kind) -> Self {
        let mut listener = Peer::start(listener, "listener", &["--actor", "listener:listener-group:100"]);
        let address = listener.address().to_owned();
        let options = ["--actor", "dialler:dialler-group:200", "--connect", &address];
        let mut dialler = Peer::start(dialler, "dialler", &options);
        dialler.wait_session("listener@localhost");
        listener.wait_session("dialler@localhost");
        dialler.wait("members listener-group", "remote:listener");
        listener.wait("members dialler-group", "remote:dialler");
        Self { dialler, listener }
    }

    /// Both ways round: the peer that acts first, the one that it acts upon, and the name of the latter's node.
    fn both_ways(&mut self, mut test: impl FnMut(&mut Peer, &mut Peer, &str)) {
        test(&mut self.dialler, &mut self.listener, "listener");
        test(&mut self.listener, &mut self.dialler, "dialler");
    }
}

fn casts_arrive_in_order(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, _, far| {
        let before: u64 = count(near, far);
        for n in 1..=50 {
            near.run(&format!("cast {far}-group Add {n}"));
        }
        // A session keeps the order: a call sees every cast that went before it.
        assert_eq!(count(near, far), before + 50 * 51 / 2);
    });
}

fn calls_are_answered(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, _, far| {
        let before = count(near, far);
        assert_eq!(near.run(&format!("call {far}-group Get")), before.to_string());
        assert_eq!(near.run(&format!("call {far}-group Name")), far);
        assert_eq!(
            near.run(&format!("call {far}-group AddAndGet 7")),
            (before + 7).to_string()
        );
        assert_eq!(
            near.run(&format!("call-timeout 20000 {far}-group Get")),
            (before + 7).to_string()
        );
        assert_eq!(
            near.run(&format!("call-timeout 20000 {far}-group AddAndGet 1")),
            (before + 8).to_string()
        );
    });
}

fn a_call_ends_with_its_timeout(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, other, far| {
        other.process().freeze();
        // Who gives up first is a race of two timers in the caller: the wait itself, or the port that it waits at.
        let answer = near.try_run(&format!("call-timeout 300 {far}-group Get"));
        let given_up = ["timeout", "the reply port was dropped"];
        assert!(
            answer.as_ref().is_err_and(|error| given_up.contains(&error.as_str())),
            "{answer:?}"
        );
        other.process().thaw();
        // The late answer to that call is nobody's: the next call gets its own.
        let name = near.run(&format!("call-timeout 20000 {far}-group Name"));
        assert_eq!(name, far);
    });
}

fn actors_call_each_other_across_nodes(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, other, far| {
        let home = other_of(far);
        let before = count(other, home);
        // The far counter calls, and casts to, the near one's group.
        assert_eq!(
            near.run(&format!("call {far}-group SumOf {home}-group")),
            before.to_string()
        );
        near.run(&format!("cast {far}-group AddTo {home}-group 11"));
        other.wait(&format!("call {home}-group Get"), &(before + 11).to_string());
    });
}

fn groups_follow_joins_and_leaves(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, other, far| {
        let group = format!("extra-{far}");
        other.run(&format!("join {group} {far}"));
        near.wait(&format!("members {group}"), &format!("remote:{far}"));
        assert_eq!(near.run(&format!("call {group} Name")), far);
        other.run(&format!("leave {group} {far}"));
        near.wait(&format!("members {group}"), "");
        // It left that group only.
        assert_eq!(near.run(&format!("members {far}-group")), format!("remote:{far}"));
    });
}

fn an_actor_spawned_later_is_found(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, other, far| {
        other.run(&format!("spawn late-{far} late-{far}-group 41"));
        near.wait(&format!("members late-{far}-group"), &format!("remote:late-{far}"));
        assert_eq!(near.run(&format!("call late-{far}-group AddAndGet 1")), "42");
        // One without a name is as good.
        other.run(&format!("spawn - unnamed-{far} 5"));
        near.wait(&format!("members unnamed-{far}"), "remote:");
        assert_eq!(near.run(&format!("call unnamed-{far} Name")), "");
        assert_eq!(near.run(&format!("call unnamed-{far} Get")), "5");
    });
}

fn a_stopped_actor_disappears(dialler: Kind, listener: Kind) {
    an_actor_ends(dialler, listener, |_, other, name| other.run(&format!("stop {name}")));
}

fn a_killed_actor_disappears(dialler: Kind, listener: Kind) {
    an_actor_ends(dialler, listener, |_, other, name| other.run(&format!("kill {name}")));
}

fn a_failed_actor_disappears_and_its_node_lives(dialler: Kind, listener: Kind) {
    an_actor_ends(dialler, listener, |near, _, name| {
        near.run(&format!("cast mortals/{name} Crash as the test wants"))
    });
}

fn an_actor_ends(dialler: Kind, listener: Kind, end: impl Fn(&mut Peer, &mut Peer, &str) -> String) {
    Pair::connect(dialler, listener).both_ways(|near, other, far| {
        let mortal = format!("mortal-{far}");
        other.run(&format!("spawn {mortal} mortals"));
        near.wait("members mortals", &format!("remote:{mortal}"));
        end(near, other, &mortal);
        near.wait("members mortals", "");
        assert_eq!(
            near.run(&format!("call {far}-group Name")),
            far,
            "the other actor of that node"
        );
    });
}

/// Not asked of the stock crate: there, the end of a remote actor takes the local actor of the same name off the registry.
#[test]
fn the_end_of_a_remote_actor_leaves_its_local_namesake_its_name() {
    Pair::connect(Kind::DropIn, Kind::DropIn).both_ways(|near, other, far| {
        for node in [&mut *near, &mut *other] {
            node.run(&format!("spawn twin twins-{far}"));
        }
        near.wait(
            &format!("members twins-{far}"),
            &format!("local:twin remote:twin@{far}@localhost"),
        );
        other.run("stop twin");
        near.wait(&format!("members twins-{far}"), "local:twin");
        near.run("stop twin"); // finds it by its name
    });
}

fn what_does_not_decode_harms_nobody_else(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, other, far| {
        other.run(&format!("spawn - victims-{far}"));
        near.wait(&format!("members victims-{far}"), "remote:");
        for message in [
            "NoSuchVariant -",
            "Add -",
            "Add 00",
            "Add ffffffffffffffff00",
            "- -",
            "Crash 0000000000000001ff",
        ] {
            // Once such a message has ended the victim, there is nobody to send the next one to.
            drop(near.try_run(&format!("raw-cast victims-{far} {message}")));
        }
        assert_eq!(near.run(&format!("call {far}-group Name")), far);
        assert_eq!(other.run(&format!("call {far}-group/{far} Name")), far);
    });
}

fn a_killed_dialler_disappears(dialler: Kind, listener: Kind) {
    let Pair {
        mut dialler,
        mut listener,
    } = Pair::connect(dialler, listener);
    dialler.process().kill();
    disappears(&mut listener, "dialler");
}

fn a_killed_listener_disappears(dialler: Kind, listener: Kind) {
    let Pair {
        mut dialler,
        mut listener,
    } = Pair::connect(dialler, listener);
    listener.process().kill();
    disappears(&mut dialler, "listener");
}

fn disappears(survivor: &mut Peer, gone: &str) {
    survivor.wait_event(&format!("disconnected {gone}@localhost"));
    survivor.wait(&format!("members {gone}-group"), "");
    survivor.wait("sessions", "");
    let home = other_of(gone);
    assert_eq!(
        survivor.run(&format!("call {home}-group/{home} Name")),
        home,
        "its own actor lives"
    );
}

fn a_wrong_cookie_makes_no_session(dialler: Kind, listener: Kind) {
    let mut listener = Peer::start_with_cookie(listener, "listener", "right", &["--actor", "listener:listener-group"]);
    let address = listener.address().to_owned();
    let options = ["--actor", "dialler:dialler-group", "--connect", &address];
    let mut dialler = Peer::start_with_cookie(dialler, "dialler", "wrong", &options);
    dialler.wait_event("disconnected");
    listener.wait_event("disconnected");
    for peer in [&mut dialler, &mut listener] {
        peer.wait("sessions", "");
        let events = peer.events();
        assert!(
            !events
                .iter()
                .any(|event| event.starts_with("authenticated") || event.starts_with("ready")),
            "{} let the other in: {events:?}",
            peer.name()
        );
    }
    assert_eq!(dialler.run("members listener-group"), "");
    assert_eq!(listener.run("members dialler-group"), "");
}

/// What the counter of the node `of` counts, asked from `peer`.
fn count(peer: &mut Peer, of: &str) -> u64 {
    let answer = peer.run(&format!("call {of}-group/{of} Get"));
    answer.parse().expect("a count is a number")
}

fn other_of(node: &str) -> &'static str {
    if node == "listener" { "dialler" } else { "listener" }
}
