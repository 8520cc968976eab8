//! Processor time, stack, memory, tables, and the log.

use crate::victims::Victims;

/// The words of an error in which a limit on processor time shows.
const CPU: &str = "of processor time for one message (cpu_per_message)";

#[test]
fn an_infinite_loop_ends_at_its_limit_and_keeps_nobody_from_being_served() {
    let mut victims = Victims::of("infinite-loop");
    victims.cast("attacker", "now");
    for _ in 0..5 {
        victims.are_unharmed();
    }
    assert!(victims.logs("failed in handle-cast `attack`").contains(CPU));
    victims.are_as_before();
}

#[test]
fn a_loop_in_the_start_section_is_told_to_whoever_starts_it() {
    let mut victims = Victims::of_unborn("loop-in-start-section");
    let reason = victims.spawn("attacker", "");
    assert!(
        reason.contains("failed in instantiation") && reason.contains(CPU),
        "{reason}"
    );
    victims.are_as_before();
}

#[test]
fn a_loop_in_describe_costs_one_attempt_for_all_times() {
    let mut victims = Victims::of("loop-in-describe");
    for _ in 0..2 {
        assert_eq!(victims.peer.try_run("describe attacker"), Err("dropped".to_owned()));
    }
    assert_eq!(victims.logged("the module does not describe itself").len(), 1);
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    victims.are_as_before();
}

#[test]
fn a_loop_in_realloc_is_one_in_the_callback() {
    let mut victims = Victims::of_unborn("loop-in-realloc");
    let reason = victims.spawn("attacker", "some");
    assert!(
        reason.contains("failed in pre-start") && reason.contains(CPU),
        "{reason}"
    );
    victims.are_as_before();
}

#[test]
fn a_loop_in_post_return_is_one_in_the_callback() {
    let mut victims = Victims::of("loop-in-post-return");
    victims.peer.run("pend attacker attack 1");
    assert!(victims.logs("failed in handle-call `attack`").contains(CPU));
    victims.are_as_before();
}

#[test]
fn deep_recursion_ends_at_the_limit_of_the_stack() {
    let mut victims = Victims::of("deep-recursion");
    victims.cast("attacker", "now");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    let line = victims.logs("failed in handle-cast `attack`");
    assert!(line.contains("of stack (stack_bytes)"), "{line}");
    victims.are_as_before();
}

#[test]
fn the_memory_of_a_memory_bomb_is_limited_and_returns() {
    let mut victims = Victims::of("memory-bomb");
    for _ in 0..3 {
        victims.cast("attacker", "now");
        let line = victims.logs("failed in handle-cast `attack`");
        assert!(line.contains("of memory (memory_bytes)"), "{line}");
    }
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    victims.are_as_before();
}

#[test]
fn a_table_bomb_ends_at_the_limit_of_tables() {
    let mut victims = Victims::of("table-bomb");
    victims.cast("attacker", "now");
    let line = victims.logs("failed in handle-cast `attack`");
    assert!(line.contains("table elements (table_elements)"), "{line}");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    victims.are_as_before();
}

#[test]
fn a_log_flood_is_cut_to_size_and_forges_no_line() {
    let mut victims = Victims::of("log-flood");
    victims.cast("attacker", "now");
    assert_eq!(victims.ask("attacker", "alive").as_deref(), Ok("alive"));
    let lines = victims.logged("flood");
    assert!(!lines.is_empty());
    assert!(
        lines
            .iter()
            .all(|line| line.len() < 32_768 && line.contains("attacker"))
    );
    assert_eq!(forged(&mut victims), Vec::<String>::new());
    victims.are_as_before();
}

/// Lines that begin as no line of the log does.
pub(crate) fn forged(victims: &mut Victims) -> Vec<String> {
    let lines = victims.logged("ERROR forged");
    lines
        .into_iter()
        .filter(|line| line.starts_with("ERROR forged"))
        .collect()
}
