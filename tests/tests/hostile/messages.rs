//! Messages, replies, calls in circles, and timers.

use crate::victims::Victims;

#[test]
fn of_several_replies_the_first_counts() {
    let mut victims = Victims::of("reply-twice");
    assert_eq!(victims.ask("attacker", "now").as_deref(), Ok("first"));
    victims.logs("answered this call before and again by returning");
    victims.are_as_before();
}

#[test]
fn calls_that_are_never_answered_are_limited_and_end_with_the_actor() {
    let mut victims = Victims::of_unborn("reply-never");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.peer.run("pend parent/child attack 3000");
    victims.logs("calls put off (deferred_replies)");
    victims.peer.wait("pending", "1024");
    victims.kill_children();
    victims.peer.wait("pending", "0");
    victims.are_as_before();
}

#[test]
fn a_reply_of_100_mib_fails_the_actor_and_not_the_link() {
    let mut victims = Victims::of("reply-100-mib");
    assert_eq!(victims.ask("attacker", "now"), Err("dropped".to_owned()));
    victims.logs("failed in handle-call `attack`: trapped");
    victims.are_as_before();
}

#[test]
fn a_description_of_100_mib_is_none() {
    let mut victims = Victims::of("describe-100-mib");
    assert_eq!(victims.peer.try_run("describe attacker"), Err("dropped".to_owned()));
    victims.logs("the module does not describe itself");
    victims.are_as_before();
}

#[test]
fn lists_outside_of_a_guests_memory_fail_it() {
    let mut victims = Victims::of("bogus-lists");
    assert_eq!(victims.peer.try_run("describe attacker"), Err("dropped".to_owned()));
    victims.logs("the module does not describe itself");
    assert_eq!(victims.ask("attacker", "now"), Err("dropped".to_owned()));
    victims.logs("failed in handle-call `attack`: trapped");
    victims.are_as_before();
}

#[test]
fn a_cast_storm_to_a_slow_actor_is_held_back() {
    let mut victims = Victims::of("cast-storm");
    assert_eq!(victims.spawn("slow", ""), "ok");
    victims.cast("attacker", "parent/child");
    victims.logs("the actor reached its limit of");
    let storm = victims.memory_in_use();
    assert!(storm < 500 << 20, "{storm} bytes in use");
    victims.are_unharmed();
    victims.kill_children();
    victims.are_as_before();
}

#[test]
fn a_call_to_itself_is_an_error_at_once() {
    let mut victims = Victims::of("call-to-itself");
    assert_eq!(victims.ask("attacker", "now").as_deref(), Ok("\\x05"), "would-deadlock");
    victims.are_as_before();
}

#[test]
fn calls_in_a_circle_are_an_error_at_once() {
    let mut victims = Victims::of("call-cycle");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    assert_eq!(
        victims.ask("attacker", "parent/child").as_deref(),
        Ok("\\x05"),
        "would-deadlock"
    );
    victims.kill_children();
    victims.are_as_before();
}

#[test]
fn replies_to_calls_that_were_never_made_go_nowhere() {
    let mut victims = Victims::of("bogus-reply-to");
    victims.cast("attacker", "now");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    assert_eq!(victims.logged("failed in"), Vec::<String>::new());
    victims.are_as_before();
}

#[test]
fn the_variants_of_the_host_itself_get_around_no_mailbox() {
    let mut victims = Victims::of("hidden-probe");
    let before = victims.memory_in_use();
    assert_eq!(victims.spawn("slow", ""), "ok");
    for _ in 0..10 {
        victims.cast("parent/child", "be busy");
    }
    victims.cast("attacker", "parent/child");
    assert_eq!(victims.ask("attacker", "done").as_deref(), Ok("done"));
    // What it sent in vain has 150 MiB.
    let storm = victims.memory_in_use();
    assert!(storm < before + (100 << 20), "{storm} bytes in use");
    victims.kill_children();
    victims.are_as_before();
}

#[test]
fn a_timer_bomb_is_limited_and_ends_with_its_actor() {
    let mut victims = Victims::of_unborn("timer-bomb");
    assert_eq!(victims.spawn("attacker", ""), "ok");
    victims.cast("parent/child", "now");
    victims.logs("timers (timers)");
    for _ in 0..5 {
        victims.are_unharmed();
    }
    victims.kill_children();
    victims.are_as_before();
}

#[test]
fn timers_for_longer_than_any_clock_counts_are_timers() {
    let mut victims = Victims::of("endless-timer");
    victims.cast("attacker", "now");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    assert_eq!(victims.logged("failed in"), Vec::<String>::new());
    victims.are_as_before();
}
