//! What a component starts with, beside what its actor, or the node, may have.

use std::time::Duration;

use ractor_host::guest::{Allocation, Engine, EngineConfig, Limits, Module, ModuleSource, Shortage};

use crate::support::{SCRIPT, component, engine_config, file, load, options, source, start_module, with_limits};

/// What is other in an engine.
type Change = Box<dyn Fn(&mut EngineConfig)>;

/// The script with this in its module, too.
fn with(more: &str) -> Vec<u8> {
    component(
        &SCRIPT.replace("(global $heap", &format!("{more} (global $heap")),
        "",
        "",
    )
}

fn engine(change: impl FnOnce(&mut EngineConfig)) -> Engine {
    let mut config = EngineConfig {
        allocation: Allocation::Pool { guests: 2 },
        ..engine_config()
    };
    change(&mut config);
    Engine::new(config).unwrap()
}

async fn refusal(module: &Module, change: impl FnOnce(&mut Limits)) -> String {
    let mut limits = Limits::default();
    change(&mut limits);
    let keys = module.needs().check(&limits).unwrap_err().0;
    let error = start_module(module, with_limits(limits))
        .await
        .err()
        .unwrap()
        .to_string();
    for key in keys.iter().map(Shortage::key) {
        assert!(error.contains(&format!("({key})")), "{error}");
    }
    error
}

#[tokio::test]
async fn a_module_with_several_memories_and_tables_runs() {
    let module = load(&engine(|_| ()), &with("(memory 2) (table 4 funcref) (table 5 funcref)"))
        .await
        .unwrap();
    let needs = module.needs();
    assert_eq!((needs.memories, needs.memory_bytes), (2, 3 << 16));
    let guest = start_module(&module, options()).await.unwrap();
    assert_eq!(
        guest.call("echo", b"two memories").await,
        Some(b"two memories".to_vec())
    );
}

#[tokio::test]
async fn each_limit_of_the_actor_is_named_with_what_it_takes() {
    let module = load(&engine(|_| ()), &with("(memory 2) (table 9 funcref)"))
        .await
        .unwrap();
    let needs = *module.needs();
    assert_eq!(needs.check(&Limits::default()), Ok(()));
    let text = refusal(&module, |limits| limits.memories = 1).await;
    assert!(
        text.contains("it starts with 2, beyond its limit of 1 memories (memories)"),
        "{text}"
    );
    let text = refusal(&module, |limits| limits.memory_bytes = 2 << 16).await;
    assert!(text.contains("write `memory_bytes = 196608` or more"), "{text}");
    let text = refusal(&module, |limits| limits.tables = needs.tables - 1).await;
    assert!(text.contains(&format!("write `tables = {}`", needs.tables)), "{text}");
    let elements = usize::try_from(needs.table_elements).unwrap();
    let text = refusal(&module, |limits| limits.table_elements = elements - 1).await;
    assert!(text.contains(&format!("write `table_elements = {elements}`")), "{text}");
    let text = refusal(&module, |limits| limits.core_instances = needs.core_instances - 1).await;
    assert!(
        text.contains(&format!("write `core_instances = {}`", needs.core_instances)),
        "{text}"
    );
    // All at once.
    let text = refusal(&module, |limits| (limits.memories, limits.tables) = (1, 0)).await;
    assert!(text.contains("(memories)") && text.contains("(tables)"), "{text}");
}

#[tokio::test]
async fn each_limit_of_the_node_is_named_before_anything_is_compiled() {
    let bytes = with("(memory 300) (memory 1) (table 70000 funcref)");
    let cases: [(Change, &str); 5] = [
        (
            Box::new(|config| config.memory_reservation = 299 << 16),
            "(memory_reservation)",
        ),
        (
            Box::new(|config| config.table_reservation = 69_999),
            "(table_reservation)",
        ),
        (Box::new(|config| config.instance_bytes = 500), "(instance_bytes)"),
        (Box::new(|config| config.max_memories = Some(2)), "(max_memories)"),
        (Box::new(|config| config.max_tables = Some(1)), "(max_tables)"),
    ];
    for (change, expected) in cases {
        let large = |config: &mut EngineConfig| {
            config.memory_reservation = 300 << 16;
            change(config);
        };
        let error = load(&engine(large), &bytes).await.err().unwrap().to_string();
        assert!(
            error.contains("it does not fit this node: ") && error.contains(expected),
            "{error}"
        );
    }
    load(&engine(|config| config.memory_reservation = 300 << 16), &bytes)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_used_up_is_named_when_one_guest_more_finds_none() {
    let bytes = with("(memory 1) (table 1 funcref)");
    let tables = u32::try_from(load(&engine(|_| ()), &bytes).await.unwrap().needs().tables).unwrap();
    let cases: [(Change, &str); 2] = [
        (
            Box::new(|config| config.max_memories = Some(3)),
            "all 3 memories of this node are in use (max_memories)",
        ),
        (
            Box::new(move |config| config.max_tables = Some(2 * tables - 1)),
            "tables of this node are in use (max_tables)",
        ),
    ];
    for (change, expected) in cases {
        let module = load(&engine(change), &bytes).await.unwrap();
        let _first = start_module(&module, options()).await.unwrap();
        let error = start_module(&module, options()).await.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_memory_that_outgrows_what_is_reserved_for_one_says_so() {
    let engine = engine(|config| config.memory_reservation = 2 << 20);
    let module = load(&engine, &component(SCRIPT, "", "")).await.unwrap();
    let mut guest = start_module(&module, options()).await.unwrap();
    guest.cast("grow", b"");
    let event = guest.supervisor.end().await;
    assert!(
        event.contains("after it reached its limit of 2097152 bytes for one memory (memory_reservation)"),
        "{event}"
    );
}

#[tokio::test]
async fn a_module_of_many_core_instances_is_limited_by_its_actor_alone() {
    let instances = |count: usize| {
        format!(
            "(core module $m (memory 0)) {}",
            "(core instance (instantiate $m))".repeat(count)
        )
    };
    let file = file(&wat::parse_str(format!("(component {})", instances(600))).unwrap());
    let ModuleSource { path, .. } = source(&file.path);
    let needs = source(&path).needs(1 << 20).unwrap();
    assert_eq!((needs.core_instances, needs.memories), (600, 600));
    let keys: Vec<_> = needs.beyond_defaults().iter().map(Shortage::key).collect();
    assert_eq!(keys, ["core_instances", "memories"]);
}

#[tokio::test]
async fn a_module_that_starts_large_describes_itself_where_an_actor_may_be_so_large() {
    let bytes = with("(memory 1200)");
    let limits = Limits {
        memory_bytes: 80 << 20,
        lifecycle_time: Duration::from_secs(60),
        ..Limits::default()
    };
    let of = |limits: Limits| {
        engine(move |config| {
            config.memory_reservation = 80 << 20;
            config.description_limits = limits;
        })
    };
    let module = load(&of(limits), &bytes).await.unwrap();
    assert_eq!(module.describe().await.unwrap().name, "Script");
    let module = load(&of(Limits::default()), &bytes).await.unwrap();
    let error = module.describe().await.unwrap_err().to_string();
    assert!(error.contains("(memory_bytes)"), "{error}");
}
