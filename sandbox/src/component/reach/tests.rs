//! Components whose calls are told by their text.

use super::{NotFollowed, Through, of, within};

/// A component that imports `a`, `b` and `c` of one interface, and whose module has this in it. `run` is its export.
fn component(module: &str, more: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (import "test:host/calls@0.1.0" (instance $host
                (export "a" (func)) (export "b" (func)) (export "c" (func (param "x" u32)))))
            (core func $a (canon lower (func $host "a")))
            (core func $b (canon lower (func $host "b")))
            (core func $c (canon lower (func $host "c")))
            (core module $m
                (import "host" "a" (func $a))
                (import "host" "b" (func $b))
                (import "host" "c" (func $c (param i32)))
                {module})
            (core instance $given (export "a" (func $a)) (export "b" (func $b)) (export "c" (func $c)))
            (core instance $i (instantiate $m (with "host" (instance $given))))
            (func (export "run") (canon lift (core func $i "run")))
            {more})"#
    );
    wat::parse_str(text).unwrap()
}

fn called(bytes: &[u8]) -> Vec<(String, Through)> {
    let calls = of(bytes).unwrap().calls.into_iter();
    let mut calls: Vec<_> = calls.map(|call| (call.function, call.through)).collect();
    calls.sort();
    calls
}

/// The calls of a component whose module is this.
fn calls_of(module: &str) -> String {
    let calls = called(&component(module, "")).into_iter();
    let calls = calls.map(|(function, through)| match through {
        Through::Calls => function,
        Through::Pointers => format!("*{function}"),
    });
    calls.collect::<Vec<_>>().join(" ")
}

#[test]
fn only_what_code_can_come_to_call_is_found() {
    let cases = [
        ("nothing is called", r#"(func (export "run"))"#, ""),
        (
            "by way of another function, and not by one that nobody calls",
            r#"(func (export "run") call $f) (func $f call $a) (func $g call $b)"#,
            "a",
        ),
        (
            "at the start",
            r#"(func (export "run")) (func $s call $b) (start $s)"#,
            "b",
        ),
        (
            "in a loop of calls",
            r#"(func $f (export "run") call $g) (func $g call $f call $a)"#,
            "a",
        ),
        (
            "at the end of a function",
            r#"(func (export "run") return_call $a)"#,
            "a",
        ),
        (
            "an export that the component doesn't pass on",
            r#"(func (export "run")) (func (export "other") call $a)"#,
            "",
        ),
    ];
    for (what, module, expected) in cases {
        assert_eq!(calls_of(module), expected, "{what}");
    }
}

#[test]
fn calls_through_tables_lead_to_what_has_the_type() {
    let cases = [
        (
            "the type tells, the place is not known",
            r#"(table 3 funcref) (elem (i32.const 0) func $a $b $c)
               (func (export "run") i32.const 1 i32.const 2 i32.add call_indirect)"#,
            "*a *b",
        ),
        (
            "a place that never changes",
            r#"(table 3 funcref) (elem (i32.const 0) func $a $b $c) (func (export "run") i32.const 1 call_indirect)"#,
            "b",
        ),
        (
            "a place of a table that code changes",
            r#"(table 3 funcref) (elem (i32.const 1) func $b) (elem declare func $a)
               (func (export "run") i32.const 0 ref.func $a table.set 0 i32.const 1 call_indirect)"#,
            "*a *b",
        ),
        (
            "a table that is changed only by what nobody calls",
            r#"(table 3 funcref) (elem (i32.const 1) func $b) (elem declare func $a)
               (func (export "run") i32.const 1 call_indirect)
               (func i32.const 0 ref.func $a table.set 0)"#,
            "b",
        ),
        (
            "a place of a table that is filled from a place which the module doesn't say",
            r#"(table 3 funcref) (global $g i32 (i32.const 1)) (elem (i32.const 0) func $a) (elem (global.get $g) func $b)
               (func (export "run") i32.const 0 call_indirect)"#,
            "*a *b",
        ),
        (
            "one that is in a table and isn't called",
            r#"(table 3 funcref) (elem (i32.const 0) func $a $b) (func (export "run"))"#,
            "",
        ),
        (
            "one that is called both ways",
            r#"(table 3 funcref) (elem (i32.const 0) func $a)
               (func (export "run") i32.const 0 i32.eqz call_indirect call $a)"#,
            "a",
        ),
        (
            "a table that another one is copied into",
            r#"(table $t 3 funcref) (table $u 3 funcref) (elem (table $u) (i32.const 0) func $a $b)
               (func (export "run") (table.copy $t $u (i32.const 0) (i32.const 0) (i32.const 3))
                    i32.const 1 i32.eqz call_indirect $t)"#,
            "*a *b",
        ),
    ];
    for (what, module, expected) in cases {
        assert_eq!(calls_of(module), expected, "{what}");
    }
}

#[test]
fn what_modules_and_components_hand_to_each_other_is_followed() {
    // As tools put components together: what needs a memory is called through a table that another module fills.
    let text = r#"(component
        (import "test:host/calls@0.1.0" (instance $host (export "a" (func)) (export "b" (func)) (export "d" (func))))
        (component $wrap
            (import "inner" (func $given))
            (instance $i (export "out" (func $given)))
            (export "wrapped" (instance $i)))
        (instance $wrapped (instantiate $wrap (with "inner" (func $host "d"))))
        (alias export $wrapped "wrapped" (instance $through))
        (core module $shim (table (export "t") 2 funcref)
            (func (export "0") i32.const 0 call_indirect)
            (func (export "1") i32.const 1 call_indirect))
        (core instance $s (instantiate $shim))
        (core module $main (import "s" "0" (func $f)) (import "s" "1" (func $g)) (import "d" "d" (func $d))
            (func (export "run") call $g) (func (export "drop") (param i32) call $d))
        (core func $d (canon lower (func $through "out")))
        (core instance $ds (export "d" (func $d)))
        (core instance $m (instantiate $main (with "s" (instance $s)) (with "d" (instance $ds))))
        (core func $a (canon lower (func $host "a")))
        (core func $b (canon lower (func $host "b")))
        (core module $fill (import "" "t" (table 2 funcref)) (import "" "0" (func $a)) (import "" "1" (func $b))
            (elem (i32.const 0) func $a $b))
        (core instance $things (export "t" (table $s "t")) (export "0" (func $a)) (export "1" (func $b)))
        (core instance (instantiate $fill (with "" (instance $things))))
        (type $r (resource (rep i32) (dtor (core func $m "drop"))))
        (component $user (import "f" (func $f)) (export "f" (func $f)))
        (func $run (canon lift (core func $m "run")))
        (instance $used (instantiate $user (with "f" (func $run))))
        (export "used" (instance $used)))"#;
    let calls = called(&wat::parse_str(text).unwrap());
    assert_eq!(
        calls,
        [("b".to_owned(), Through::Calls), ("d".to_owned(), Through::Calls)]
    );
}

