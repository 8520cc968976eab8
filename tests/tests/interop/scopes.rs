//! Groups in named scopes: joins and leaves before, during and after two nodes connect, and nobody left behind.

use ractor_host_tests::peer::{Kind, Peer};

use super::{Pair, other_of};

behaviours!(
    scopes_are_kept_apart,
    memberships_from_before_the_connection_are_seen,
    joins_and_leaves_during_the_connection_are_seen,
    a_dead_actor_is_in_no_scope,
    a_dead_node_is_in_no_scope,
    a_closed_session_leaves_nobody_in_a_scope,
);

/// The number of groups that change while two nodes connect: some changes fall before, some into, some after the synchronization.
const CHANGES: usize = 20;
/// The scopes in which an actor is before it ends.
const SCOPES: [&str; 3] = ["workshop", "office", "attic"];

fn scopes_are_kept_apart(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, other, far| {
        let group = format!("tools-{far}");
        other.run(&format!("join {group} {far} workshop"));
        near.wait(&format!("members {group} workshop"), &format!("remote:{far}"));
        assert_eq!(near.run(&format!("members {group}")), "");
        other.run(&format!("leave {group} {far} workshop"));
        near.wait(&format!("members {group} workshop"), "");
    });
}

/// Two nodes that don't know each other yet.
fn strangers(dialler: Kind, listener: Kind) -> (Peer, Peer) {
    let dialler = Peer::start(dialler, "dialler", &["--actor", "dialler:dialler-group"]);
    let listener = Peer::start(listener, "listener", &["--actor", "listener:listener-group"]);
    (dialler, listener)
}

fn memberships_from_before_the_connection_are_seen(dialler: Kind, listener: Kind) {
    let (mut dialler, mut listener) = strangers(dialler, listener);
    for (peer, name) in [(&mut dialler, "dialler"), (&mut listener, "listener")] {
        peer.run(&format!("join kept-{name} {name} workshop"));
        peer.run(&format!("join left-{name} {name} workshop"));
        peer.run(&format!("leave left-{name} {name} workshop"));
    }
    dialler.run(&format!("connect {}", listener.address()));
    for (peer, far) in [(&mut dialler, "listener"), (&mut listener, "dialler")] {
        peer.wait(&format!("members kept-{far} workshop"), &format!("remote:{far}"));
        assert_eq!(peer.run(&format!("members left-{far} workshop")), "");
        assert_eq!(peer.run(&format!("members kept-{far}")), "");
    }
}

fn joins_and_leaves_during_the_connection_are_seen(dialler: Kind, listener: Kind) {
    let (mut dialler, mut listener) = strangers(dialler, listener);
    for n in 0..CHANGES {
        dialler.run(&format!("join left-dialler-{n} dialler workshop"));
        listener.run(&format!("join left-listener-{n} listener workshop"));
    }
    let connect = format!("connect {}", listener.address());
    dialler.begin(&connect);
    for n in 0..CHANGES {
        for (peer, name) in [(&mut dialler, "dialler"), (&mut listener, "listener")] {
            peer.begin(&format!("join kept-{name}-{n} {name} workshop"));
            peer.begin(&format!("leave left-{name}-{n} {name} workshop"));
        }
    }
    assert_eq!(dialler.answer(&connect), Ok(String::new()));
    for peer in [&mut dialler, &mut listener] {
        for _ in 0..2 * CHANGES {
            assert_eq!(peer.answer("a join or a leave"), Ok(String::new()));
        }
    }
    for (peer, far) in [(&mut dialler, "listener"), (&mut listener, "dialler")] {
        for n in 0..CHANGES {
            peer.wait(&format!("members kept-{far}-{n} workshop"), &format!("remote:{far}"));
            peer.wait(&format!("members left-{far}-{n} workshop"), "");
        }
    }
}

fn a_dead_actor_is_in_no_scope(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, other, far| {
        for end in ["stop", "kill"] {
            let mortal = format!("mortal-{end}-{far}");
            other.run(&format!("spawn {mortal} mortals-{far}"));
            in_all_scopes(near, other, &mortal);
            other.run(&format!("{end} {mortal}"));
            in_no_scope(near, &mortal);
            near.wait(&format!("members mortals-{far}"), "");
        }
        assert_eq!(near.run(&format!("call {far}-group Name")), far, "its neighbour");
    });
}

fn a_dead_node_is_in_no_scope(dialler: Kind, listener: Kind) {
    for gone in ["dialler", "listener"] {
        let Pair { dialler, listener } = Pair::connect(dialler, listener);
        let (mut near, mut other) = match gone {
            "dialler" => (listener, dialler),
            _ => (dialler, listener),
        };
        in_all_scopes(&mut near, &mut other, gone);
        other.process().kill();
        in_no_scope(&mut near, gone);
        near.wait(&format!("members {gone}-group"), "");
    }
}

fn a_closed_session_leaves_nobody_in_a_scope(dialler: Kind, listener: Kind) {
    Pair::connect(dialler, listener).both_ways(|near, other, far| {
        let home = other_of(far);
        in_all_scopes(near, other, far);
        in_all_scopes(other, near, home);
        near.run(&format!("disconnect {far}@localhost"));
        in_no_scope(near, far);
        in_no_scope(other, home);
        // Its own actor stays where it is, and everybody is seen again with the next session.
        assert_eq!(near.run(&format!("members of-{home} attic")), format!("local:{home}"));
        near.wait("sessions", "");
        other.wait("sessions", "");
        near.run(&format!("connect {}", other.address()));
        seen_in_all_scopes(near, far);
        seen_in_all_scopes(other, home);
    });
}

fn in_all_scopes(near: &mut Peer, other: &mut Peer, name: &str) {
    for scope in SCOPES {
        other.run(&format!("join of-{name} {name} {scope}"));
    }
    seen_in_all_scopes(near, name);
}

fn seen_in_all_scopes(near: &mut Peer, name: &str) {
    for scope in SCOPES {
        near.wait(&format!("members of-{name} {scope}"), &format!("remote:{name}"));
    }
}

fn in_no_scope(near: &mut Peer, name: &str) {
    for scope in SCOPES {
        near.wait(&format!("members of-{name} {scope}"), "");
    }
}
