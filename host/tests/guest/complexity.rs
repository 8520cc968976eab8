//! Components that are small and would take no end of time and memory to compile.

use ractor_host::guest::{Complexity, Engine, EngineConfig};

use crate::support::{SCRIPT, component, engine_config, load};

/// The script with this in its module, too.
fn script_with(more: &str) -> Vec<u8> {
    component(&SCRIPT.replace("(func $spin", &format!("{more} (func $spin")), "", "")
}

/// A function of `values` locals, all changed within `depth` loops in each other: the compiler keeps every one apart at the
/// head of every loop.
fn entangled(values: usize, depth: usize) -> String {
    let changes: String = (0..values)
        .map(|local| format!("(local.set {local} (i32.add (local.get {local}) (i32.const 1)))"))
        .collect();
    format!(
        "(func (local{}) {} {changes} {})",
        " i32".repeat(values),
        "(loop ".repeat(depth),
        "(br_if 0 (local.get 0)))".repeat(depth)
    )
}

#[tokio::test]
async fn a_function_of_too_many_values_and_branches_is_refused() {
    let engine = Engine::new(engine_config()).unwrap();
    // The second would be allowed if its loops were beside each other.
    for (values, depth) in [(2_000, 2_000), (500, 500)] {
        let error = load(&engine, &script_with(&entangled(values, depth))).await.err();
        let text = error.unwrap().to_string();
        assert!(text.contains("it is too hard to compile: function "), "{text}");
        assert!(text.contains("their product may be 5000000 at most"), "{text}");
    }
}

#[tokio::test]
async fn what_is_hard_but_allowed_compiles() {
    let engine = Engine::new(engine_config()).unwrap();
    load(&engine, &script_with(&entangled(50, 20))).await.unwrap();
}

#[tokio::test]
async fn too_many_functions_or_modules_are_refused() {
    let few = |complexity| {
        Engine::new(EngineConfig {
            complexity,
            ..engine_config()
        })
        .unwrap()
    };
    let functions = Complexity {
        functions: 30,
        ..Complexity::default()
    };
    let error = load(&few(functions), &script_with(&"(func)".repeat(30)))
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("it has more than 30 functions"), "{error}");

    let modules = Complexity {
        modules: 10,
        ..Complexity::default()
    };
    let many = format!("(component {})", "(core module)".repeat(10));
    let error = load(&few(modules), &wat::parse_str(many).unwrap()).await.err().unwrap();
    assert!(
        error
            .to_string()
            .contains("it consists of more than 10 modules and components"),
        "{error}"
    );
}