#[test]
fn the_callers_are_named_as_their_authors_wrote_them() {
    let bytes = component(
        r#"(func $outer (export "run") call $_ZN5shop24sell17h0123456789abcdefE) (func $_ZN5shop24sell17h0123456789abcdefE call $a)"#,
        "",
    );
    let calls = of(&bytes).unwrap().calls;
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].by, ["shop2::sell", "outer"]);
    assert_eq!(calls[0].interface, "test:host/calls@0.1.0");
}

#[test]
fn a_component_that_would_take_too_long_to_follow_is_not_followed() {
    // Each level instantiates the one below twice, and has a module whose code is read for each instance.
    let code = "i32.const 1 drop ".repeat(2_000);
    let mut text = format!(
        "(component (core module $m (func $f {code}) (start $f)) (component $c0 (alias outer 1 $m (core module $m)) (core instance (instantiate $m)))"
    );
    for level in 1..14 {
        let below = level - 1;
        text.push_str(&format!(
            "(component $c{level} (alias outer 1 $c{below} (component $b)) (instance (instantiate $b)) (instance (instantiate $b)))"
        ));
    }
    text.push_str("(instance (instantiate $c13)))");
    let bytes = wat::parse_str(text).unwrap();
    assert!(matches!(within(&bytes, 10_000_000), Err(NotFollowed::TooMuch)));
}

#[test]
fn no_part_of_a_component_is_followed_to_where_it_was_cut_off() {
    let bytes = component(
        r#"(table 3 funcref) (elem (i32.const 0) func $a $b $c) (func (export "run") i32.const 1 call_indirect call $a)"#,
        "",
    );
    assert_eq!(called(&bytes).len(), 2);
    for length in 0..bytes.len() {
        // Whatever comes of it, it ends.
        drop(of(&bytes[..length]));
    }
}
