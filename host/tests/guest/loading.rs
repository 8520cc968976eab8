//! Files that are not what they should be, and what the operator is told.

use ractor_host::guest::{Digest, Engine, EngineConfig, ModuleSource};

use crate::support::{ENGINE, SCRIPT, component, engine_config, file, load, script, source};

async fn refusal(bytes: &[u8]) -> String {
    let error = load(&ENGINE, bytes).await.err().unwrap().to_string();
    assert!(error.starts_with("module \"test-module\" ("), "{error}");
    error
}

#[tokio::test]
async fn a_component_describes_itself() {
    let descriptor = script().await.describe().await.unwrap();
    assert_eq!(descriptor.name, "Script");
    assert_eq!(descriptor.version, "1.2.3");
    assert!(descriptor.messages.is_empty());
}

#[tokio::test]
async fn a_description_that_uses_imports_is_refused() {
    let nosy = SCRIPT.replace(
        "(i32.store (i32.const 16) (i32.const 256)) (i32.store (i32.const 20) (i32.const 6))",
        "(call $self_pid (i32.const 64))",
    );
    let module = load(&ENGINE, &component(&nosy, "", "")).await.unwrap();
    let error = module.describe().await.err().unwrap().to_string();
    assert!(
        error.contains("failed in describe") && error.contains("no actor yet"),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let path = std::path::Path::new("no/such/guest.wasm");
    let error = ENGINE.load(&source(path)).await.err().unwrap().to_string();
    assert!(error.contains("no/such/guest.wasm"), "{error}");
    assert!(error.contains("can't be read"), "{error}");
}

#[tokio::test]
async fn garbage_and_core_modules_are_told_apart() {
    assert!(refusal(b"not wasm").await.contains("not a WebAssembly component"));
    let core = wat::parse_str("(module)").unwrap();
    assert!(
        refusal(&core)
            .await
            .contains("this is a core module; make a component of it")
    );
    let mut broken = component(SCRIPT, "", "");
    broken.truncate(broken.len() / 2);
    assert!(refusal(&broken).await.contains("it does not compile"));
}

#[tokio::test]
async fn another_world_is_refused_with_the_missing_export() {
    let nothing = wat::parse_str("(component)").unwrap();
    let error = refusal(&nothing).await;
    assert!(error.contains("does not export `ractor:actor/actor@0.1.0`"), "{error}");
    assert!(error.contains("it exports nothing"), "{error}");

    let command = r#"(component (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))"#;
    let error = refusal(&wat::parse_str(command).unwrap()).await;
    assert!(error.contains("it exports `wasi:cli/run@0.2.0`"), "{error}");

    let newer = r#"(component (instance $i) (export "ractor:actor/actor@0.2.0" (instance $i)))"#;
    let error = refusal(&wat::parse_str(newer).unwrap()).await;
    assert!(error.contains("it exports `ractor:actor/actor@0.2.0`"), "{error}");
}

#[tokio::test]
async fn a_missing_function_and_a_wrong_type_are_named() {
    let interface = |functions: &[&str]| {
        let exports: String = functions
            .iter()
            .map(|function| format!("(export {function:?} (func $f))"))
            .collect();
        let text = format!(
            r#"(component
                 (core module $m (func (export "f")))
                 (core instance $c (instantiate $m))
                 (func $f (canon lift (core func $c "f")))
                 (instance $i {exports})
                 (export "ractor:actor/actor@0.1.0" (instance $i)))"#
        );
        wat::parse_str(text).unwrap()
    };
    let error = refusal(&interface(&["describe", "pre-start", "post-start", "handle-call"])).await;
    assert!(error.contains("without its function `handle-cast`"), "{error}");
    let all = [
        "describe",
        "pre-start",
        "post-start",
        "handle-cast",
        "handle-call",
        "handle-supervisor-evt",
        "post-stop",
    ];
    let error = refusal(&interface(&all)).await;
    assert!(
        error.contains("`describe` of `ractor:actor/actor@0.1.0` has another type"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_import_is_named() {
    let packages = "package acme:db { interface store { get: func(); } }";
    let core = SCRIPT.replace(
        "(memory (export",
        r#"(import "acme:db/store" "get" (func)) (memory (export"#,
    );
    let error = refusal(&component(&core, packages, "import acme:db/store;")).await;
    assert!(
        error.contains("imports `acme:db/store`, which this host does not offer"),
        "{error}"
    );
}

#[tokio::test]
async fn requests_that_come_in_are_for_no_actor() {
    let packages = "package wasi:http@0.2.12 { interface incoming-handler { handle: func(); } }";
    let core = SCRIPT.replace(
        "(memory (export",
        r#"(import "wasi:http/incoming-handler@0.2.12" "handle" (func)) (memory (export"#,
    );
    let error = refusal(&component(&core, packages, "import wasi:http/incoming-handler@0.2.12;")).await;
    assert!(
        error.contains("imports `wasi:http/incoming-handler@0.2.12`, which this host does not offer"),
        "{error}"
    );
}

#[tokio::test]
async fn a_digest_is_checked() {
    let bytes = component(SCRIPT, "", "");
    let file = file(&bytes);
    let right = Digest::of(&bytes);
    let with = |digest| ModuleSource {
        digest: Some(digest),
        ..source(&file.path)
    };
    assert_eq!(ENGINE.load(&with(right)).await.unwrap().digest(), right);
    let wrong = Digest::of(b"something else");
    let error = ENGINE.load(&with(wrong)).await.err().unwrap().to_string();
    assert!(
        error.contains(&right.to_string()) && error.contains(&wrong.to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_not_read() {
    let engine = Engine::new(EngineConfig {
        component_bytes: 100,
        ..engine_config()
    })
    .unwrap();
    let error = load(&engine, &[0; 101]).await.err().unwrap().to_string();
    assert!(
        error.contains("larger than the limit of 100 bytes (component_bytes)"),
        "{error}"
    );
}

#[tokio::test]
async fn what_needs_exceptions_or_garbage_collection_is_told_so_in_a_sentence() {
    let with = |more: &str| SCRIPT.replacen("(memory", &format!("{more} (memory"), 1);
    for (more, says) in [
        (
            "(tag (param i32))",
            "needs WebAssembly's exceptions, which this host does not have",
        ),
        (
            "(type (struct (field i32)))",
            "needs WebAssembly's garbage collection, which",
        ),
        (
            "(type (array i8)) (tag)",
            "needs WebAssembly's garbage collection and exceptions, which",
        ),
    ] {
        let error = load(&ENGINE, &component(&with(more), "", ""))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(says) && !error.contains("offset"), "{error}");
    }
}
