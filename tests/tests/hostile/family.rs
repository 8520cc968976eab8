//! Children: too many, too deep, too often, too busy, with names that aren't theirs.

use std::time::Instant;

use crate::resources::forged;
use crate::victims::{Victims, actor};

#[test]
fn a_spawn_bomb_is_limited_and_leaves_room_for_others() {
    let mut victims = Victims::of_unborn("spawn-bomb");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.cast("parent/child", "now");
    victims.logs("children (children)");
    // A member of the same family that fails can be restarted, and one of another can be started.
    victims.are_unharmed();
    victims.kill_children();
    assert_eq!(victims.spawn("witness", ""), "ok");
    assert_eq!(victims.ask("parent/child", "alive").as_deref(), Ok("alive"));
    victims.kill_children();
    victims.are_as_before();
}

#[test]
fn spawn_bombs_together_leave_room_for_actors_that_no_guest_spawned() {
    let bomb = |name: &str| actor("attacker").replacen("\"attacker\"", &format!("\"{name}\""), 1);
    let actors = format!(
        "[runtime]\nmax_guests = 80\n{}{}{}{}",
        bomb("one"),
        bomb("two"),
        bomb("three"),
        actor("trap-in-handle-cast"),
    );
    let mut victims = Victims::start("spawn-bomb", &["trap-in-handle-cast"], &actors);
    for name in ["one", "two", "three"] {
        victims.cast(name, "now");
        victims.logs("children of all actors of this node together (max_guests)");
    }
    // An instance that lives for a moment, and one in place of another.
    assert!(victims.peer.try_run("describe witness").is_ok());
    victims.cast("trap-in-handle-cast", "now");
    assert_eq!(victims.ask("trap-in-handle-cast", "alive").as_deref(), Ok("alive"));
    victims.are_unharmed();
}

#[test]
fn a_chain_of_children_is_limited_and_ends_as_one() {
    let mut victims = Victims::of_unborn("spawn-chain");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.logs("children (children)");
    victims.are_unharmed();
    victims.kill_children();
    victims.are_as_before();
}

#[test]
fn children_that_fail_again_and_again_are_given_up() {
    let mut victims = Victims::of_unborn("restart-storm");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.cast("parent/child", "now");
    victims.logs("children (children)");
    for _ in 0..5 {
        victims.are_unharmed();
    }
    victims.kill_children();
    victims.are_as_before();
}

#[test]
fn a_swarm_that_never_rests_keeps_nobody_from_being_served() {
    let mut victims = Victims::start("spin-swarm", &["infinite-loop"], &actor("attacker"));
    victims.cast("attacker", "now");
    for _ in 0..10 {
        victims.are_unharmed();
    }
}

#[test]
fn children_that_log_and_end_have_one_limit_on_what_they_log_together() {
    const RATE: u64 = 50;
    let limits = format!("[actors.limits]\nlog_rate = 10\nfamily_log_rate = {RATE}\n");
    let mut victims = Victims::start("log-swarm", &[], &format!("{}{limits}", actor("attacker")));
    let begun = Instant::now();
    victims.cast("attacker", "now");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    let lines = victims.logged("swarming").len() as u64;
    // A second's worth is there at the beginning, of which some say what was dropped.
    let most = RATE * (begun.elapsed().as_secs() + 2);
    assert!((RATE / 2..=most).contains(&lines), "{lines} lines, at most {most}");
    victims.logs("its family's limit of 50 log events a second (family_log_rate)");
    victims.are_as_before();
}

#[test]
fn a_child_has_no_name_that_plays_tricks() {
    let mut victims = Victims::of("squatter");
    assert_eq!(victims.ask("attacker", "now").as_deref(), Ok("...."));
    assert_eq!(forged(&mut victims), Vec::<String>::new());
    victims.are_as_before();
}
