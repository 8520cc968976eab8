//! What guests do with WASI.

use crate::victims::Victims;

#[test]
fn a_sleep_without_end_keeps_nobody_else_waiting() {
    let mut victims = Victims::of_unborn("endless-sleep");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.cast("parent/child", "now");
    victims.peer.run("pend parent/child attack 10");
    victims.are_unharmed();
    victims.kill_children();
    victims.peer.wait("pending", "0");
    victims.are_as_before();
}

#[test]
fn more_random_bytes_than_there_is_memory_fail_the_guest() {
    let mut victims = Victims::of("random-glutton");
    victims.cast("attacker", "now");
    let line = victims.logs("failed in handle-cast `attack`: trapped");
    assert!(line.contains("exceeds limit"), "{line}");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    victims.are_as_before();
}

#[test]
fn handles_that_are_never_dropped_are_limited() {
    let mut victims = Victims::of("handle-hoarder");
    victims.cast("attacker", "now");
    let line = victims.logs("failed in handle-cast `attack`");
    assert!(line.contains("(handles)"), "{line}");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    victims.are_as_before();
}
