//! A guest that asks for what it could not be called for. What those with the export do is in `tests/tests/asks`.

use crate::support::{ENGINE, SCRIPT, component, load, options, start_module};

#[tokio::test]
async fn a_component_without_the_export_is_told_what_it_lacks() {
    // Every cast starts a timer of the kind that calls back.
    let core = SCRIPT
        .replacen(
            "(import",
            "(import \"ractor:actor/timers@0.1.0\" \"wake-after\" (func $wake_after (param i64 i32)))\n(import",
            1,
        )
        .replacen(
            "    (local.set $letter (i32.load8_u (local.get $variant)))\n    ;; a: answer",
            "    (local.set $letter (i32.load8_u (local.get $variant)))\n    (call $wake_after (i64.const 1) (i32.const 64))\n    ;; a: answer",
            1,
        );
    let module = load(&ENGINE, &component(&core, "", "")).await.unwrap();
    let mut guest = start_module(&module, options()).await.unwrap();
    guest.cast("nothing", b"");
    let end = guest.supervisor.end().await;
    assert!(
        end.contains("`timers.wake-after`") && end.contains("`ractor:actor/replies`"),
        "{end}"
    );
}
