//! What operators have a supervisor do, in the words of the [tests](super) of its plan.

use super::check;
use crate::supervision::spec::Strategy;

#[test]
fn what_an_operator_stops_stays_down_until_an_operator_starts_it() {
    for strategy in [Strategy::OneForOne, Strategy::RestForOne, Strategy::OneForAll] {
        check(
            strategy,
            "g! n! n!",
            &[
                ("asked to stop n1", "stop n1"),
                ("asked to stop n1", "no: it was stopped already"),
                ("stopped n1", ""),
                ("waited n1", ""),
                (
                    "asked to restart n1",
                    "no: it does not run; `ractor-host start` starts it",
                ),
                ("asked to start n1", "start n1"),
                ("started n1", ""),
                ("asked to start n1", "no: it runs already"),
            ],
        );
    }
    check(
        Strategy::OneForAll,
        "n! n! g!",
        &[
            ("asked to stop n1", "stop n1"),
            ("stopped n1", ""),
            ("asked to stop g2", "stop g2"),
            ("stopped g2", ""),
            ("failed n0", "wait 100ms for n0"),
            ("waited n0", "start n0"),
            ("started n0", ""),
        ],
    );
}

#[test]
fn a_child_that_is_on_its_way_is_stopped_and_started_all_the_same() {
    check(
        Strategy::OneForOne,
        "n!",
        &[
            ("failed n0", "wait 100ms for n0"),
            ("asked to stop n0", ""),
            ("waited n0", ""),
            ("asked to start n0", "start n0"),
            ("asked to stop n0", ""),
            ("started n0", "stop n0"),
            ("asked to start n0", ""),
            ("stopped n0", "start n0"),
            ("asked to stop n0", ""),
            ("did not start n0", ""),
        ],
    );
}

#[test]
fn a_restart_that_an_operator_asks_for_is_that_child_s_alone_and_free() {
    check(
        Strategy::OneForAll,
        "g n s",
        &[
            ("asked to restart g0", "refresh g0"),
            ("asked to restart n1", "stop n1"),
            ("stopped n1", "start n1"),
            ("asked to restart n1", "no: it is being started; try again in a moment"),
            ("started n1", ""),
        ],
    );
}

#[test]
fn a_guest_that_was_killed_starts_again_unless_it_is_temporary() {
    check(
        Strategy::OneForOne,
        "g g? n",
        &[
            ("killed g0", "wait 100ms for g0"),
            ("waited g0", "start g0"),
            ("killed g1", ""),
            ("killed n2", "wait 100ms for n2"),
        ],
    );
}

#[test]
fn a_root_that_gave_up_goes_on_with_what_is_started() {
    check(
        Strategy::OneForAll,
        "n! n!",
        &[
            ("failed too often n0", "stop n1"),
            ("stopped n1", "end"),
            ("asked to stop n1", "no: its supervisor is ending"),
            ("asked to start n1", "start n1"),
            ("started n1", ""),
            ("failed n1", "wait 100ms for n1"),
            ("waited n1", "start n1"),
        ],
    );
}
