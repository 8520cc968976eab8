//! What is read from the bytes, beside what wasmtime finds when it compiles them.

use wasmtime::component::Component;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::{Needs, Outline};
use crate::component::complexity::TooComplex;

/// An engine with a pool that is set up like this. What it refuses tells how much it found.
fn engine(change: impl FnOnce(&mut PoolingAllocationConfig)) -> wasmtime::Engine {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_memories(50)
        .total_tables(50)
        .max_memories_per_module(50)
        .max_tables_per_module(50)
        .max_memory_size(1 << 20)
        .total_component_instances(1)
        .total_stacks(1);
    change(&mut pool);
    let mut config = Config::new();
    config
        .memory_reservation(1 << 20)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    wasmtime::Engine::new(&config).unwrap()
}

/// The number after these words in what wasmtime says of the component.
fn refused_with(engine: &wasmtime::Engine, bytes: &[u8], words: &str) -> u64 {
    let text = format!("{:#}", Component::new(engine, bytes).map(drop).expect_err("a refusal"));
    let (_, rest) = text.split_once(words).expect(&text);
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect(&text)
}

fn needs(text: &str) -> (Needs, Vec<u8>) {
    let bytes = wat::parse_str(text).unwrap();
    (Outline::of(&bytes).needs().unwrap(), bytes)
}

#[track_caller]
fn as_wasmtime_finds(text: &str) -> Needs {
    let (needs, bytes) = needs(text);
    let component = Component::new(&engine(|_| ()), &bytes).unwrap();
    let found = component.resources_required().unwrap();
    assert_eq!(
        (needs.memories, needs.tables),
        (found.num_memories as usize, found.num_tables as usize)
    );
    assert_eq!(needs.largest_table, found.max_initial_table_size.unwrap_or_default());
    let none = engine(|pool| {
        pool.max_core_instances_per_component(0);
    });
    if needs.core_instances > 0 {
        let instances = refused_with(&none, &bytes, "transitively contains");
        assert_eq!(needs.core_instances as u64, instances);
    }
    let small = engine(|pool| {
        pool.max_component_instance_size(1);
    });
    let kept = refused_with(&small, &bytes, "requires");
    let most = kept * 3 + 4096;
    assert!(
        (kept..most).contains(&needs.instance_bytes),
        "{} of {kept}",
        needs.instance_bytes
    );
    needs
}

#[test]
fn modules_of_a_component_are_counted_as_often_as_they_are_instantiated() {
    let needs = as_wasmtime_finds(
        r#"(component
            (core module $a (memory 2) (memory 3) (table 7 funcref) (global (mut i64) (i64.const 0)))
            (core module $b (table 5 10 funcref) (func) (func (export "f")) (data "passive"))
            (core module $unused (memory 9))
            (core instance (instantiate $a))
            (core instance (instantiate $b))
            (core instance (instantiate $a)))"#,
    );
    assert_eq!((needs.core_instances, needs.memories, needs.tables), (3, 4, 3));
    assert_eq!((needs.memory_bytes, needs.largest_memory), (10 << 16, 3 << 16));
    assert_eq!((needs.table_elements, needs.largest_table), (19, 7));
}

#[test]
fn what_is_nested_and_handed_on_is_followed() {
    let needs = as_wasmtime_finds(
        r#"(component
            (core module $m (memory 1))
            (component $twice
                (import "m" (core module $given))
                (core instance (instantiate $given))
                (alias outer 1 $m (core module $outer))
                (core instance (instantiate $outer))
                (export "again" (core module $given)))
            (component $keeps (core module $t (table 4 funcref)) (export "t" (core module $t)))
            (instance $k (instantiate $keeps))
            (alias export $k "t" (core module $t))
            (instance $one (instantiate $twice (with "m" (core module $t))))
            (alias export $one "again" (core module $again))
            (instance (instantiate $twice (with "m" (core module $again))))
            (instance $bundle (export "x" (core module $t)))
            (alias export $bundle "x" (core module $x))
            (core instance (instantiate $x)))"#,
    );
    assert_eq!((needs.core_instances, needs.memories, needs.tables), (5, 2, 3));
}

#[test]
fn what_the_host_keeps_grows_with_functions_globals_and_imports() {
    let many = |what: &str, count: usize| what.repeat(count);
    for module in [
        many("(func)", 500),
        format!(
            "(func $f) (table 500 funcref) (elem (i32.const 0) func {})",
            many("$f ", 500)
        ),
        (0..500).map(|index| format!("(func (export \"f{index}\"))")).collect(),
        many("(global i32 (i32.const 1))", 500),
        many("(data \"x\")", 500),
        many("(table 1 funcref)", 40),
        many("(memory 1)", 40),
        "(func $start) (start $start)".to_owned(),
    ] {
        as_wasmtime_finds(&format!(
            "(component (core module $m {module}) (core instance (instantiate $m)))"
        ));
    }
    let imports: String = (0..500)
        .map(|index| format!("(import \"i\" \"f{index}\" (func)) (import \"i\" \"g{index}\" (global i32))"))
        .collect();
    let exports: String = (0..500)
        .map(|index| format!("(func (export \"f{index}\")) (global (export \"g{index}\") i32 (i32.const 0))"))
        .collect();
    as_wasmtime_finds(&format!(
        "(component (core module $from {exports}) (core module $to {imports})
            (core instance $i (instantiate $from)) (core instance (instantiate $to (with \"i\" (instance $i)))))"
    ));
}

#[test]
fn components_that_double_each_other_are_not_followed_to_the_end() {
    let mut text = "(component (component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    for level in 1..40 {
        let below = level - 1;
        text.push_str(&format!(
            "(component $c{level} (alias outer 1 $c{below} (component $b)) (instance (instantiate $b)) (instance (instantiate $b)))"
        ));
    }
    text.push_str("(instance (instantiate $c39)))");
    let bytes = wat::parse_str(text).unwrap();
    assert!(matches!(Outline::of(&bytes).needs(), Err(TooComplex::Steps(_))));
}

#[test]
fn what_is_no_component_needs_nothing_or_is_read_as_far_as_it_goes() {
    assert_eq!(Outline::of(b"").needs().unwrap(), Needs::default());
    let (_, bytes) = needs("(component (core module $m (memory 1)) (core instance (instantiate $m)))");
    for length in 0..bytes.len() {
        assert!(Outline::of(&bytes[..length]).needs().is_ok(), "{length}");
    }
}
