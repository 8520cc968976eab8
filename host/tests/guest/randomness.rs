//! `random.bytes`: what differs from one instance to the next, for languages whose own generator was seeded when they were built.

use std::collections::BTreeSet;

use ractor_host::guest::Module;

use crate::support::{ENGINE, HELLO, component, load, options, start_module};

/// A guest that answers each call with as many random bytes as its arguments say, in four bytes with the last first.
async fn drawing() -> Module {
    let core = HELLO
        .replacen(
            "(import",
            "(import \"ractor:actor/random@0.1.0\" \"bytes\" (func $bytes (param i32 i32)))\n(import",
            1,
        )
        .replace(
            "(i32.const 4096))",
            "(global.get $heap))\n(global $heap i32 (i32.const 4096))",
        )
        .replacen("(memory (export \"memory\") 1)", "(memory (export \"memory\") 4)", 1)
        .replacen(
            "\"ractor:actor/actor@0.1.0#handle-call\") (param i32 i32 i32 i32 i64) (result i32) unreachable)",
            "\"ractor:actor/actor@0.1.0#handle-call\") (param i32 i32 i32 i32 i64) (result i32)
               (call $bytes (i32.load (local.get 2)) (i32.const 24))
               (i32.store (i32.const 20) (i32.const 1))
               (i32.const 16))",
            1,
        );
    let bytes = component(&core, "", "import ractor:actor/random@0.1.0;");
    load(&ENGINE, &bytes).await.unwrap()
}

async fn draw(module: &Module, count: u32) -> Option<Vec<u8>> {
    let guest = start_module(module, options()).await.unwrap();
    guest.call("draw", &count.to_le_bytes()).await
}

#[tokio::test]
async fn each_instance_and_each_call_has_other_bytes() {
    let module = drawing().await;
    let mut drawn = BTreeSet::new();
    for _ in 0..8 {
        let guest = start_module(&module, options()).await.unwrap();
        for _ in 0..4 {
            let bytes = guest.call("draw", &32_u32.to_le_bytes()).await.unwrap();
            assert_eq!(bytes.len(), 32);
            drawn.insert(bytes);
        }
    }
    assert_eq!(drawn.len(), 32, "no two are the same");
}

#[tokio::test]
async fn more_random_bytes_than_a_guest_may_have_at_once_fail_it() {
    let module = drawing().await;
    assert_eq!(draw(&module, 0).await, Some(Vec::new()));
    assert_eq!(draw(&module, 65_536).await.map(|bytes| bytes.len()), Some(65_536));
    for count in [65_537, u32::MAX] {
        let mut guest = start_module(&module, options()).await.unwrap();
        assert_eq!(guest.call("draw", &count.to_le_bytes()).await, None);
        let end = guest.supervisor.end().await;
        let expected = format!("the guest asked `random.bytes` for {count} bytes; ask for at most 65536 at once");
        assert!(end.starts_with("failed: ") && end.contains(&expected), "{end}");
    }
}
