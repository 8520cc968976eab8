//! What guests hand to imports: text that isn't, text without end, names, and everything again and again.

use crate::resources::forged;
use crate::victims::Victims;

/// The number of imports that take text; `a` is the first.
const IMPORTS: u8 = 20;

fn each(mut attack: impl FnMut(&str)) {
    for import in b'a'..b'a' + IMPORTS {
        attack(&char::from(import).to_string());
    }
}

#[test]
fn text_that_is_none_fails_the_guest_at_every_import() {
    let mut victims = Victims::of_unborn("invalid-utf8");
    each(|import| {
        let reason = victims.spawn("attacker", import);
        assert!(
            reason.contains("failed in pre-start: trapped") && reason.contains("utf-8"),
            "{import}: {reason}"
        );
    });
    victims.are_as_before();
}

#[test]
fn text_without_end_is_refused_at_every_import() {
    let mut victims = Victims::of_unborn("giant-strings");
    each(|import| {
        let reason = victims.spawn("attacker", import);
        assert!(reason.contains("failed in pre-start: trapped"), "{import}: {reason}");
        victims.are_unharmed();
    });
    victims.are_as_before();
}

#[test]
fn odd_names_forge_no_line_on_any_node() {
    let mut victims = Victims::of("odd-names");
    victims.cast("attacker", "now");
    victims.peer.wait("where attacker", "nobody");
    victims.are_as_before();
    assert_eq!(forged(&mut victims), Vec::<String>::new());
    let stderr = victims.peer.process().lines(ractor_host_tests::process::Stream::Stderr);
    assert!(
        !stderr.iter().any(|line| line.starts_with("ERROR forged")),
        "{stderr:?}"
    );
}

#[test]
fn a_group_storm_costs_neither_node_its_memory_nor_the_link() {
    let mut victims = Victims::of("group-storm");
    let before = victims.peer.process().memory();
    victims.cast("attacker", "now");
    assert_eq!(victims.ask("attacker", "done").as_deref(), Ok("done"));
    let (here, there) = (victims.memory_in_use(), victims.peer.process().memory());
    assert!(here < 500 << 20, "{here} bytes in use");
    assert!(there < before + (200 << 20), "{there} bytes in use at the peer");
    victims.are_as_before();
}

#[test]
fn a_monitor_storm_costs_nothing_that_does_not_return() {
    let mut victims = Victims::of("monitor-storm");
    victims.cast("attacker", "now");
    assert_eq!(victims.ask("attacker", "done").as_deref(), Ok("done"));
    victims.are_as_before();
}

#[test]
fn imports_are_out_of_reach_while_room_is_made_for_a_message() {
    let mut victims = Victims::of_unborn("imports-in-realloc");
    let reason = victims.spawn("attacker", "some");
    assert!(reason.contains("failed in pre-start: trapped"), "{reason}");
    victims.are_as_before();
}
