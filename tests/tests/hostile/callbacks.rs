//! Traps in every callback, and stops and kills in the middle of things.

use crate::victims::Victims;

#[test]
fn a_trap_in_describe_leaves_the_actor_undescribed_and_alive() {
    let mut victims = Victims::of("trap-in-describe");
    assert_eq!(victims.peer.try_run("describe attacker"), Err("dropped".to_owned()));
    victims.logs("the module does not describe itself");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    victims.are_as_before();
}

#[test]
fn a_trap_in_pre_start_is_told_to_whoever_starts_it() {
    let mut victims = Victims::of_unborn("trap-in-pre-start");
    let reason = victims.spawn("attacker", "");
    assert!(reason.contains("failed in pre-start: trapped"), "{reason}");
    victims.peer.wait("where parent/child", "nobody");
    victims.are_as_before();
}

#[test]
fn a_trap_in_post_start_fails_the_actor() {
    let mut victims = Victims::of_unborn("trap-in-post-start");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.peer.wait("where parent/child", "nobody");
    victims.are_as_before();
}

#[test]
fn after_a_trap_in_handle_cast_the_actor_goes_on_with_a_fresh_instance() {
    let mut victims = Victims::of("trap-in-handle-cast");
    victims.cast("attacker", "now");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    victims.logs("failed in handle-cast `attack`: trapped");
    victims.are_as_before();
}

#[test]
fn a_trap_in_handle_call_ends_the_call() {
    let mut victims = Victims::of("trap-in-handle-call");
    assert_eq!(victims.ask("attacker", "now"), Err("dropped".to_owned()));
    victims.logs("failed in handle-call `attack`: trapped");
    victims.are_as_before();
}

#[test]
fn a_trap_in_handle_supervisor_evt_fails_the_actor_and_ends_its_child() {
    let mut victims = Victims::of("trap-in-handle-supervisor-evt");
    victims.cast("attacker", "now");
    victims.logs("failed in handle-supervisor-evt: trapped");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    victims.are_as_before();
}

#[test]
fn a_trap_in_post_stop_ends_the_actor_all_the_same() {
    let mut victims = Victims::of_unborn("trap-in-post-stop");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.cast("parent/child", "now");
    victims.peer.wait("where parent/child", "nobody");
    victims.are_as_before();
}

#[test]
fn a_stop_in_post_start_ends_the_actor_in_order() {
    let mut victims = Victims::of_unborn("stop-in-post-start");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.peer.wait("where parent/child", "nobody");
    victims.are_as_before();
}

#[test]
fn a_stop_during_a_call_answers_it_and_ends_those_that_wait() {
    let mut victims = Victims::of_unborn("stop-in-a-call");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    assert_eq!(victims.ask("parent/child", "now").as_deref(), Ok("attacker"));
    victims.peer.wait("where parent/child", "nobody");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    // The actor ends at the first of them, and the peer may hear of that before it has sent the last.
    if let Err(error) = victims.peer.try_run("pend parent/child attack 100") {
        assert!(error.contains("is likely terminated"), "{error}");
    }
    victims.peer.wait("where parent/child", "nobody");
    victims.peer.wait("pending", "0");
    victims.are_as_before();
}

#[test]
fn a_kill_during_a_call_ends_it_and_those_that_wait() {
    let mut victims = Victims::of_unborn("kill-in-a-call");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.peer.run("pend parent/child attack 100");
    victims.are_unharmed();
    assert_eq!(victims.peer.run("pending"), "100");
    victims.kill_children();
    victims.peer.wait("pending", "0");
    victims.are_as_before();
}

#[test]
fn nothing_is_left_of_an_actor_that_failed_before_it_lived() {
    let mut victims = Victims::of_unborn("haunt-in-pre-start");
    let reason = victims.spawn("attacker", "");
    assert!(reason.contains("failed in pre-start: trapped"), "{reason}");
    leaves_nothing(&mut victims);
}

#[test]
fn nothing_is_left_of_an_actor_that_is_busy_while_it_stops() {
    let mut victims = Victims::of_unborn("haunt-in-post-stop");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.cast("parent/child", "now");
    victims.peer.wait("where parent/child", "nobody");
    leaves_nothing(&mut victims);
}

#[track_caller]
fn leaves_nothing(victims: &mut Victims) {
    victims.peer.wait("where ghost", "nobody");
    victims.peer.wait("members ghost", "");
    victims.are_as_before();
}
